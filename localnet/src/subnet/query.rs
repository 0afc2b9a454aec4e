//! Queries and message inspection: they run on a snapshot of the state and leave no trace.

use std::sync::Arc;
use std::time::Instant;

use candid::Principal;

use super::state::{Canister, Phase};
use super::{Executed, Executions, Instances, no_canister};
use crate::certificate::{Keys, Snapshot};
use crate::machine::{Effects, Entry, Halt, Inputs, Kind, Machine, RejectCode, Rejection};
use crate::native::{self, is_native};

/// A query, or a call to be inspected; the sender's signature is already checked.
pub(crate) struct QueryCall {
    pub(crate) sender: Principal,
    pub(crate) canister: Principal,
    pub(crate) method: String,
    pub(crate) argument: Vec<u8>,
}

/// Executes queries, with live instances of its own.
pub(crate) struct Queries {
    machine: Arc<Machine>,
    keys: Arc<Keys>,
    executions: Executions,
    instances: Instances,
}

impl Queries {
    pub(crate) fn new(machine: Arc<Machine>, keys: Arc<Keys>, executions: Executions) -> Self {
        Queries { machine, keys, executions, instances: Instances::default() }
    }

    /// Answers a query with the state of the snapshot.
    ///
    /// # Errors
    ///
    /// The rejection, by the system or by the canister.
    pub(crate) fn query(&mut self, snapshot: &Snapshot, call: QueryCall) -> Result<Vec<u8>, Rejection> {
        if call.canister == Principal::management_canister() {
            return crate::management::query(&snapshot.state, call.sender, &call.method, &call.argument);
        }
        if is_native(call.canister) {
            return native::query(&snapshot.state, &self.keys, call.canister, &call.method, &call.argument);
        }
        let canister = running(snapshot, call.canister)?;
        let plain = format!("canister_query {}", call.method);
        let composite = format!("canister_composite_query {}", call.method);
        let exports = |name: &str| canister.module.as_ref().is_some_and(|module| module.exports(name));
        let (kind, export) = if exports(&plain) {
            (Kind::Query, plain)
        } else if exports(&composite) {
            (Kind::CompositeQuery, composite)
        } else {
            return Err(Halt::NoMethod(format!("query method '{}'", call.method)).reject(call.canister));
        };
        let certificate = snapshot.certified(&self.keys).data_certificate(call.canister);
        let id = call.canister;
        let effects = self.run(snapshot, canister, kind, export, call, Some(certificate))?;
        match effects.response {
            Some(response) => response.into_result(),
            None => {
                let text = format!("Error from Canister {id}: Canister did not reply to the call");
                Err(Rejection::new(RejectCode::CanisterError, 506, text))
            }
        }
    }

    /// Asks the canister whether it takes a call; without the hook it takes all.
    ///
    /// # Errors
    ///
    /// The rejection that the user gets.
    pub(crate) fn inspect(&mut self, snapshot: &Snapshot, call: QueryCall) -> Result<(), Rejection> {
        let hook = "canister_inspect_message";
        let id = call.canister;
        if is_native(id) {
            return Ok(());
        }
        let canister = running(snapshot, id)?;
        if !canister.module.as_ref().is_some_and(|module| module.exports(hook)) {
            return Ok(());
        }
        let effects = self.run(snapshot, canister, Kind::Inspect, hook.into(), call, None)?;
        if effects.accepted {
            return Ok(());
        }
        let text = format!("Error from Canister {id}: Canister rejected the message");
        Err(Rejection::new(RejectCode::CanisterReject, 406, text))
    }

    fn run(
        &mut self,
        snapshot: &Snapshot,
        canister: &Canister,
        kind: Kind,
        export: String,
        call: QueryCall,
        certificate: Option<Vec<u8>>,
    ) -> Result<Effects, Rejection> {
        let id = call.canister;
        let Some(module) = &canister.module else { return Err(no_canister(id)) };
        let method = call.method.clone();
        let inputs = Inputs {
            kind,
            canister: id,
            caller: call.sender,
            argument: call.argument,
            rejection: None,
            method: call.method,
            time: snapshot.state.time,
            balance: canister.cycles,
            frozen: canister.frozen(),
            available: 0,
            refunded: 0,
            may_reply: kind != Kind::Inspect,
            controllers: canister.settings.controllers.clone(),
            environment: canister.settings.environment.clone(),
            status: canister.phase as u32 + 1,
            version: canister.calls.version,
            context_instructions: 0,
            certificate,
            deadline: 0,
            subnet: self.keys.subnet_id(),
            root_key: self.keys.root_key_der(),
            heap_limit: crate::machine::MAX_HEAP_BYTES,
            timer: canister.calls.timer,
            call_slots: 0,
        };
        let started = Instant::now();
        let instance = self.instances.ready(&self.machine, id, module, &canister.heap);
        let instance = instance.map_err(|halt| halt.reject(id))?;
        let ran = instance.run(&Entry::Export(export), inputs, &canister.stable);
        self.executions.push(Executed {
            canister: id,
            kind,
            method,
            instructions: ran.instructions,
            took: started.elapsed(),
            succeeded: ran.result.is_ok(),
        });
        ran.result.map(|(effects, _, _)| effects).map_err(|halt| halt.reject(id))
    }
}

fn running(snapshot: &Snapshot, id: Principal) -> Result<&Canister, Rejection> {
    let canister = snapshot.state.canisters.get(&id).ok_or_else(|| no_canister(id))?;
    let reject = |number, text: &str| {
        Err(Rejection::new(RejectCode::CanisterError, number, format!("Canister {id} {text}")))
    };
    match canister.phase {
        Phase::Running if canister.module.is_none() => reject(537, "contains no Wasm module"),
        Phase::Running => Ok(canister),
        Phase::Stopping => reject(509, "is stopping"),
        Phase::Stopped => reject(508, "is stopped"),
    }
}
