//! Executes one message of one canister and applies what it brings about.

use std::sync::Arc;
use std::time::Instant;

use candid::Principal;

use super::state::{Call, CallContext, Canister, Message, Origin, Phase, RequestStatus};
use super::{Executed, Subnet, fees};
use crate::machine::{Effects, Entry, Halt, Inputs, Kind, RejectCode, Rejection, Response};

/// The part of a message that depends on what it is.
pub(crate) struct Task {
    pub(crate) kind: Kind,
    pub(crate) entry: Entry,
    pub(crate) context: u64,
    pub(crate) argument: Vec<u8>,
    pub(crate) rejection: Option<(RejectCode, String)>,
    pub(crate) refunded: u128,
}

impl Subnet {
    /// Executes one waiting message. Returns whether there was one.
    pub fn step(&mut self) -> bool {
        self.state.time = self.state.time.max(self.clock.now());
        if let Some(call) = self.state.management.pop_front() {
            self.manage(call);
            return true;
        }
        let waiting =
            |(id, canister): (&Principal, &Arc<Canister>)| (!canister.calls.queue.is_empty()).then_some(*id);
        let after = (std::ops::Bound::Excluded(self.turn), std::ops::Bound::Unbounded);
        let next = self.state.canisters.range(after).find_map(waiting);
        let Some(id) = next.or_else(|| self.state.canisters.iter().find_map(waiting)) else { return false };
        self.turn = id;
        let message = self.canister_mut(id).and_then(|canister| canister.calls.queue.pop_front());
        match message {
            Some(Message::Call(call)) => self.start_call(id, &call),
            Some(Message::Response { callback, response, refund }) => {
                self.resume_call(id, callback, &response, refund);
            }
            Some(Message::Timer) => self.fire_timer(id),
            None => {}
        }
        self.settle_stopping(id);
        true
    }

    /// Executes messages until none waits, and queues what became due in between.
    pub fn run_until_idle(&mut self) {
        loop {
            self.tick();
            if !self.step() {
                return;
            }
        }
    }

    fn start_call(&mut self, id: Principal, call: &Call) {
        let (kind, entry) = match self.method(id, &call.method) {
            Ok(found) => found,
            Err(rejection) => return self.answer(&call.origin, Response::Reject(rejection), call.cycles),
        };
        if let Origin::User(request) = &call.origin
            && let Some(request) = self.state.requests.get_mut(request)
        {
            Arc::make_mut(request).status = RequestStatus::Processing;
        }
        let context =
            self.open(id, call.origin.clone(), call.caller, &call.method, call.cycles, call.deadline);
        let argument = call.argument.clone();
        let task = Task { kind, entry, context, argument, rejection: None, refunded: 0 };
        let outcome = self.run(id, task);
        self.conclude(id, context, outcome);
    }

    /// The export that handles a call of `method`, and as what it runs.
    fn method(&self, id: Principal, method: &str) -> Result<(Kind, Entry), Rejection> {
        let canister = self.canister(id)?;
        let Some(module) = &canister.module else {
            let text = format!(
                "Error from Canister {id}: Attempted to execute a message, but the canister contains no Wasm module."
            );
            return Err(Rejection::new(RejectCode::CanisterError, 537, text));
        };
        let (limit, spendable) = (fees::execution(Kind::Update.instruction_limit()), canister.cycles);
        if spendable < limit + canister.frozen() {
            let text = format!(
                "Canister {id} is out of cycles: it has {spendable} and needs {limit} above its freezing limit"
            );
            return Err(Rejection::new(RejectCode::SysTransient, 207, text));
        }
        let (update, query) = (format!("canister_update {method}"), format!("canister_query {method}"));
        if module.exports(&update) {
            Ok((Kind::Update, Entry::Export(update)))
        } else if module.exports(&query) {
            Ok((Kind::ReplicatedQuery, Entry::Export(query)))
        } else if module.exports(&format!("canister_composite_query {method}")) {
            let text =
                format!("Error from Canister {id}: Composite query cannot be called in replicated mode");
            Err(Rejection::new(RejectCode::DestinationInvalid, 527, text))
        } else {
            Err(Halt::NoMethod(format!("update method '{method}'")).reject(id))
        }
    }

    /// Opens a call context and returns its number.
    pub(crate) fn open(
        &mut self,
        id: Principal,
        origin: Origin,
        caller: Principal,
        method: &str,
        available: u128,
        deadline: u64,
    ) -> u64 {
        let Some(canister) = self.canister_mut(id) else { return 0 };
        let context = canister.next_id();
        canister.calls.contexts.insert(
            context,
            CallContext {
                responded: matches!(origin, Origin::System),
                origin,
                caller,
                method: method.to_owned(),
                available,
                deadline,
                instructions: 0,
                outstanding: 0,
            },
        );
        context
    }

    fn resume_call(&mut self, id: Principal, callback: u64, response: &Response, refund: u128) {
        let Some(canister) = self.canister_mut(id) else { return };
        canister.cycles += refund;
        let Some(callback) = canister.calls.callbacks.remove(&callback) else { return };
        let context = callback.context;
        if let Some(context) = canister.calls.contexts.get_mut(&context) {
            context.outstanding -= 1;
        }
        let (kind, closure, argument, rejection) = match response {
            Response::Reply(bytes) => (Kind::Reply, callback.on_reply, bytes.clone(), None),
            Response::Reject(rejection) => {
                let reason = Some((rejection.code, rejection.message.clone()));
                (Kind::Reject, callback.on_reject, Vec::new(), reason)
            }
        };
        let entry = Entry::Callback(closure);
        let task = Task { kind, entry, context, argument, rejection: rejection.clone(), refunded: refund };
        let outcome = self.run(id, task);
        if outcome.is_err()
            && let Some(closure) = callback.on_cleanup
        {
            let (kind, entry) = (Kind::Cleanup, Entry::Callback(closure));
            let task = Task { kind, entry, context, argument: Vec::new(), rejection, refunded: refund };
            // A cleanup that fails changes nothing, and the call ends with the failure of its callback.
            let _ = self.run(id, task);
        }
        self.conclude(id, context, outcome);
    }

    fn fire_timer(&mut self, id: Principal) {
        let Some(canister) = self.state.canisters.get(&id) else { return };
        if canister.module.is_none() {
            return;
        }
        if canister.phase != Phase::Running {
            // A timer that was due when its canister was stopped fires when it is started again.
            let now = self.state.time;
            if let Some(canister) = self.canister_mut(id)
                && canister.calls.timer == 0
            {
                canister.calls.timer = now;
            }
            return;
        }
        let (management, hook) = (Principal::management_canister(), "canister_global_timer");
        let context = self.open(id, Origin::System, management, hook, 0, 0);
        let (kind, entry) = (Kind::Timer, Entry::Export(hook.into()));
        let task = Task { kind, entry, context, argument: Vec::new(), rejection: None, refunded: 0 };
        let outcome = self.run(id, task);
        self.conclude(id, context, outcome);
    }

    /// Runs a message and keeps the state it leaves, its log lines and its charge.
    pub(crate) fn run(&mut self, id: Principal, task: Task) -> Result<Effects, Halt> {
        let canister =
            self.state.canisters.get(&id).ok_or_else(|| Halt::Internal("no canister".into()))?.clone();
        let Some(module) = &canister.module else { return Err(Halt::Internal("no module".into())) };
        let inputs = self.inputs(id, &canister, &task);
        let method = canister.calls.contexts.get(&task.context).map_or_else(
            || match &task.entry {
                Entry::Export(name) => name.clone(),
                Entry::Callback(_) => String::new(),
            },
            |context| context.method.clone(),
        );
        let started = Instant::now();
        let instance = self.instances.ready(&self.machine, id, module, &canister.heap)?;
        let ran = instance.run(&task.entry, inputs, &canister.stable);
        // Only one version of the canister may exist while it changes, or every change copies it.
        drop(canister);
        let (instructions, kind, time) = (ran.instructions, task.kind, self.state.time);
        let (took, succeeded) = (started.elapsed(), ran.result.is_ok());
        self.executions.push(Executed { canister: id, kind, method, instructions, took, succeeded });
        let Some(canister) = self.canister_mut(id) else { return Err(Halt::Internal("no canister".into())) };
        for line in ran.logs {
            canister.log(time, line);
        }
        if let Some(context) = canister.calls.contexts.get_mut(&task.context) {
            context.instructions += instructions;
        }
        let charge = fees::execution(instructions);
        match ran.result {
            Ok((mut effects, heap, stable)) => {
                canister.heap = heap;
                canister.stable = stable;
                canister.cycles = effects.balance.saturating_sub(charge);
                if let Some(data) = effects.certified_data.take() {
                    canister.calls.certified_data = data;
                }
                if let Some(timer) = effects.timer {
                    canister.calls.timer = timer;
                }
                canister.calls.version += u64::from(kind.keeps_changes());
                Ok(effects)
            }
            Err(halt) => {
                canister.cycles = canister.cycles.saturating_sub(charge);
                canister.log(time, format!("[TRAP]: {halt}").into_bytes());
                Err(halt)
            }
        }
    }

    fn inputs(&self, id: Principal, canister: &Canister, task: &Task) -> Inputs {
        let context = canister.calls.contexts.get(&task.context);
        let management = Principal::management_canister();
        Inputs {
            kind: task.kind,
            canister: id,
            caller: context.map_or(management, |context| context.caller),
            argument: task.argument.clone(),
            rejection: task.rejection.clone(),
            method: context.map(|context| context.method.clone()).unwrap_or_default(),
            time: self.state.time,
            balance: canister.cycles,
            frozen: canister.frozen(),
            available: context.map_or(0, |context| context.available),
            refunded: task.refunded,
            may_reply: context.is_some_and(|context| !context.responded),
            controllers: canister.settings.controllers.clone(),
            environment: canister.settings.environment.clone(),
            status: canister.phase as u32 + 1,
            version: canister.calls.version,
            context_instructions: context.map_or(0, |context| context.instructions),
            certificate: None,
            deadline: context.map_or(0, |context| context.deadline),
            subnet: self.keys.subnet_id(),
            root_key: self.keys.root_key_der(),
            heap_limit: match canister.settings.wasm_memory_limit {
                0 => crate::machine::MAX_HEAP_BYTES,
                limit if task.kind == Kind::Update => limit,
                _ => crate::machine::MAX_HEAP_BYTES,
            },
            timer: canister.calls.timer,
            call_slots: self.call_slots(id),
        }
    }

    /// Sends the calls of a message, answers its caller if it replied or cannot reply any more, and closes the
    /// context when nothing is outstanding.
    fn conclude(&mut self, id: Principal, context: u64, outcome: Result<Effects, Halt>) {
        let mut failure = None;
        match outcome {
            Ok(effects) => {
                for call in effects.calls {
                    self.send(id, context, call);
                }
                let Some(open) = self.context_mut(id, context) else { return };
                open.available -= effects.cycles_accepted;
                if let Some(response) = effects.response {
                    self.respond(id, context, response);
                }
            }
            Err(halt) => failure = Some(halt.reject(id)),
        }
        let Some(open) = self.context_mut(id, context) else { return };
        if open.outstanding > 0 {
            return;
        }
        if !open.responded {
            let silent = || {
                let text = format!("Error from Canister {id}: Canister did not reply to the call");
                Rejection::new(RejectCode::CanisterError, 506, text)
            };
            self.respond(id, context, Response::Reject(failure.unwrap_or_else(silent)));
        }
        if let Some(canister) = self.canister_mut(id) {
            canister.calls.contexts.remove(&context);
        }
    }

    fn context_mut(&mut self, id: Principal, context: u64) -> Option<&mut CallContext> {
        self.canister_mut(id)?.calls.contexts.get_mut(&context)
    }

    fn respond(&mut self, id: Principal, context: u64, response: Response) {
        let Some(open) = self.context_mut(id, context) else { return };
        open.responded = true;
        let (origin, refund) = (open.origin.clone(), std::mem::take(&mut open.available));
        self.answer(&origin, response, refund);
    }
}
