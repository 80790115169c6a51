//! The rules of the business about booking: until when a client may change their mind and at what price, how much one may
//! have booked, and which of all rules staff may set aside for a reason. The overlap is not among them.

use super::booking::{Occupancy, QUANTUM, Refusal};
use super::business::Business;
use super::hold::{self, Kept};
use super::service::Service;
use super::slot::{Busy, Calendar};
use jiff::{SignedDuration, Timestamp};
use std::ops::RangeInclusive;

/// How long after booking a client may undo it, whatever the window.
pub const GRACE: SignedDuration = SignedDuration::from_mins(3);

/// What the owner sets for all services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Minutes before a session until which a client may cancel it without it counting as late.
    pub cancel_minutes: i64,
    /// Minutes before a session until which a client may move it.
    pub move_minutes: i64,
    /// Sessions that a client may have ahead at once; 0 for as many as they like.
    pub most_open: i64,
    /// What a late cancellation costs, in minor units; 0 for nothing.
    pub late_fee: i64,
    /// Minutes for which a time that became free is kept for whoever waits for it.
    pub offer_minutes: i64,
    /// Whether a session that is over counts as completed unless staff say otherwise.
    pub completes: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            cancel_minutes: 24 * 60,
            move_minutes: 24 * 60,
            most_open: 0,
            late_fee: 0,
            offer_minutes: 15,
            completes: false,
        }
    }
}

/// What is wrong with rules, and for each the sentence that stands beside its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("Enter minutes from 0 to 43200, which is 30 days.")]
    Cancel,
    #[error("Enter minutes from 0 to 43200, which is 30 days.")]
    Move,
    #[error("Enter a number from 0 to 100; 0 is as many as they like.")]
    Most,
    #[error("Enter an amount like 200 or 200.00, up to 1 000 000; 0 for no fee.")]
    Fee,
    #[error("Enter minutes from 5 to 1440, which is a day.")]
    Offer,
}

/// Thirty days.
const MOST_MINUTES: i64 = 43_200;
const MOST_OPEN: i64 = 100;
/// Time to read a mail at least, and a day at most: meanwhile nobody else can book.
const OFFER: RangeInclusive<i64> = 5..=1440;
/// Minor units, as for the price of a service.
const MOST_FEE: i64 = 100_000_000;

impl Rules {
    /// All that is wrong with them, in the order of the form.
    pub fn wrongs(&self) -> Vec<Wrong> {
        let window = 0..=MOST_MINUTES;
        [
            (Wrong::Cancel, window.contains(&self.cancel_minutes)),
            (Wrong::Move, window.contains(&self.move_minutes)),
            (Wrong::Most, (0..=MOST_OPEN).contains(&self.most_open)),
            (Wrong::Fee, (0..=MOST_FEE).contains(&self.late_fee)),
            (Wrong::Offer, OFFER.contains(&self.offer_minutes)),
        ]
        .into_iter()
        .filter(|(_, right)| !right)
        .map(|(wrong, _)| wrong)
        .collect()
    }

    /// On one line, as a form carries those that it was made from.
    pub fn line(&self) -> String {
        let Self {
            cancel_minutes,
            move_minutes,
            most_open,
            late_fee,
            offer_minutes,
            completes,
        } = self;
        format!(
            "{cancel_minutes} {move_minutes} {most_open} {late_fee} {offer_minutes} {completes}"
        )
    }

    /// Whether a client with so many sessions ahead may book one more.
    pub fn leave_room(&self, open_count: i64) -> bool {
        self.most_open == 0 || open_count < self.most_open
    }
}

/// A rule that staff may set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    Hours,
    Horizon,
    Buffers,
    Offered,
    Clients,
    Most,
    Move,
    Cancel,
}

impl Rule {
    const ALL: [Self; 8] = [
        Self::Hours,
        Self::Horizon,
        Self::Buffers,
        Self::Offered,
        Self::Clients,
        Self::Most,
        Self::Move,
        Self::Cancel,
    ];

    /// The word that the database keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hours => "hours",
            Self::Horizon => "horizon",
            Self::Buffers => "buffers",
            Self::Offered => "offered",
            Self::Clients => "clients",
            Self::Most => "most",
            Self::Move => "move",
            Self::Cancel => "cancel",
        }
    }

    /// Reads [`Rule::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text)
    }

    /// What setting it aside means, as staff read it before and after.
    pub fn words(self) -> &'static str {
        match self {
            Self::Hours => "outside the hours",
            Self::Horizon => "further ahead than can be booked",
            Self::Buffers => "inside the time kept free around sessions",
            Self::Offered => "with someone who does not offer it",
            Self::Clients => "for a client to whom it is not open",
            Self::Most => "more sessions ahead than a client may have",
            Self::Move => "later than a session may be moved",
            Self::Cancel => "later than a session may be cancelled freely",
        }
    }
}

/// Which rules about time `service` at `start` would break, for staff to set aside: none exactly where [`hold::check`]
/// accepts it. What nobody may set aside is refused: overlaps, the past, and starts between two quanta.
pub fn broken(
    business: &Business,
    calendar: &Calendar<'_>,
    holds: &[Kept],
    service: &Service,
    start: Timestamp,
) -> Result<Vec<Rule>, Refusal> {
    let Err(refusal) = hold::check(business, calendar, holds, service, start) else {
        return Ok(Vec::new());
    };
    let now = calendar.now.unwrap_or(Timestamp::MIN);
    if start <= now {
        return Err(Refusal::Passed);
    }
    if start.subsec_nanosecond() != 0 || start.as_second() % (QUANTUM * 60) != 0 {
        return Err(Refusal::OutsideHours);
    }
    let bare = |busy: &Busy| {
        Occupancy::of(&Busy {
            before: 0,
            after: 0,
            ..*busy
        })
    };
    let wanted = service.busy(start);
    let (own, with_buffers) = (bare(&wanted), Occupancy::of(&wanted));
    if calendar.busy.iter().any(|busy| !bare(busy).allows(&own)) {
        return Err(Refusal::Taken);
    }
    let held = |hold: &Kept| !Occupancy::of(&hold.busy).allows(&with_buffers);
    if holds.iter().any(held) {
        return Err(Refusal::Held);
    }
    let empty = Calendar {
        busy: &[],
        now: None,
        ..calendar.clone()
    };
    let squeezes = |busy: &Busy| !Occupancy::of(busy).allows(&with_buffers);
    let is_far = business.local(start).date() > service.horizon(business, now);
    let is_closed = empty.check(&service.terms(), start).is_err();
    let is_close = calendar.busy.iter().any(squeezes);
    let rules = [
        (Rule::Hours, is_closed),
        (Rule::Horizon, is_far),
        (Rule::Buffers, is_close),
    ];
    let rules = rules.into_iter().filter(|(_, broken)| *broken);
    let rules: Vec<Rule> = rules.map(|(rule, _)| rule).collect();
    if rules.is_empty() {
        Err(refusal)
    } else {
        Ok(rules)
    }
}

/// Why staff set a rule aside: one line of 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

/// The longest [`Reason`], in characters.
pub const LONGEST_REASON: usize = 200;

impl Reason {
    /// What was typed, without the space around it. `None` where that is nothing, too long, or no line of text.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = (1..=LONGEST_REASON).contains(&text.chars().count());
        (fits && !text.chars().any(char::is_control)).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_back_from_its_word() {
        for rule in Rule::ALL {
            assert_eq!(Rule::parse(rule.as_str()), Some(rule));
        }
        assert_eq!(Rule::parse("overlap"), None);
    }

    #[test]
    fn a_reason_is_a_line_of_text() {
        let longest = "é".repeat(LONGEST_REASON);
        assert_eq!(
            Reason::parse("  She called. ").unwrap().as_str(),
            "She called."
        );
        assert!(Reason::parse(&longest).is_some());
        for wrong in ["", "  ", "two\nlines", &format!("{longest}e")] {
            assert_eq!(Reason::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn rules_out_of_range_are_named_in_the_order_of_the_form() {
        assert!(Rules::default().wrongs().is_empty());
        let wrong = Rules {
            cancel_minutes: -1,
            move_minutes: MOST_MINUTES + 1,
            most_open: MOST_OPEN + 1,
            late_fee: -1,
            offer_minutes: 4,
            completes: false,
        };
        assert_eq!(
            wrong.wrongs(),
            [
                Wrong::Cancel,
                Wrong::Move,
                Wrong::Most,
                Wrong::Fee,
                Wrong::Offer
            ]
        );
    }

    #[test]
    fn no_limit_leaves_room_for_ever_and_a_limit_until_it_is_reached() {
        let of = |most_open| Rules {
            most_open,
            ..Rules::default()
        };
        assert!(of(0).leave_room(1_000));
        assert!(of(2).leave_room(1));
        assert!(!of(2).leave_room(2));
    }
}
