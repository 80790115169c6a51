//! What the engine has to know of a live part of a page, and of who may watch it.

use super::part::Whole;
use crate::domain::id::PersonId;
use crate::domain::topic::Topic;
use jiff::Timestamp;
use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;

/// A live part of a page, known by its key alone.
pub trait Region: Clone + Eq + Hash + Debug + Send + Sync + 'static {
    /// Where it is loaded from.
    type Source: Clone + Send + Sync + 'static;

    /// Everything that its rendering depends on.
    fn topics(&self) -> Vec<Topic>;

    /// Whose it is.
    fn kind(&self) -> Kind;

    /// Whether its whole is so much longer than its changes that one's own is worth a load before the first of them.
    fn is_long(&self) -> bool {
        false
    }

    /// Reads it from one snapshot, and renders it.
    fn load(&self, source: &Self::Source)
    -> impl Future<Output = Result<Loaded, LoadError>> + Send;

    /// Where these topics stand, all in one query. One that never moved may be left out.
    fn versions(
        source: &Self::Source,
        topics: &[Topic],
    ) -> impl Future<Output = Result<HashMap<Topic, i64>, LoadError>> + Send;
}

/// Whose a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The same for everyone who may watch it. Its html is kept.
    Shared,
    /// One viewer's own. Its html is dropped once everyone who watches it has it.
    Own,
    /// One viewer's own parts, laid over a shared region.
    Over,
}

/// The source could not be read; told to the log, tried again.
pub type LoadError = Box<dyn std::error::Error + Send + Sync>;

/// A region as one snapshot had it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The sum of its topics' versions in that snapshot.
    pub version: i64,
    pub whole: Whole,
    /// When the same rows would be rendered differently, if ever.
    pub valid_until: Option<Timestamp>,
}

/// A place on a page: a shared region or one's own, and what of one's own lies over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<R> {
    pub base: R,
    pub over: Option<R>,
}

/// What a viewer may watch on a page, asked of the database.
#[derive(Debug, Clone)]
pub struct Grant<R> {
    pub person: PersonId,
    /// Names the viewer in the cursor's epoch.
    pub viewer: u64,
    /// Whether they are told that changes come late.
    pub is_staff: bool,
    pub places: Vec<Place<R>>,
    /// When the session ends if nothing renews it.
    pub until: Timestamp,
}

/// The answer to "may this session watch this page?".
#[derive(Debug, Clone)]
pub enum Verdict<R> {
    Granted(Grant<R>),
    /// Nobody is signed in with this session.
    SignedOut,
    /// The page is not there for this viewer.
    Refused,
}
