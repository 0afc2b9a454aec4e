//! The thread that writes checkpoints: always the latest state, and not more often than makes sense.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Disk;
use crate::certificate::{Keys, Snapshot};

/// Time between two checkpoints; a crash loses at most this and what a checkpoint takes.
const INTERVAL: Duration = Duration::from_millis(100);

/// Hands the latest snapshot to the writing thread.
#[derive(Default)]
pub(crate) struct Saver {
    work: Mutex<Work>,
    wake: Condvar,
}

#[derive(Default)]
struct Work {
    latest: Option<Arc<Snapshot>>,
    stop: bool,
    failure: Option<String>,
}

impl Saver {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for this snapshot to be saved; one that was offered before and not yet taken is skipped.
    pub(crate) fn offer(&self, snapshot: Arc<Snapshot>) {
        self.lock().latest = Some(snapshot);
        self.wake.notify_all();
    }

    /// Lets the thread end after it saved what was offered.
    pub(crate) fn stop(&self) {
        self.lock().stop = true;
        self.wake.notify_all();
    }

    /// Why the last checkpoint failed, if it did.
    pub(crate) fn failure(&self) -> Option<String> {
        self.lock().failure.clone()
    }

    /// Saves until it is told to stop.
    pub(crate) fn run(&self, disk: &mut Disk, keys: &Keys) {
        loop {
            let mut work = self.lock();
            while work.latest.is_none() && !work.stop {
                work = self.wake.wait(work).unwrap_or_else(PoisonError::into_inner);
            }
            let Some(snapshot) = work.latest.take() else { return };
            drop(work);
            let failure = disk.save(keys.seed(), &snapshot.state).err().map(|error| error.to_string());
            let mut work = self.lock();
            if failure.is_some() && work.latest.is_none() && !work.stop {
                // Try this state again.
                work.latest = Some(snapshot);
            }
            work.failure = failure;
            if !work.stop {
                // Whether this waited to the end or was told to stop, what follows looks again.
                drop(self.wake.wait_timeout_while(work, INTERVAL, |work| !work.stop));
            }
        }
    }
}
