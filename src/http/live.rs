//! `GET /live`: the upgrade. Whoever may not watch is let in and told so by a close code: a refused upgrade is retried for
//! ever.

use super::extract::Asked;
use crate::app::App;
use crate::live::{self, Address, Page, Region};
use crate::realtime::{Cursor, Limits, Rights, Socket, Verdict};
use crate::store::{Error, session};
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use std::sync::Arc;
use tower_sessions::Session;

/// The most that a browser may send at a time; it has no reason to send anything.
const INBOUND: usize = 64 * 1024;
/// The most that waits for a browser to read.
const OUTBOUND: usize = 1024 * 1024;

pub(super) async fn connect(
    State(app): State<App>,
    Asked(address): Asked<Address>,
    session: Session,
    upgrade: WebSocketUpgrade,
) -> Response {
    let hash = session.id().map(|id| session::hash(&id));
    let socket = Socket {
        hub: app.hub.clone(),
        rights: rights(&app, hash, address.page()),
        limits: Limits {
            sockets_per_person: app.config.sockets_per_person,
        },
        epoch: live::epoch(&app.db),
        since: address.since.as_deref().and_then(Cursor::parse),
    };
    upgrade
        .max_message_size(INBOUND)
        .max_frame_size(INBOUND)
        // The read buffer is zeroed at every poll, and the default one is 128 KiB for each socket.
        .read_buffer_size(1024)
        .write_buffer_size(0)
        .max_write_buffer_size(OUTBOUND)
        .on_upgrade(|ws| socket.run(ws))
}

/// Asks the database, each time anew, whether this session may watch this page. It never renews the session: a page that
/// is only open is nobody at work.
fn rights(app: &App, hash: Option<String>, page: Option<Page>) -> Rights<Region> {
    let app = app.clone();
    Arc::new(move || {
        let (app, hash, page) = (app.clone(), hash.clone(), page.clone());
        Box::pin(async move {
            let asked = ask(&app, hash, page).await;
            asked
                .inspect_err(|error| tracing::warn!(%error, "rights could not be asked"))
                .ok()
        })
    })
}

async fn ask(
    app: &App,
    hash: Option<String>,
    page: Option<Page>,
) -> Result<Verdict<Region>, Error> {
    let now = app.clock.now();
    let Some(hash) = hash else {
        return Ok(Verdict::SignedOut);
    };
    let Some(signed_in) = session::viewer(&app.db, &hash, now).await? else {
        return Ok(Verdict::SignedOut);
    };
    let Some(page) = page else {
        return Ok(Verdict::Refused);
    };
    let mut tx = app.db.snapshot().await?;
    let grant = live::grant(&mut tx, &signed_in.viewer, &page, signed_in.until, now).await?;
    Ok(grant.map_or(Verdict::Refused, Verdict::Granted))
}
