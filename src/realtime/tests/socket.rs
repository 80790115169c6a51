//! A real socket's loop on the toy page.

use super::world::{Shared, Toy};
use crate::clock::Clock;
use crate::domain::id::PersonId;
use crate::realtime::hub::Hub;
use crate::realtime::region::{Grant, Place, Verdict};
use crate::realtime::socket::{Limits, Socket};
use jiff::Timestamp;
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn a_socket_whose_page_reads_nothing_is_freed() {
    let hub = Hub::new(Shared::default(), Clock::standing(Timestamp::UNIX_EPOCH));
    let places = vec![Place {
        base: Toy::Base,
        over: Some(Toy::Over),
    }];
    let grant = Grant {
        person: PersonId::new(),
        viewer: 1,
        is_staff: false,
        places,
        until: Timestamp::MAX,
    };
    let socket = Socket {
        hub: hub.clone(),
        rights: Arc::new(move || {
            let verdict = Verdict::Granted(grant.clone());
            Box::pin(async { Some(verdict) })
        }),
        limits: Limits {
            sockets_per_person: 1,
        },
        epoch: 1,
        since: None,
    };
    // Room for less than the first frame, and nobody takes anything out.
    let (ours, _theirs) = tokio::io::duplex(16);
    let began = tokio::time::Instant::now();
    socket.run(ours).await;
    let freed = began.elapsed().as_secs();
    assert!((30..35).contains(&freed), "after {freed} s");
    assert_eq!((hub.socket_count(), hub.region_count()), (0, 0));
}
