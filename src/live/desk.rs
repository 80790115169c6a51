//! Where sockets ask what they may watch. Whoever asks while an answer is on its way is answered with the next ones, all in
//! one snapshot: ten thousand pages that come back at once are a handful of queries.

use super::{Page, Region, Source, places, viewer_tag};
use crate::domain::id::PersonId;
use crate::domain::viewer::Viewer;
use crate::live::Reading;
use crate::realtime::{Grant, Place, Verdict};
use crate::store::{self, session};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Answers from one snapshot: thousands of different pages would not be looked up within the patience of the first.
const BATCH: usize = 256;
/// How long an answer may take: a statement has five seconds.
const PATIENCE: Duration = Duration::from_secs(6);

/// One instance's desk; clones are one.
#[derive(Debug, Clone)]
pub struct Desk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    line: Mutex<Line>,
}

/// Who waits, and whether somebody answers.
#[derive(Debug, Default)]
struct Line {
    waiting: Vec<Question>,
    is_open: bool,
}

#[derive(Debug)]
struct Question {
    session: Arc<str>,
    page: Option<Page>,
    answer: oneshot::Sender<Verdict<Region>>,
}

/// What was looked up for an answer already.
type Known = HashMap<(PersonId, Page), Option<Vec<Place<Region>>>>;

impl Desk {
    pub fn new(source: Source) -> Self {
        Self(Arc::new(Inner {
            source,
            line: Mutex::default(),
        }))
    }

    /// What the session with this hash may watch of a page, as the database has it at some moment after the question.
    /// `None` when it does not answer.
    pub async fn ask(&self, session: Arc<str>, page: Option<Page>) -> Option<Verdict<Region>> {
        let (answer, answered) = oneshot::channel();
        let question = Question {
            session,
            page,
            answer,
        };
        let is_first = {
            let mut line = self.line();
            line.waiting.push(question);
            !std::mem::replace(&mut line.is_open, true)
        };
        if is_first {
            tokio::spawn(self.clone().serve());
        }
        answered.await.ok()
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0
            .line
            .lock()
            .expect("nothing panics while it holds this")
    }

    async fn serve(self) {
        loop {
            let batch = {
                let mut line = self.line();
                let count = line.waiting.len().min(BATCH);
                let batch: Vec<_> = line.waiting.drain(..count).collect();
                line.is_open = !batch.is_empty();
                batch
            };
            if batch.is_empty() {
                return;
            }
            // In a task of its own: a fault in one answer must not leave the desk closed behind a line that grows.
            let answered = tokio::spawn(answer_all(self.0.source.clone(), batch));
            let abort = answered.abort_handle();
            match timeout(PATIENCE, answered).await {
                Ok(Ok(Ok(()))) => {}
                Ok(Ok(Err(error))) => tracing::warn!(%error, "rights could not be asked"),
                Ok(Err(fault)) => tracing::error!(%fault, "rights could not be asked"),
                Err(_) => {
                    abort.abort();
                    tracing::warn!("rights were not told in time");
                }
            }
        }
    }
}

async fn answer_all(source: Source, batch: Vec<Question>) -> Result<(), store::Error> {
    let mut reading = Reading::open(&source).await?;
    let mut hashes: Vec<&str> = batch.iter().map(|one| &*one.session).collect();
    hashes.sort_unstable();
    hashes.dedup();
    let sessions = session::viewers(&mut reading.tx, &hashes, reading.now).await?;
    let mut known = Known::new();
    for question in batch {
        let verdict = match (sessions.get(&*question.session), question.page) {
            (None, _) => Verdict::SignedOut,
            (Some(_), None) => Verdict::Refused,
            (Some(signed_in), Some(page)) => {
                let viewer = &signed_in.viewer;
                let found = look_up(&mut reading, &mut known, viewer, page).await?;
                let grant = found.zip(viewer.person()).map(|(places, person)| Grant {
                    person,
                    viewer: viewer_tag(viewer),
                    is_staff: matches!(viewer, Viewer::Staff(_)),
                    places,
                    until: signed_in.until,
                });
                grant.map_or(Verdict::Refused, Verdict::Granted)
            }
        };
        // Whoever left meanwhile needs no answer.
        let _ = question.answer.send(verdict);
    }
    Ok(())
}

async fn look_up(
    reading: &mut Reading,
    known: &mut Known,
    viewer: &Viewer,
    page: Page,
) -> Result<Option<Vec<Place<Region>>>, store::Error> {
    let Some(person) = viewer.person() else {
        return Ok(None);
    };
    let key = (person, page);
    if let Some(places) = known.get(&key) {
        return Ok(places.clone());
    }
    let found = match places(reading, viewer, &key.1).await {
        Err(store::Error::NotFound) => None,
        found => found?,
    };
    known.insert(key, found.clone());
    Ok(found)
}
