//! What was executed and how many instructions it took, for tests and benchmarks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use candid::Principal;

use crate::machine::Kind;

/// Messages remembered.
const KEPT: usize = 4096;

/// One executed message.
#[derive(Clone, Debug)]
pub struct Executed {
    /// The canister that ran.
    pub canister: Principal,
    /// What kind of message it was.
    pub kind: Kind,
    /// Method whose call the message belongs to, or the name of the hook.
    pub method: String,
    /// Instructions charged.
    pub instructions: u64,
    /// Wall time on this machine.
    pub took: Duration,
    /// Whether it ended without a trap.
    pub succeeded: bool,
}

/// The last executed messages, shared between the threads that execute.
#[derive(Clone, Default)]
pub(crate) struct Executions(Arc<Mutex<VecDeque<Executed>>>);

impl Executions {
    pub(crate) fn push(&self, executed: Executed) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(executed);
    }

    pub(crate) fn all(&self) -> Vec<Executed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
