//! How the regions about the waiting list are read. An offer that nobody answers is over by the clock alone.

use super::Reading;
use crate::domain::id::ClientId;
use crate::domain::wait::Wait;
use crate::realtime::Whole;
use crate::store::{Error, wait};
use crate::views;
use jiff::Timestamp;

/// Who waits, one client or all; and when the first offer is over, or the day.
pub(super) async fn waits(
    reading: &mut Reading,
    client: Option<ClientId>,
) -> Result<(Vec<Wait>, Timestamp), Error> {
    let today = reading.business.today(reading.now);
    let waits = wait::list(&mut reading.tx, client, today, reading.now).await?;
    let offers = waits.iter().filter_map(|wait| wait.offer.as_ref());
    let midnight = reading.business.next_midnight(reading.now);
    let until = offers
        .map(|offer| offer.until)
        .fold(midnight, Timestamp::min);
    Ok((waits, until))
}

pub(super) async fn own(
    reading: &mut Reading,
    client: ClientId,
    for_staff: bool,
) -> Result<(Whole, Timestamp), Error> {
    let (waits, until) = waits(reading, Some(client)).await?;
    let whole = views::wait::own(&reading.business, &waits, for_staff, reading.now);
    Ok((whole, until))
}

pub(super) async fn line(reading: &mut Reading) -> Result<(Whole, Timestamp), Error> {
    let (waits, until) = waits(reading, None).await?;
    let whole = views::wait::line(&reading.business, &waits, reading.now);
    Ok((whole, until))
}
