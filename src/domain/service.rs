//! What can be booked: how long it takes, what it costs, how much room it wants around it.

use super::booking::plus;
use super::business::Business;
use super::id::{ClientId, ServiceId, StaffId};
use super::person;
use super::slot::{Busy, Terms};
use super::viewer::Viewer;
use super::week::Week;
use jiff::Timestamp;
use jiff::civil::Date;

/// A kind of session on offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub id: ServiceId,
    pub name: String,
    /// Minor units of the business's currency.
    pub price: i64,
    /// Minutes between two starts on the grid.
    pub step: i64,
    /// Minutes it takes, and its buffers.
    pub minutes: i64,
    pub before: i64,
    pub after: i64,
    /// Minutes that a client must book ahead.
    pub notice: i64,
    /// Whole weeks after the current one that clients can book; nothing where the business's own horizon holds.
    pub horizon_weeks: Option<i32>,
    /// Who offers it; nobody named is everybody, those who join later too.
    pub staff: Vec<StaffId>,
    /// Who may book it; nobody named is every client, those who come later too.
    pub clients: Vec<ClientId>,
    /// Where a session by video takes place; nothing for one in person.
    pub video_url: Option<String>,
    pub colour: Colour,
    /// Counts its changes; a form carries the one it was made from.
    pub version: i64,
}

/// What tells a service from others in a calendar, beside its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colour {
    #[default]
    Teal,
    Blue,
    Violet,
    Rose,
    Amber,
    Slate,
}

impl Colour {
    pub const ALL: [Self; 6] = [
        Self::Teal,
        Self::Blue,
        Self::Violet,
        Self::Rose,
        Self::Amber,
        Self::Slate,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Teal => "teal",
            Self::Blue => "blue",
            Self::Violet => "violet",
            Self::Rose => "rose",
            Self::Amber => "amber",
            Self::Slate => "slate",
        }
    }

    /// Reads [`Colour::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|colour| colour.as_str() == text)
    }
}

/// The first thing that is wrong with a service, and for each the sentence that stands beside its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("Enter a name of 1 to 100 characters on one line.")]
    Name,
    #[error("Enter a price like 850 or 850.00, up to 1 000 000.")]
    Price,
    #[error("Enter the length in minutes, a multiple of 5 from 5 to 720.")]
    Minutes,
    #[error("Enter a multiple of 5 from 5 to 720 minutes.")]
    Step,
    #[error("Enter a multiple of 5 from 0 to 240 minutes.")]
    Before,
    #[error("Enter a multiple of 5 from 0 to 240 minutes.")]
    After,
    #[error("Enter the notice in minutes, from 0 to 43200, which is 30 days.")]
    Notice,
    #[error("Enter a number of weeks from 1 to 104, or leave it empty.")]
    Horizon,
    #[error("Choose at least one person who offers it.")]
    Staff,
    #[error("Enter addresses of clients whom you have invited, one a line.")]
    Clients,
    #[error("Enter the link of the video room, beginning with https://.")]
    Video,
}

/// Minor units: with tens of thousands of sessions a sum still fits.
const MOST_PRICE: i64 = 100_000_000;
/// Half a day with two buffers of four hours is under the 24 hours that reading a calendar looks back.
const LONGEST: i64 = 720;
const WIDEST: i64 = 240;
/// Thirty days.
const MOST_NOTICE: i64 = 43_200;
const MOST_WEEKS: i32 = 104;
/// What addresses of rooms need, and far less than a row may hold.
const LONGEST_URL: usize = 500;

impl Service {
    /// The service as this viewer books it: notice protects staff from clients, not from themselves.
    #[must_use]
    pub fn asked_by(self, viewer: &Viewer) -> Self {
        let notice = if matches!(viewer, Viewer::Staff(_)) {
            0
        } else {
            self.notice
        };
        Self { notice, ..self }
    }

    /// All that is wrong with it, in the order of the form.
    pub fn wrongs(&self) -> Vec<Wrong> {
        let fives = |minutes: i64, least: i64, most: i64| {
            (least..=most).contains(&minutes) && minutes % 5 == 0
        };
        let url = self.video_url.as_deref();
        let is_room = |url: &str| {
            let host = url.strip_prefix("https://").unwrap_or_default();
            let plain = |c: char| !c.is_whitespace() && !c.is_control();
            host.starts_with(char::is_alphanumeric)
                && url.len() <= LONGEST_URL
                && url.chars().all(plain)
        };
        let weeks = self.horizon_weeks.unwrap_or(1);
        [
            (
                Wrong::Name,
                person::name(&self.name).as_ref() == Ok(&self.name),
            ),
            (Wrong::Price, (0..=MOST_PRICE).contains(&self.price)),
            (Wrong::Minutes, fives(self.minutes, 5, LONGEST)),
            (Wrong::Step, fives(self.step, 5, LONGEST)),
            (Wrong::Before, fives(self.before, 0, WIDEST)),
            (Wrong::After, fives(self.after, 0, WIDEST)),
            (Wrong::Notice, (0..=MOST_NOTICE).contains(&self.notice)),
            (Wrong::Horizon, (1..=MOST_WEEKS).contains(&weeks)),
            (Wrong::Video, url.is_none_or(is_room)),
        ]
        .into_iter()
        .filter(|(_, right)| !right)
        .map(|(wrong, _)| wrong)
        .collect()
    }

    /// Whether this member of staff offers it.
    pub fn is_offered_by(&self, staff: StaffId) -> bool {
        self.staff.is_empty() || self.staff.contains(&staff)
    }

    /// Whether this client may book it.
    pub fn is_open_to(&self, client: ClientId) -> bool {
        self.clients.is_empty() || self.clients.contains(&client)
    }

    /// The last date on which it can be booked: its own horizon, and never past the business's.
    pub fn horizon(&self, business: &Business, now: Timestamp) -> Date {
        let own = self.horizon_weeks.unwrap_or(business.horizon_weeks);
        Week::of(business.today(now))
            .plus(own.min(business.horizon_weeks))
            .last()
    }

    /// The time that a session of it, begun at `start`, keeps others from.
    pub fn busy(&self, start: Timestamp) -> Busy {
        Busy {
            start,
            end: plus(start, self.minutes),
            before: self.before,
            after: self.after,
        }
    }

    /// What this service asks of a slot.
    pub fn terms(&self) -> Terms {
        Terms {
            minutes: self.minutes,
            step: self.step,
            before: self.before,
            after: self.after,
            notice: self.notice,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::domain) fn service() -> Service {
        Service {
            id: ServiceId::new(),
            name: "Massage".to_owned(),
            price: 85_000,
            step: 45,
            minutes: 45,
            before: 0,
            after: 15,
            notice: 120,
            horizon_weeks: None,
            staff: Vec::new(),
            clients: Vec::new(),
            video_url: None,
            colour: Colour::default(),
            version: 1,
        }
    }

    type Spoil = fn(&mut Service);

    #[test]
    fn each_field_has_its_own_sentence() {
        assert_eq!(service().wrongs(), []);
        let wrong: [(Wrong, Spoil); 14] = [
            (Wrong::Name, |one| one.name = " ".to_owned()),
            (Wrong::Price, |one| one.price = -1),
            (Wrong::Price, |one| one.price = MOST_PRICE + 1),
            (Wrong::Minutes, |one| one.minutes = 0),
            (Wrong::Minutes, |one| one.minutes = 42),
            (Wrong::Minutes, |one| one.minutes = 725),
            (Wrong::Step, |one| one.step = 0),
            (Wrong::Before, |one| one.before = 245),
            (Wrong::After, |one| one.after = -5),
            (Wrong::Notice, |one| one.notice = MOST_NOTICE + 1),
            (Wrong::Horizon, |one| one.horizon_weeks = Some(0)),
            (Wrong::Video, |one| {
                one.video_url = Some("http://meet.example/a".to_owned());
            }),
            (Wrong::Video, |one| {
                one.video_url = Some("https:///a".to_owned());
            }),
            (Wrong::Video, |one| {
                one.video_url = Some("https://meet.example/a b".to_owned());
            }),
        ];
        for (wrong, spoil) in wrong {
            let mut one = service();
            spoil(&mut one);
            assert_eq!(one.wrongs(), [wrong], "{one:?}");
        }
    }

    #[test]
    fn a_service_is_everybodys_until_someone_is_named() {
        let (one, other) = (StaffId::new(), StaffId::new());
        assert!(service().is_offered_by(one));
        let named = Service {
            staff: vec![one],
            ..service()
        };
        assert!(named.is_offered_by(one) && !named.is_offered_by(other));
    }

    #[test]
    fn the_nearer_horizon_holds() {
        let now: Timestamp = "2026-11-23T06:00:00Z".parse().unwrap();
        let business = Business {
            horizon_weeks: 4,
            ..Business::unnamed()
        };
        for (own, last) in [
            (None, "2026-12-27"),
            (Some(1), "2026-12-06"),
            (Some(9), "2026-12-27"),
        ] {
            let service = Service {
                horizon_weeks: own,
                ..service()
            };
            assert_eq!(service.horizon(&business, now), last.parse().unwrap());
        }
        for colour in Colour::ALL {
            assert_eq!(Colour::parse(colour.as_str()), Some(colour));
        }
    }
}
