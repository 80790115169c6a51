//! From a commit to the hubs. Only names travel, no data and no rights: a message lost, doubled, late or forged can
//! cause, or miss, a re-read, and nothing else.

use super::hub::Hub;
use super::region::Region;
use crate::domain::topic::Topic;
use tokio::sync::mpsc;

/// Carries what moved on this instance to its hub, until no one can write any more. The version is not looked at: what
/// was heard is never taken for what is.
pub async fn carry<R: Region>(mut moved: mpsc::Receiver<(Topic, i64)>, hub: Hub<R>) {
    while let Some((topic, _version)) = moved.recv().await {
        hub.mark(topic);
    }
}
