//! The invented business: made whole from a plan and a seed, and the invented people who keep it moving.

mod actors;
mod business;
mod diary;
mod dice;
mod history;
mod message;
mod money;
mod people;
#[cfg(test)]
mod tests;

pub use actors::act;
pub use business::fill;

use jiff::Timestamp;

/// The password of every invented account.
pub const PASSWORD: &str = "kestrel-demo-2026";

/// How large a business to invent, and around which day.
#[derive(Debug, Clone)]
pub struct Plan {
    /// With `numbered` that many besides the three known ones, else all of them, 30 at most.
    pub clients: usize,
    /// Whole weeks after the current one that have bookings.
    pub weeks: usize,
    pub seed: u64,
    pub now: Timestamp,
    /// For load tests: `client-0001@kestrel.example` onwards, and staff as clients need.
    pub numbered: bool,
}

impl Plan {
    /// The practice of `portico demo`.
    pub fn demo(seed: u64, now: Timestamp) -> Self {
        Self {
            clients: 30,
            weeks: 3,
            seed,
            now,
            numbered: false,
        }
    }

    /// Whole weeks before the current one that have bookings.
    fn past_weeks(&self) -> usize {
        if self.numbered {
            self.weeks.div_ceil(2)
        } else {
            8
        }
    }
}

/// An account to sign in with, and [`PASSWORD`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// `owner`, `client`.
    pub role: &'static str,
    pub name: String,
    pub email: String,
}

/// The accounts to print: the owner, the known clients and, where there are numbered ones, the first and the last.
pub fn accounts(plan: &Plan) -> Vec<Account> {
    let account = |role, name: &str, email: String| Account {
        role,
        name: name.to_owned(),
        email,
    };
    let mut accounts = vec![account(
        "owner",
        people::OWNER.0,
        people::address(people::OWNER.1),
    )];
    accounts.extend(
        people::KNOWN
            .iter()
            .map(|(name, local)| account("client", name, people::address(local))),
    );
    if plan.numbered && plan.clients > 0 {
        for (name, number) in [("The first of many", 1), ("The last of many", plan.clients)] {
            accounts.push(account(
                "client",
                name,
                people::numbered(number, plan.clients),
            ));
        }
    }
    accounts
}
