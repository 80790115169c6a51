//! What becomes of a change to the settings: it is done, someone else was faster, or it would leave sessions behind that
//! are no longer on offer. Those are named before anything is written, and the answer must be about the same ones.

use super::hash;
use crate::domain::booking::Booking;

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    Done,
    /// Nothing was written: the person saw an older state than this.
    Stale(T),
    /// Nothing was written: these sessions would be stranded. With the seal they may be.
    Strands(Vec<Booking>, String),
}

impl<T> Outcome<T> {
    /// The question, unless nobody is left behind or it was answered for exactly these sessions as they stand.
    pub(super) fn asking(left: Vec<Booking>, agreed: Option<&str>) -> Option<Self> {
        let parts = left
            .iter()
            .map(|booking| format!("{} {}", booking.id, booking.version));
        let seal = hash::of(&parts.collect::<Vec<_>>().join(" "));
        let ask = !left.is_empty() && agreed != Some(seal.as_str());
        ask.then_some(Self::Strands(left, seal))
    }
}
