//! Many want the same time: one gets it, whichever instance they ask, and the others are told so.

use crate::rig::dice::Dice;
use crate::rig::{Business, Instance, On, Outcome, Person};
use anyhow::{Context as _, ensure};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
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
pub(crate) async fn free(person: &Person) -> anyhow::Result<(String, Vec<String>)> {
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
pub(crate) async fn services(
    person: &Person,
    start: &str,
    staff: &str,
) -> anyhow::Result<Vec<String>> {
    let path = format!("/bookings/new?start={start}&staff={staff}");
    let sheet = person.get(&path).await?;
    Ok(sheet.attributes("input[name=service]:not([disabled])", "value"))
}

/// A crowd over three instances. `off` is what they go without.
async fn crowd(business: &Business, off: &str) -> anyhow::Result<(Vec<Instance>, Vec<Person>)> {
    let mut instances = Vec::new();
    for _ in 0..3 {
        instances.push(Instance::of(business).without(off).serve().await?);
    }
    let mut people = Vec::new();
    for n in 1..=16 {
        let who = format!("client-{n:04}");
        people.push(Person::sign_in(&instances[n % 3], &who).await?);
    }
    Ok((instances, people))
}

/// All want one of three neighbouring times at once, in two lengths: nothing overlaps, and who got none is told so.
async fn all_want(
    business: &Business,
    people: &[Person],
    staff: &str,
    near: &[String],
    round: usize,
) -> Outcome {
    let services = services(&people[0], &near[0], staff).await?;
    ensure!(!services.is_empty(), "something fits at {}", near[0]);
    let gate = Arc::new(Barrier::new(people.len()));
    let wants: Vec<_> = people
        .iter()
        .enumerate()
        .map(|(n, person)| {
            // Every second one wants the very same, so that there is a loser in each round.
            let start = near[if n % 2 == 0 { 0 } else { n % 3 }].clone();
            let service = services[n % services.len()].clone();
            let (person, staff, gate) = (person.clone(), staff.to_owned(), Arc::clone(&gate));
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
    Ok(())
}

/// Row 27: three neighbouring times and two lengths, wanted by all at once over three instances. `off` is what they go
/// without.
pub(crate) async fn all_want_one_time(on: On, off: &str, rounds: usize) -> Outcome {
    let mut dice = Dice::roll();
    let business = Business::open(on).await?;
    let (_instances, people) = crowd(&business, off).await?;
    for round in 0..rounds {
        let (staff, starts) = free(&people[0]).await?;
        let begin = usize::try_from(dice.below(starts.len() as u64 - 3))?;
        all_want(&business, &people, &staff, &starts[begin..begin + 3], round).await?;
    }
    business.is_sound()
}

/// Rows 20 and 27: in the night in which an hour comes twice, both are free, each once, and each is somebody's alone.
async fn all_want_the_hour_that_comes_twice(on: On) -> Outcome {
    let zone = TimeZone::get("Europe/London")?;
    let set_back = zone
        .following(Timestamp::now())
        .find(|change| change.dst().is_std())
        .context("clocks are set back every year")?
        .timestamp();
    let night = set_back.to_zoned(zone).date();
    let business = Business::open(on).await?;
    for sql in [
        "DELETE FROM settings WHERE name IN ('zone', 'horizon_weeks')".to_owned(),
        "INSERT INTO settings (name, value) VALUES ('zone', 'Europe/London'), ('horizon_weeks', '60')"
            .to_owned(),
        format!(
            "INSERT INTO overrides (staff_id, day_on, windows) SELECT id, '{night}', '[[0, 240]]' FROM staff"
        ),
    ] {
        business.tell(sql).await?;
    }
    let (_instances, people) = crowd(&business, "").await?;
    let week = night.iso_week_date();
    let week = format!("/bookings?week={}-W{:02}", week.year(), week.week());
    let page = people[0].get(&week).await?;
    let staff = page.attributes("[data-state=free]", "data-staff");
    let staff = staff.first().context("a slot is somebody's")?;
    let starts = page.attributes("[data-state=free]", "data-slot");
    let mut instants = Vec::new();
    for start in &starts {
        instants.push(start.parse::<Timestamp>()?);
    }
    let second = instants.iter().position(|start| *start >= set_back);
    let second = second.context("the hour is there for the second time")?;
    let hour = SignedDuration::from_hours(1);
    for (start, from) in [(second - 1, set_back - hour), (second, set_back)] {
        let start = instants[start];
        ensure!(
            (from..from + hour).contains(&start),
            "{start} is not in the hour from {from}"
        );
    }
    let near = &starts[second - 1..=second + 1];
    all_want(&business, &people, staff, near, 0).await?;
    business.is_sound()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hour_that_comes_twice_is_booked_twice_on_sqlite() -> Outcome {
    all_want_the_hour_that_comes_twice(On::Sqlite).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hour_that_comes_twice_is_booked_twice_on_postgres() -> Outcome {
    all_want_the_hour_that_comes_twice(On::Postgres).await
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
