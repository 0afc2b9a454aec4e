//! Installing code: install, reinstall and upgrade, each of which happens completely or not at all.

use std::sync::Arc;

use candid::{CandidType, Principal};
use ic_management_canister_types::{CanisterInstallMode, UpgradeFlags, WasmMemoryPersistence};
use serde::Deserialize;

use super::{Done, Outcome, bad_argument, decode, empty_reply};
use crate::machine::{CompiledModule, Entry, Halt, Instance, Kind, RejectCode, Rejection};
use crate::subnet::state::{Call, Canister, Origin};
use crate::subnet::{Subnet, Task};

/// As in the management canister's interface, but with byte strings that decode fast.
#[derive(CandidType, Deserialize)]
struct InstallCode {
    mode: CanisterInstallMode,
    canister_id: Principal,
    #[serde(with = "serde_bytes")]
    wasm_module: Vec<u8>,
    #[serde(with = "serde_bytes")]
    arg: Vec<u8>,
}

impl Subnet {
    pub(super) fn install_code(&mut self, call: &Call) -> Outcome {
        let args: InstallCode = decode(&call.argument)?;
        self.deploy(call, args.canister_id, args.mode, args.wasm_module, args.arg)
    }

    /// Installs a module and runs the hooks; if one fails, the canister is as before (but for its log).
    pub(super) fn deploy(
        &mut self,
        call: &Call,
        id: Principal,
        mode: CanisterInstallMode,
        wasm: Vec<u8>,
        argument: Vec<u8>,
    ) -> Outcome {
        let before = Arc::new(self.controlled(call.caller, id)?.clone());
        match (mode, &before.module) {
            (CanisterInstallMode::Install, Some(_)) => {
                let text = format!("Canister {id} has code already: use mode reinstall or upgrade");
                return Err(Rejection::new(RejectCode::CanisterError, 514, text));
            }
            (CanisterInstallMode::Upgrade(_), None) => {
                let text = format!("Canister {id} contains no Wasm module");
                return Err(Rejection::new(RejectCode::CanisterError, 537, text));
            }
            (CanisterInstallMode::Upgrade(Some(flags)), _)
                if flags.wasm_memory_persistence == Some(WasmMemoryPersistence::Keep) =>
            {
                return Err(bad_argument("this node does not support wasm_memory_persistence = keep"));
            }
            _ => {}
        }
        let module = self.machine.compile(Arc::new(wasm)).map_err(|error| {
            let text = format!("Error from Canister {id}: Canister's Wasm module is not valid: {error}");
            Rejection::new(RejectCode::CanisterError, 505, text)
        })?;
        if let Err(halt) = self.replace(call.caller, id, mode, module, argument) {
            self.roll_back(id, before);
            return Err(halt.reject(id));
        }
        Ok(Done::Reply(empty_reply(), call.cycles))
    }

    fn replace(
        &mut self,
        caller: Principal,
        id: Principal,
        mode: CanisterInstallMode,
        module: Arc<CompiledModule>,
        argument: Vec<u8>,
    ) -> Result<(), Halt> {
        let upgrade = matches!(mode, CanisterInstallMode::Upgrade(_));
        let skip = matches!(
            mode,
            CanisterInstallMode::Upgrade(Some(UpgradeFlags { skip_pre_upgrade: Some(true), .. }))
        );
        if upgrade && !skip {
            self.hook(caller, id, Kind::PreUpgrade, "canister_pre_upgrade", Vec::new())?;
        }
        let fresh = Instance::new(&self.machine, &module)?;
        let start = module.starts();
        let time = self.state.time;
        if let Some(canister) = self.canister_mut(id) {
            canister.module = Some(module);
            canister.heap = fresh.heap().clone();
            canister.calls.timer = 0;
            canister.calls.installed = time;
            canister.calls.version += 1;
            if !upgrade {
                canister.stable = Default::default();
                canister.calls.certified_data.clear();
                canister.calls.logs.clear();
            }
        }
        if let Some(start) = start {
            self.hook(caller, id, Kind::Start, start, Vec::new())?;
        }
        match upgrade {
            true => self.hook(caller, id, Kind::PostUpgrade, "canister_post_upgrade", argument),
            false => self.hook(caller, id, Kind::Init, "canister_init", argument),
        }
    }

    /// Runs a hook if the module has it.
    fn hook(
        &mut self,
        caller: Principal,
        id: Principal,
        kind: Kind,
        name: &str,
        argument: Vec<u8>,
    ) -> Result<(), Halt> {
        let module = self.state.canisters.get(&id).and_then(|canister| canister.module.as_ref());
        if !module.is_some_and(|module| module.exports(name) || kind == Kind::Start) {
            return Ok(());
        }
        let context = self.open(id, Origin::System, caller, name, 0, 0);
        let entry = Entry::Export(name.into());
        let outcome = self.run(id, Task { kind, entry, context, argument, rejection: None, refunded: 0 });
        if let Some(canister) = self.canister_mut(id) {
            canister.calls.contexts.remove(&context);
        }
        outcome.map(|_| ())
    }

    /// Puts the canister back, keeping what the failed hook printed and was charged.
    fn roll_back(&mut self, id: Principal, before: Arc<Canister>) {
        self.drop_instance(id);
        let Some(canister) = self.canister_mut(id) else { return };
        let failed = std::mem::replace(canister, (*before).clone());
        canister.cycles = failed.cycles;
        canister.calls.next_id = failed.calls.next_id;
        canister.calls.next_log = failed.calls.next_log;
        canister.calls.logs = failed.calls.logs;
    }
}
