//! What a message execution sees and what it brings about.

use std::collections::BTreeSet;
use std::sync::Arc;

use candid::Principal;
use wasmtime::{Memory, ResourceLimiter};

use super::context::Kind;
use super::halt::{Halt, RejectCode, Rejection};
use super::pages::{PAGE, PageMap};

/// WebAssembly page in bytes.
pub(crate) const WASM_PAGE: u64 = 65_536;
/// Largest heap of a 32-bit canister.
pub(crate) const MAX_HEAP_BYTES: u64 = 4 << 30;
/// Largest stable memory.
pub(crate) const MAX_STABLE_BYTES: u64 = 500 << 30;

/// Stable memory: pages and size in WebAssembly pages.
#[derive(Clone, Default)]
pub(crate) struct Stable {
    pub(crate) pages: PageMap,
    pub(crate) size: u64,
}

/// A reply or a rejection.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Response {
    /// Reply bytes, usually Candid.
    Reply(#[serde(with = "serde_bytes")] Vec<u8>),
    /// The message was rejected.
    Reject(Rejection),
}

impl Response {
    /// The reply bytes, or the rejection.
    pub fn into_result(self) -> Result<Vec<u8>, Rejection> {
        match self {
            Response::Reply(bytes) => Ok(bytes),
            Response::Reject(rejection) => Err(rejection),
        }
    }
}

impl From<Result<Vec<u8>, Rejection>> for Response {
    fn from(result: Result<Vec<u8>, Rejection>) -> Self {
        match result {
            Ok(bytes) => Response::Reply(bytes),
            Err(rejection) => Response::Reject(rejection),
        }
    }
}

/// A WebAssembly callback: index into the function table and its argument.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Closure {
    pub(crate) function: u32,
    pub(crate) argument: u32,
}

/// A call that a message makes.
#[derive(Clone, Debug)]
pub(crate) struct OutgoingCall {
    pub(crate) callee: Principal,
    pub(crate) method: String,
    pub(crate) argument: Vec<u8>,
    pub(crate) cycles: u128,
    /// Seconds to wait at most, if the call is a best-effort one.
    pub(crate) timeout: Option<u32>,
    pub(crate) on_reply: Closure,
    pub(crate) on_reject: Closure,
    pub(crate) on_cleanup: Option<Closure>,
}

/// Everything a message execution can read.
#[derive(Clone)]
pub(crate) struct Inputs {
    pub(crate) kind: Kind,
    pub(crate) canister: Principal,
    pub(crate) caller: Principal,
    /// Argument of the method, or payload of the reply.
    pub(crate) argument: Vec<u8>,
    /// Rejection that a reject callback reports.
    pub(crate) rejection: Option<(RejectCode, String)>,
    pub(crate) method: String,
    /// Nanoseconds since 1970.
    pub(crate) time: u64,
    pub(crate) balance: u128,
    /// Part of the balance that a message may not spend.
    pub(crate) frozen: u128,
    pub(crate) available: u128,
    pub(crate) refunded: u128,
    pub(crate) may_reply: bool,
    pub(crate) controllers: Arc<Vec<Principal>>,
    pub(crate) environment: Arc<Vec<(String, String)>>,
    /// 1 running, 2 stopping, 3 stopped.
    pub(crate) status: u32,
    pub(crate) version: u64,
    /// Instructions that the call context used in earlier messages.
    pub(crate) context_instructions: u64,
    pub(crate) certificate: Option<Vec<u8>>,
    /// Nanoseconds since 1970, or 0 where the caller waits without bound.
    pub(crate) deadline: u64,
    pub(crate) subnet: Principal,
    pub(crate) root_key: Arc<Vec<u8>>,
    pub(crate) heap_limit: u64,
    pub(crate) timer: u64,
    /// Free places in the canister's queue of outgoing calls.
    pub(crate) call_slots: usize,
}

impl Inputs {
    /// The inputs of an instance in which no message runs.
    pub(super) fn none() -> Self {
        Inputs {
            kind: Kind::Start,
            canister: Principal::management_canister(),
            caller: Principal::management_canister(),
            argument: Vec::new(),
            rejection: None,
            method: String::new(),
            time: 0,
            balance: 0,
            frozen: 0,
            available: 0,
            refunded: 0,
            may_reply: false,
            controllers: Arc::default(),
            environment: Arc::default(),
            status: 1,
            version: 0,
            context_instructions: 0,
            certificate: None,
            deadline: 0,
            subnet: Principal::management_canister(),
            root_key: Arc::default(),
            heap_limit: MAX_HEAP_BYTES,
            timer: 0,
            call_slots: 0,
        }
    }
}

/// What a successful message brings about.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) response: Option<Response>,
    pub(crate) calls: Vec<OutgoingCall>,
    pub(crate) certified_data: Option<Vec<u8>>,
    pub(crate) timer: Option<u64>,
    pub(crate) cycles_accepted: u128,
    pub(crate) accepted: bool,
    /// Balance after the message, before the charge for its instructions.
    pub(crate) balance: u128,
}

/// Store data of an instance: the message that runs in it.
pub(crate) struct Env {
    pub(crate) inputs: Inputs,
    pub(crate) effects: Effects,
    pub(crate) stable: Stable,
    pub(crate) memory: Option<Memory>,
    /// Output of `debug_print` and the text of a trap; kept when the message fails.
    pub(crate) logs: Vec<Vec<u8>>,
    pub(super) limit: u64,
    pub(super) reply: Vec<u8>,
    pub(super) pending: Option<OutgoingCall>,
    pub(super) stable_touched: BTreeSet<u64>,
    pub(super) stable_moved: u64,
}

impl Env {
    /// The environment of an instance in which no message runs yet.
    pub(super) fn idle(inputs: Inputs) -> Self {
        Env {
            limit: inputs.kind.instruction_limit(),
            inputs,
            effects: Effects::default(),
            stable: Stable::default(),
            memory: None,
            logs: Vec::new(),
            reply: Vec::new(),
            pending: None,
            stable_touched: BTreeSet::new(),
            stable_moved: 0,
        }
    }

    /// Prepares the next message, keeping only the handle to the memory.
    pub(super) fn begin(&mut self, inputs: Inputs, stable: Stable) {
        let memory = self.memory;
        *self = Env { stable, memory, ..Env::idle(inputs) };
        self.effects.balance = self.inputs.balance;
    }

    /// Balance that the message may still spend.
    pub(super) fn liquid(&self) -> u128 {
        self.effects.balance.saturating_sub(self.inputs.frozen)
    }

    /// Counts stable memory pages that this message writes for the first time.
    pub(super) fn touch_stable(&mut self, offset: u64, size: u64) -> u64 {
        if size == 0 {
            return 0;
        }
        let pages = offset / PAGE as u64..=(offset + size - 1) / PAGE as u64;
        pages.filter(|page| self.stable_touched.insert(*page)).count() as u64
    }

    /// Counts bytes moved from or to stable memory against the limit of the message.
    pub(super) fn move_stable(&mut self, size: u64) -> Result<(), Halt> {
        self.stable_moved = self.stable_moved.saturating_add(size);
        let limit = self.inputs.kind.stable_access_limit();
        if self.stable_moved > limit {
            let text = format!("stable memory access exceeds the limit of {limit} bytes in one message");
            return Err(Halt::Violation(text));
        }
        Ok(())
    }
}

impl ResourceLimiter for Env {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired as u64 <= self.inputs.heap_limit.min(MAX_HEAP_BYTES))
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= 1_000_000)
    }
}
