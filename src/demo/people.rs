//! Who the invented people are, and when the staff among them work.

use super::Plan;
use super::dice::Dice;
use crate::domain::id::{ClientId, PersonId, StaffId};
use crate::domain::slot::{Hours, Window};
use crate::domain::viewer::Role;

/// A name, and what stands before the @.
type Named = (&'static str, &'static str);

pub(super) const OWNER: Named = ("Naledi Khumalo", "naledi");
const SECOND: Named = ("Sipho Dube", "sipho");

/// The clients whose accounts are printed. Nobody acts in their names.
pub(super) const KNOWN: [Named; 3] = [
    ("Thandi Mokoena", "thandi"),
    ("Pieter Botha", "pieter"),
    ("Aisha Dlamini", "aisha"),
];

const OTHERS: [Named; 27] = [
    ("Lerato Nkosi", "lerato"),
    ("Johan van der Merwe", "johan"),
    ("Fatima Davids", "fatima"),
    ("Bongani Zulu", "bongani"),
    ("Anneke Steyn", "anneke"),
    ("Priya Naidoo", "priya"),
    ("Kagiso Molefe", "kagiso"),
    ("Riaan Pretorius", "riaan"),
    ("Zanele Mthembu", "zanele"),
    ("Imraan Parker", "imraan"),
    ("Nomvula Sithole", "nomvula"),
    ("Gareth Williams", "gareth"),
    ("Palesa Mahlangu", "palesa"),
    ("Hendrik Coetzee", "hendrik"),
    ("Ayanda Cele", "ayanda"),
    ("Chantal Jacobs", "chantal"),
    ("Tshepo Maseko", "tshepo"),
    ("Megan O'Connor", "megan"),
    ("Vusi Ndlovu", "vusi"),
    ("Shireen Abrahams", "shireen"),
    ("Dirk Venter", "dirk"),
    ("Refilwe Modise", "refilwe"),
    ("Kavitha Govender", "kavitha"),
    ("Mandla Khoza", "mandla"),
    ("Elsabé Joubert", "elsabe"),
    ("Tumelo Phiri", "tumelo"),
    ("Carla de Villiers", "carla"),
];

/// How many of the last of them were invited and have not come yet.
const WAITING: usize = 2;

const MOST_STAFF: usize = 50;
const CLIENTS_PER_STAFF: usize = 200;

/// A member of staff to be.
#[derive(Debug, Clone)]
pub(super) struct Helper {
    pub(super) id: StaffId,
    pub(super) person: PersonId,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role: Role,
    pub(super) hours: Hours,
}

/// A client to be.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    pub(super) id: ClientId,
    pub(super) person: PersonId,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) joined: bool,
}

pub(super) fn address(local: &str) -> String {
    format!("{local}@kestrel.example")
}

/// The address of the client of that number among `count`: as many digits as `count` has, at least four.
pub(super) fn numbered(number: usize, count: usize) -> String {
    let digits = count.to_string().len().max(4);
    address(&format!("client-{number:0digits$}"))
}

/// Whether outsiders watch this account, so that only they may change what it shows.
pub(super) fn is_known(email: &str) -> bool {
    KNOWN.iter().any(|(_, local)| address(local) == email)
}

pub(super) fn staff(plan: &Plan, dice: &mut Dice) -> Vec<Helper> {
    let count = if plan.numbered {
        (plan.clients / CLIENTS_PER_STAFF).clamp(2, MOST_STAFF)
    } else {
        2
    };
    (0..count)
        .map(|n| {
            let (name, local) = match n {
                0 => (OWNER.0.to_owned(), OWNER.1.to_owned()),
                1 => (SECOND.0.to_owned(), SECOND.1.to_owned()),
                _ => (name(dice), format!("staff-{:02}", n + 1)),
            };
            Helper {
                id: StaffId::new(),
                person: PersonId::new(),
                name,
                email: address(&local),
                role: if n == 0 { Role::Owner } else { Role::Staff },
                hours: if n % 2 == 0 { early() } else { late() },
            }
        })
        .collect()
}

/// The known three first.
pub(super) fn clients(plan: &Plan, dice: &mut Dice) -> Vec<Guest> {
    let guest = |name: &str, email: String, joined: bool| Guest {
        id: ClientId::new(),
        person: PersonId::new(),
        name: name.to_owned(),
        email,
        joined,
    };
    let mut clients: Vec<Guest> = KNOWN
        .iter()
        .map(|(name, local)| guest(name, address(local), true))
        .collect();
    if plan.numbered {
        clients.extend(
            (1..=plan.clients).map(|n| guest(&name(dice), numbered(n, plan.clients), true)),
        );
    } else {
        let others = OTHERS
            .iter()
            .take(plan.clients.saturating_sub(KNOWN.len()))
            .enumerate();
        clients.extend(
            others
                .map(|(n, (name, local))| guest(name, address(local), n < OTHERS.len() - WAITING)),
        );
    }
    clients
}

/// A first name of one and a last name of another.
fn name(dice: &mut Dice) -> String {
    let mut half = |first: bool| {
        let (name, _) = dice.pick(&OTHERS).copied().unwrap_or(OWNER);
        let (given, family) = name.split_once(' ').unwrap_or((name, ""));
        if first { given } else { family }
    };
    format!("{} {}", half(true), half(false))
}

/// Monday to Friday from eight to four with a long lunch, and Saturday mornings.
fn early() -> Hours {
    let mut hours = Hours::default();
    for day in &mut hours.weekly[..5] {
        *day = vec![window((8, 0), (11, 45)), window((13, 0), (16, 0))];
    }
    hours.weekly[5] = vec![window((8, 0), (11, 0))];
    hours
}

/// Monday to Friday, later, without Saturdays.
fn late() -> Hours {
    let mut hours = Hours::default();
    for day in &mut hours.weekly[..5] {
        *day = vec![window((8, 45), (12, 30)), window((13, 15), (17, 0))];
    }
    hours
}

fn window(start: (i64, i64), end: (i64, i64)) -> Window {
    Window {
        start: start.0 * 60 + start.1,
        end: end.0 * 60 + end.1,
    }
}
