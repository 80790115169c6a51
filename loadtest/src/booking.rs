//! Bookings as clients make them: a week with free times, the sheet of one, and the way back.

use crate::http::{Person, Posted, attribute, tags};
use crate::stats;
use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};

/// A week that is watched, and starts in it that can be booked and that the agenda shows.
#[derive(Debug)]
pub(crate) struct Week {
    pub(crate) path: String,
    pub(crate) staff: String,
    pub(crate) free: Vec<String>,
}

/// Of the weeks that the agenda's seven days touch, the one with more of them free.
pub(crate) async fn freest_week(client: &Person) -> anyhow::Result<Week> {
    #[expect(clippy::cast_possible_truncation, reason = "far from the limits")]
    let now = Timestamp::from_millisecond(stats::now() as i64)?;
    // Past the notice, and within the seven days whatever the business' zone.
    let from = now + SignedDuration::from_hours(4);
    let to = now + SignedDuration::from_hours(6 * 24);
    let first = client.get("/bookings").await?;
    let mut links: Vec<String> = tags(&first, "/bookings?week=")
        .filter_map(|tag| attribute(tag, "href"))
        .map(|path| path.replace("&amp;", "&"))
        .collect();
    links.sort();
    links.dedup();
    let mut best: Option<Week> = None;
    for path in links {
        let page = client.get(&path).await?;
        let slots: Vec<&str> = tags(&page, "data-state=\"free\"").collect();
        let staff = slots.first().and_then(|tag| attribute(tag, "data-staff"));
        let Some(staff) = staff else { continue };
        let is_near = |start: &&str| {
            let start = start.parse::<Timestamp>();
            start.is_ok_and(|start| from < start && start < to)
        };
        let free: Vec<String> = slots
            .iter()
            .filter_map(|tag| attribute(tag, "data-slot"))
            .filter(is_near)
            .map(str::to_owned)
            .collect();
        if free.len() > best.as_ref().map_or(0, |best| best.free.len()) {
            let staff = staff.to_owned();
            best = Some(Week { path, staff, free });
        }
    }
    best.context("nothing is free in the next six days")
}

/// The sheet of a slot, ready to be sent.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) fields: [(&'static str, String); 4],
}

impl Form {
    pub(crate) async fn open(who: &Person, slot: &str, staff: &str) -> anyhow::Result<Self> {
        let sheet = who
            .get(&format!("/bookings/new?start={slot}&staff={staff}"))
            .await?;
        let value = |mark: &str| {
            let mut fitting = tags(&sheet, mark).filter(|tag| !tag.contains(" disabled"));
            let value = fitting.next().and_then(|tag| attribute(tag, "value"));
            value
                .map(str::to_owned)
                .with_context(|| format!("the sheet of {slot} has no {mark}"))
        };
        let fields = [
            ("start", slot.to_owned()),
            ("staff", staff.to_owned()),
            ("service", value("name=\"service\"")?),
            ("key", value("name=\"key\"")?),
        ];
        Ok(Self { fields })
    }

    pub(crate) async fn book(&self, who: &Person) -> anyhow::Result<Posted> {
        let fields = self.fields.each_ref();
        let fields = fields.map(|(name, value)| (*name, value.as_str()));
        let posted = who.post("/bookings", &fields).await?;
        ensure!(
            posted.status == 303,
            "a booking was answered {}",
            posted.status
        );
        Ok(posted)
    }
}

/// Takes a booking back, from its page.
pub(crate) async fn cancel(who: &Person, path: &str, page: &str) -> anyhow::Result<Posted> {
    let version = tags(page, "name=\"version\"").next();
    let version = version.and_then(|tag| attribute(tag, "value"));
    take_back(
        who,
        path,
        version.context("a booking's page has its version")?,
    )
    .await
}

async fn take_back(who: &Person, path: &str, version: &str) -> anyhow::Result<Posted> {
    let posted = who
        .post(&format!("{path}/cancel"), &[("version", version)])
        .await?;
    ensure!(
        posted.status == 303,
        "a cancellation was answered {}",
        posted.status
    );
    Ok(posted)
}

/// Someone who books one time and takes it back, over and over, one request for each change.
#[derive(Debug)]
pub(crate) struct Booker {
    person: Person,
    form: Form,
    /// The path of what is booked now.
    booked: Option<String>,
    /// The version of a fresh booking, as its page said it once.
    version: Option<String>,
    count: u32,
}

impl Booker {
    pub(crate) async fn new(person: Person, slot: &str, staff: &str) -> anyhow::Result<Self> {
        let form = Form::open(&person, slot, staff).await?;
        let mut booker = Self {
            person,
            form,
            booked: None,
            version: None,
            count: 0,
        };
        // There and back once: what its page says of a fresh booking's version is read here, not while the clock runs.
        booker.change().await?;
        let path = booker.booked.clone().context("it is booked")?;
        let page = booker.person.get(&path).await?;
        let version = tags(&page, "name=\"version\"")
            .next()
            .and_then(|tag| attribute(tag, "value"));
        booker.version = Some(
            version
                .context("a booking's page has its version")?
                .to_owned(),
        );
        booker.change().await?;
        Ok(booker)
    }

    /// Books, or takes back what is booked.
    pub(crate) async fn change(&mut self) -> anyhow::Result<Posted> {
        if let Some(path) = &self.booked {
            let version = self.version.as_deref().unwrap_or_default();
            let posted = take_back(&self.person, path, version).await?;
            self.booked = None;
            return Ok(posted);
        }
        self.count += 1;
        let [start, staff, service, (_, key)] = self.form.fields.each_ref();
        let key = format!("{key}{}", self.count);
        let fields = [start, staff, service, &("key", key)];
        let fields = fields.map(|(name, value)| (*name, value.as_str()));
        let posted = self.person.post("/bookings", &fields).await?;
        ensure!(
            posted.status == 303,
            "a booking was answered {}",
            posted.status
        );
        self.booked = Some(posted.location.clone());
        Ok(posted)
    }
}

/// Of some starts those that lie so far apart that no session at one touches one at another.
pub(crate) fn apart(free: &[String]) -> Vec<String> {
    let mut free: Vec<(Timestamp, &String)> = free
        .iter()
        .filter_map(|start| Some((start.parse().ok()?, start)))
        .collect();
    free.sort();
    let mut chosen: Vec<(Timestamp, &String)> = Vec::new();
    for (at, start) in free {
        if chosen
            .last()
            .is_none_or(|(last, _)| at - SignedDuration::from_hours(2) >= *last)
        {
            chosen.push((at, start));
        }
    }
    chosen.into_iter().map(|(_, start)| start.clone()).collect()
}
