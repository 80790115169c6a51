//! Many want the same time: one gets it, whichever instance they ask, and the others are told so.

use crate::rig::dice::Dice;
use crate::rig::{Business, Instance, On, Outcome, Person};
use anyhow::{Context as _, ensure};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;

/// Rows 27 and 28: how long a loser waits to be told.
const TOLD: Duration = Duration::from_secs(1);

/// Pairs of sessions of one member of staff with less than the larger buffer between them.
const OVERLAPS: &str =
    "SELECT COUNT(*) FROM bookings a JOIN bookings b ON a.staff_id = b.staff_id AND a.id <> b.id
    WHERE a.status <> 'cancelled' AND b.status <> 'cancelled' AND a.starts_at <= b.starts_at
      AND (a.starts_at + (a.minutes + a.after_minutes) * 60000 > b.starts_at
        OR a.starts_at + (a.minutes + b.before_minutes) * 60000 > b.starts_at)";

/// Free starts of a week, and whose they are.
async fn free(person: &Person) -> anyhow::Result<(String, Vec<String>)> {
    let mut page = person.get("/bookings").await?;
    for _ in 0..4 {
        let starts = page.attributes("[data-state=free]", "data-slot");
        let staff = page.attributes("[data-state=free]", "data-staff");
        if starts.len() >= 12 {
            let staff = staff.first().context("a slot is somebody's")?;
            return Ok((staff.clone(), starts));
        }
        let weeks = page.attributes("a[href*='week=']", "href");
        let later = weeks.iter().max().context("there is a next week")?;
        page = person.get(later).await?;
    }
    anyhow::bail!("nothing is free")
}

/// The sessions that fit at a time.
async fn services(person: &Person, start: &str, staff: &str) -> anyhow::Result<Vec<String>> {
    let path = format!("/bookings/new?start={start}&staff={staff}");
    let sheet = person.get(&path).await?;
    Ok(sheet.attributes("input[name=service]:not([disabled])", "value"))
}

/// Row 27: three neighbouring times and two lengths, wanted by all at once over three instances. `off` is what they go
/// without.
pub(crate) async fn all_want_one_time(on: On, off: &str, rounds: usize) -> Outcome {
    let mut dice = Dice::roll();
    let business = Business::open(on).await?;
    let mut instances = Vec::new();
    for _ in 0..3 {
        instances.push(Instance::of(&business).without(off).serve().await?);
    }
    let mut people = Vec::new();
    for n in 1..=16 {
        let who = format!("client-{n:04}");
        people.push(Person::sign_in(&instances[n % 3], &who).await?);
    }
    for round in 0..rounds {
        let (staff, starts) = free(&people[0]).await?;
        let begin = usize::try_from(dice.below(starts.len() as u64 - 3))?;
        let near = &starts[begin..begin + 3];
        let services = services(&people[0], &near[0], &staff).await?;
        ensure!(!services.is_empty(), "something fits at {}", near[0]);
        let gate = Arc::new(Barrier::new(people.len()));
        let wants: Vec<_> = people
            .iter()
            .enumerate()
            .map(|(n, person)| {
                // Every second one wants the very same, so that there is a loser in each round.
                let start = near[if n % 2 == 0 { 0 } else { n % 3 }].clone();
                let service = services[n % services.len()].clone();
                let (person, staff, gate) = (person.clone(), staff.clone(), Arc::clone(&gate));
                tokio::spawn(async move {
                    gate.wait().await;
                    let key = format!("round {round}");
                    let form = [
                        ("start", start.as_str()),
                        ("staff", &staff),
                        ("service", &service),
                        ("key", &key),
                    ];
                    person.post("/bookings", &form).await
                })
            })
            .collect();
        let mut won = 0;
        for want in wants {
            let answer = want.await??;
            ensure!(
                [303, 409, 422].contains(&answer.status),
                "{} {}",
                answer.status,
                answer.body
            );
            ensure!(answer.took < TOLD, "told after {:?}", answer.took);
            won += usize::from(answer.status == 303);
            if answer.status == 409 {
                ensure!(
                    answer.body.contains("name=\"key\""),
                    "the sheet as it stands now"
                );
            }
        }
        let overlaps = business.count(OVERLAPS).await?;
        ensure!(overlaps == 0, "{overlaps} sessions overlap");
        ensure!((1..=3).contains(&won), "{won} got the time");
    }
    business.is_sound()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_want_one_time_and_one_gets_it_on_sqlite() -> Outcome {
    all_want_one_time(On::Sqlite, "", 6).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_want_one_time_and_one_gets_it_on_postgres() -> Outcome {
    all_want_one_time(On::Postgres, "", 6).await
}

/// Row 28: the same session moved twice, moved and cancelled, and booked twice, each at once through two instances.
async fn two_hands_on_one_session(on: On) -> Outcome {
    let business = Business::open(on).await?;
    let first = Instance::of(&business).serve().await?;
    let second = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&first, "client-0001").await?;
    let other = thandi.at(&second);
    for round in 0..4 {
        let (staff, starts) = free(&thandi).await?;
        // Far enough apart that none is in another's way.
        let (at, to, or) = (
            &starts[0],
            &starts[starts.len() / 2],
            &starts[starts.len() - 1],
        );
        let service = services(&thandi, at, &staff).await?;
        let service = service.first().context("something fits")?;
        let key = format!("booked {round}");
        let form = [
            ("start", at.as_str()),
            ("staff", &staff),
            ("service", service),
            ("key", &key),
        ];
        let (one, two) = tokio::join!(
            thandi.post("/bookings", &form),
            other.post("/bookings", &form)
        );
        let (one, two) = (one?, two?);
        ensure!(
            (one.status, two.status) == (303, 303),
            "booked: {} {}",
            one.status,
            two.status
        );
        let path = one
            .headers
            .get("location")
            .context("it leads to the booking")?;
        let path = path.to_str()?.to_owned();
        ensure!(
            two.headers
                .get("location")
                .is_some_and(|other| *other == *path),
            "one booking"
        );

        let moved = |start: &str| {
            [
                ("start", start.to_owned()),
                ("staff", staff.clone()),
                ("version", "1".to_owned()),
            ]
        };
        let (to, or) = (moved(to), moved(or));
        let (to, or) = (to.each_ref(), or.each_ref());
        let to = to.map(|(name, value)| (*name, value.as_str()));
        let or = or.map(|(name, value)| (*name, value.as_str()));
        let reschedule = format!("{path}/reschedule");
        let (one, two) = if round % 2 == 0 {
            tokio::join!(thandi.post(&reschedule, &to), other.post(&reschedule, &or))
        } else {
            let cancel = format!("{path}/cancel");
            tokio::join!(
                thandi.post(&reschedule, &to),
                other.post(&cancel, &[("version", "1")])
            )
        };
        let mut answers = [one?.status, two?.status];
        answers.sort_unstable();
        ensure!(
            answers[0] == 303 && [409, 422].contains(&answers[1]),
            "{answers:?}"
        );
        business.is_sound()?;
        ensure!(business.count(OVERLAPS).await? == 0, "nothing overlaps");
    }
    // Each session: one mail that it was booked, and one of the one change that won.
    let mails = business
        .count("SELECT COUNT(*) FROM (SELECT subject, version FROM outbox WHERE subject LIKE 'booking/%'
                GROUP BY subject, version HAVING COUNT(*) > 1) AS twice")
        .await?;
    ensure!(mails == 0, "{mails} mails are there twice");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_changes_at_once_one_wins_on_sqlite() -> Outcome {
    two_hands_on_one_session(On::Sqlite).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_changes_at_once_one_wins_on_postgres() -> Outcome {
    two_hands_on_one_session(On::Postgres).await
}
