//! Where a test may hold an instance still, or switch one of its safeguards off to see that something notices. Only in debug
//! builds: in a release nothing of it is left, and no setting brings it back.
//!
//! A point is hit when a file of its name is in the folder `PORTICO_TEST_FAULTS`: it writes `NAME.reached` there and waits
//! until the file is gone. `PORTICO_TEST_DISABLE` lists safeguards: `sweep`, `cursor`, `probe`, `occupancy`.

#[cfg(debug_assertions)]
pub use debug::{is_off, point};

#[cfg(not(debug_assertions))]
pub use release::{is_off, point};

#[cfg(debug_assertions)]
mod debug {
    use std::path::{Path, PathBuf};
    use std::sync::LazyLock;
    use std::time::Duration;

    static FOLDER: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| std::env::var_os("PORTICO_TEST_FAULTS").map(PathBuf::from));
    static OFF: LazyLock<String> =
        LazyLock::new(|| std::env::var("PORTICO_TEST_DISABLE").unwrap_or_default());

    /// Waits here for as long as a test wants it.
    pub async fn point(name: &'static str) {
        if let Some(folder) = &*FOLDER {
            wait(folder, name).await;
        }
    }

    /// Whether a test wants to see what happens without this safeguard.
    pub fn is_off(safeguard: &'static str) -> bool {
        OFF.split(',').any(|off| off == safeguard)
    }

    async fn wait(folder: &Path, name: &str) {
        let armed = folder.join(name);
        if !armed.exists() {
            return;
        }
        // A test that cannot be told is one that waits in vain, and fails by itself.
        let _ = std::fs::write(folder.join(format!("{name}.reached")), "");
        while armed.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[cfg(not(debug_assertions))]
mod release {
    /// Nothing.
    pub fn point(_: &'static str) -> impl Future<Output = ()> {
        std::future::ready(())
    }

    /// Never.
    pub const fn is_off(_: &'static str) -> bool {
        false
    }
}
