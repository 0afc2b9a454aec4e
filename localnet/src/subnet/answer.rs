//! Where answers go: to users' requests and to canisters' callbacks; and how calls reach their callee.

use std::sync::Arc;

use candid::Principal;

use super::state::{Call, Callback, Message, Origin, Phase, RequestStatus};
use super::{Subnet, fees, no_canister, wall};
use crate::machine::{OutgoingCall, RejectCode, Rejection, Response};
use crate::native::is_native;

/// Calls that may wait in a canister's queue.
const QUEUE: usize = 500;

impl Subnet {
    /// Delivers the answer to whoever waits for it, together with the cycles that were not accepted.
    pub(crate) fn answer(&mut self, origin: &Origin, response: Response, refund: u128) {
        match origin {
            Origin::User(id) => {
                if let Some(request) = self.state.requests.get_mut(id) {
                    let request = Arc::make_mut(request);
                    request.status = RequestStatus::Answered(response);
                    request.answered = wall();
                }
            }
            Origin::Canister { canister, callback } => {
                self.answer_canister(*canister, *callback, response, refund);
            }
            Origin::System => {}
        }
    }

    /// Queues a response for a callback, unless it already has one (a best-effort call that timed out).
    pub(crate) fn answer_canister(&mut self, id: Principal, callback: u64, response: Response, refund: u128) {
        let Some(canister) = self.canister_mut(id) else { return };
        let Some(waiting) = canister.calls.callbacks.get_mut(&callback) else { return };
        if std::mem::replace(&mut waiting.answered, true) {
            return;
        }
        let bytes = match &response {
            Response::Reply(bytes) => bytes.len(),
            Response::Reject(rejection) => rejection.message.len(),
        };
        canister.cycles = canister.cycles.saturating_sub(fees::bytes_in_call(bytes));
        canister.calls.queue.push_back(Message::Response { callback, response: Arc::new(response), refund });
    }

    /// Registers the callback of a call that `from` makes in `context`, and delivers the call.
    pub(crate) fn send(&mut self, from: Principal, context: u64, call: OutgoingCall) {
        let time = self.state.time;
        let deadline = call.timeout.map_or(0, |seconds| time + u64::from(seconds) * 1_000_000_000);
        let Some(canister) = self.canister_mut(from) else { return };
        let callback = canister.next_id();
        canister.calls.callbacks.insert(
            callback,
            Callback {
                context,
                on_reply: call.on_reply,
                on_reject: call.on_reject,
                on_cleanup: call.on_cleanup,
                deadline,
                answered: false,
            },
        );
        if let Some(context) = canister.calls.contexts.get_mut(&context) {
            context.outstanding += 1;
        }
        let (callee, cycles) = (call.callee, call.cycles);
        let call = Call {
            origin: Origin::Canister { canister: from, callback },
            caller: from,
            method: call.method,
            argument: call.argument,
            cycles,
            deadline,
        };
        if callee == Principal::management_canister() {
            self.state.management.push_back(call);
        } else if is_native(callee) {
            let (response, refund) = (self.call_native(callee, &call).into(), call.cycles);
            self.answer_canister(from, callback, response, refund);
        } else if let Err(rejection) = self.enqueue(callee, call) {
            self.answer_canister(from, callback, Response::Reject(rejection), cycles);
        }
    }

    /// Puts a call into the queue of its canister.
    pub(crate) fn enqueue(&mut self, callee: Principal, call: Call) -> Result<(), Rejection> {
        let Some(canister) = self.canister_mut(callee) else { return Err(no_canister(callee)) };
        match canister.phase {
            Phase::Running => {}
            Phase::Stopping => return Err(not_running(callee, 509, "stopping")),
            Phase::Stopped => return Err(not_running(callee, 508, "stopped")),
        }
        if canister.calls.queue.len() >= QUEUE {
            let text = format!("Canister {callee}: the input queue is full");
            return Err(Rejection::new(RejectCode::SysTransient, 201, text));
        }
        canister.calls.queue.push_back(Message::Call(Arc::new(call)));
        Ok(())
    }

    /// Lets a stopping canister stop when nothing is outstanding any more.
    pub(crate) fn settle_stopping(&mut self, id: Principal) {
        let Some(canister) = self.state.canisters.get(&id) else { return };
        let calls = &canister.calls;
        let busy = !calls.contexts.is_empty() || !calls.callbacks.is_empty() || !calls.queue.is_empty();
        if canister.phase != Phase::Stopping || busy {
            return;
        }
        let Some(canister) = self.canister_mut(id) else { return };
        canister.phase = Phase::Stopped;
        canister.calls.version += 1;
        let waiters = std::mem::take(&mut canister.calls.stop_waiters);
        for (origin, refund) in waiters {
            self.answer(&origin, Response::Reply(crate::management::empty_reply()), refund);
        }
    }

    /// Removes code and memory; every open call is rejected.
    pub(crate) fn uninstall(&mut self, id: Principal, why: &str) {
        self.drop_instance(id);
        let time = self.state.time;
        let Some(canister) = self.canister_mut(id) else { return };
        canister.module = None;
        canister.heap = Default::default();
        canister.stable = Default::default();
        canister.chunks.clear();
        canister.calls.certified_data.clear();
        canister.calls.timer = 0;
        canister.calls.version += 1;
        canister.calls.logs.clear();
        canister.calls.installed = time;
        let contexts = std::mem::take(&mut canister.calls.contexts);
        canister.calls.callbacks.clear();
        let queue = std::mem::take(&mut canister.calls.queue);
        let text = format!("Canister {id} has been uninstalled: {why}");
        let rejection = Response::Reject(Rejection::new(RejectCode::CanisterReject, 537, text));
        for context in contexts.into_values().filter(|context| !context.responded) {
            self.answer(&context.origin, rejection.clone(), context.available);
        }
        for message in queue {
            if let Message::Call(call) = message {
                self.answer(&call.origin, rejection.clone(), call.cycles);
            }
        }
        self.settle_stopping(id);
    }

    /// Free places for calls that a message of this canister makes.
    pub(crate) fn call_slots(&self, id: Principal) -> usize {
        let used = self.state.canisters.get(&id).map_or(0, |canister| canister.calls.callbacks.len());
        QUEUE.saturating_sub(used)
    }
}

fn not_running(id: Principal, number: u32, state: &str) -> Rejection {
    Rejection::new(RejectCode::CanisterError, number, format!("Canister {id} is {state}"))
}
