//! The replicated state: canisters, their messages and calls, and the requests of users.
//!
//! A clone is cheap (memories and modules are shared), so the state that queries and certificates see, the state
//! that is written to disk and the state that messages change are versions of one value.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use candid::Principal;
use ic_management_canister_types::{LogVisibility, SnapshotVisibility, StatusVisibility};
use serde::{Deserialize, Serialize};

use super::random::Random;
pub(crate) use crate::machine::Heap;
use crate::machine::{Closure, CompiledModule, Response, Stable, WASM_PAGE};
use crate::native::Ledger;

/// SHA-256 of the content of a request.
pub type RequestId = [u8; 32];

/// Everything the subnet remembers.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) canisters: BTreeMap<Principal, Arc<Canister>>,
    pub(crate) requests: BTreeMap<RequestId, Arc<Request>>,
    /// Calls to the management canister that wait for their turn.
    pub(crate) management: VecDeque<Call>,
    pub(crate) ledger: Ledger,
    /// Time in nanoseconds that canisters see; never decreases.
    pub(crate) time: u64,
    pub(crate) next_canister: u64,
    pub(crate) random: Random,
}

/// A request of a user, from its submission until nobody may ask for it any more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) sender: Principal,
    pub(crate) effective: Principal,
    /// Until when the request may be submitted again, in nanoseconds of real time.
    pub(crate) expiry: u64,
    /// When it was answered, and until then when it was submitted, in nanoseconds of real time.
    pub(crate) answered: u64,
    pub(crate) status: RequestStatus,
}

/// How far a request is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum RequestStatus {
    Received,
    Processing,
    Answered(Response),
}

/// Who waits for the answer to a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// A user.
    User(RequestId),
    /// A callback of a canister.
    Canister { canister: Principal, callback: u64 },
    /// Nobody: a timer.
    System,
}

/// A call of a canister method or of the management canister.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) origin: Origin,
    pub(crate) caller: Principal,
    pub(crate) method: String,
    #[serde(with = "serde_bytes")]
    pub(crate) argument: Vec<u8>,
    pub(crate) cycles: u128,
    /// Nanoseconds, or 0 for no bound.
    pub(crate) deadline: u64,
}

/// An entry of a canister's queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Message {
    Call(Arc<Call>),
    Response { callback: u64, response: Arc<Response>, refund: u128 },
    Timer,
}

/// One call being handled, over as many messages as it takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CallContext {
    pub(crate) origin: Origin,
    pub(crate) caller: Principal,
    pub(crate) method: String,
    pub(crate) available: u128,
    pub(crate) deadline: u64,
    pub(crate) responded: bool,
    pub(crate) instructions: u64,
    /// Calls whose responses are awaited.
    pub(crate) outstanding: u64,
}

/// What a canister does when the response to one of its calls arrives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Callback {
    pub(crate) context: u64,
    pub(crate) on_reply: Closure,
    pub(crate) on_reject: Closure,
    pub(crate) on_cleanup: Option<Closure>,
    /// Nanoseconds, or 0 where the caller waits without bound.
    pub(crate) deadline: u64,
    /// A response is already in the queue.
    pub(crate) answered: bool,
}

/// Whether a canister takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    Running,
    Stopping,
    Stopped,
}

/// What controllers can set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) controllers: Arc<Vec<Principal>>,
    pub(crate) compute_allocation: u64,
    pub(crate) memory_allocation: u64,
    pub(crate) freezing_threshold: u64,
    pub(crate) reserved_cycles_limit: u128,
    pub(crate) minimum_call_cycles: u128,
    pub(crate) wasm_memory_limit: u64,
    pub(crate) wasm_memory_threshold: u64,
    pub(crate) log_memory_limit: u64,
    pub(crate) log_visibility: LogVisibility,
    pub(crate) snapshot_visibility: SnapshotVisibility,
    pub(crate) status_visibility: StatusVisibility,
    pub(crate) environment: Arc<Vec<(String, String)>>,
}

impl Settings {
    pub(crate) fn new(controllers: Vec<Principal>) -> Self {
        Settings {
            controllers: Arc::new(controllers),
            compute_allocation: 0,
            memory_allocation: 0,
            freezing_threshold: 30 * 24 * 3600,
            reserved_cycles_limit: 5_000_000_000_000,
            minimum_call_cycles: 0,
            wasm_memory_limit: 3 << 30,
            wasm_memory_threshold: 0,
            log_memory_limit: 4096,
            log_visibility: LogVisibility::default(),
            snapshot_visibility: SnapshotVisibility::default(),
            status_visibility: StatusVisibility::default(),
            environment: Arc::default(),
        }
    }
}

/// One line of a canister's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Number of the line since the canister was installed.
    pub index: u64,
    /// When it was printed, in nanoseconds.
    pub time: u64,
    /// What was printed.
    #[serde(with = "serde_bytes")]
    pub text: Vec<u8>,
}

/// A canister.
#[derive(Clone)]
pub(crate) struct Canister {
    pub(crate) settings: Settings,
    pub(crate) phase: Phase,
    pub(crate) cycles: u128,
    pub(crate) module: Option<Arc<CompiledModule>>,
    pub(crate) heap: Heap,
    pub(crate) stable: Stable,
    pub(crate) chunks: BTreeMap<[u8; 32], Arc<Vec<u8>>>,
    pub(crate) calls: Calls,
}

/// The small part of a canister's state, stored as one record.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Calls {
    #[serde(with = "serde_bytes")]
    pub(crate) certified_data: Vec<u8>,
    /// When the global timer fires, in nanoseconds; 0 is never.
    pub(crate) timer: u64,
    pub(crate) version: u64,
    pub(crate) created: u64,
    pub(crate) installed: u64,
    /// Until when storage is paid.
    pub(crate) charged: u64,
    pub(crate) queue: VecDeque<Message>,
    pub(crate) contexts: BTreeMap<u64, CallContext>,
    pub(crate) callbacks: BTreeMap<u64, Callback>,
    pub(crate) next_id: u64,
    pub(crate) stop_waiters: Vec<(Origin, u128)>,
    pub(crate) logs: VecDeque<LogLine>,
    pub(crate) next_log: u64,
}

impl Canister {
    pub(crate) fn new(settings: Settings, cycles: u128, time: u64) -> Self {
        Canister {
            settings,
            phase: Phase::Running,
            cycles,
            module: None,
            heap: Heap::default(),
            stable: Stable::default(),
            chunks: BTreeMap::new(),
            calls: Calls { created: time, charged: time, ..Calls::default() },
        }
    }

    /// Bytes that storage is charged for.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let module = self.module.as_ref().map_or(0, |module| module.bytes.len() as u64);
        let memories = (self.heap.size + self.stable.size) * WASM_PAGE;
        memories + module + self.chunk_bytes() + self.log_bytes()
    }

    pub(crate) fn chunk_bytes(&self) -> u64 {
        self.chunks.values().map(|chunk| chunk.len() as u64).sum()
    }

    pub(crate) fn log_bytes(&self) -> u64 {
        self.calls.logs.iter().map(|line| line.text.len() as u64).sum()
    }

    /// Cycles that a canister loses per day by existing.
    pub(crate) fn idle_per_day(&self) -> u128 {
        super::fees::idle(self.memory_bytes(), self.settings.compute_allocation, 86_400_000_000_000)
    }

    /// Cycles that messages may not spend, so that the canister outlives its freezing threshold.
    pub(crate) fn frozen(&self) -> u128 {
        self.idle_per_day() * u128::from(self.settings.freezing_threshold) / 86_400
    }

    /// Whether the global timer of this canister can fire.
    pub(crate) fn runs_timers(&self) -> bool {
        let hook = |module: &Arc<CompiledModule>| module.exports("canister_global_timer");
        self.phase == Phase::Running && self.module.as_ref().is_some_and(hook)
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        self.calls.next_id += 1;
        self.calls.next_id
    }

    /// Adds a line to the log; the oldest lines go when the limit is reached.
    pub(crate) fn log(&mut self, time: u64, mut text: Vec<u8>) {
        let limit = self.settings.log_memory_limit;
        text.truncate(limit as usize);
        let index = self.calls.next_log;
        self.calls.next_log += 1;
        self.calls.logs.push_back(LogLine { index, time, text });
        while self.log_bytes() > limit {
            self.calls.logs.pop_front();
        }
    }
}
