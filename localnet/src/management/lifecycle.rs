//! Creating, funding, starting, stopping and deleting canisters.

use std::sync::Arc;

use candid::Principal;
use ic_management_canister_types::{
    CanisterIdRecord, CanisterSettings, CreateCanisterArgs, ProvisionalCreateCanisterWithCyclesArgs,
    ProvisionalTopUpCanisterArgs, UninstallCodeArgs,
};

use super::settings::{amount, apply};
use super::{DEFAULT_CYCLES, Done, Outcome, bad_argument, decode, empty_reply, reply};
use crate::machine::{RejectCode, Rejection, Response};
use crate::native::is_native;
use crate::subnet::Subnet;
use crate::subnet::fees;
use crate::subnet::state::{Call, Canister, Origin, Phase, Settings};

impl Subnet {
    pub(super) fn create_canister_call(&mut self, call: &Call) -> Outcome {
        let args: CreateCanisterArgs = decode(&call.argument)?;
        let cycles = match call.origin {
            Origin::User(_) => DEFAULT_CYCLES,
            _ => call.cycles.checked_sub(fees::CREATE_CANISTER).ok_or_else(|| {
                let text =
                    format!("create_canister needs {} cycles, got {}", fees::CREATE_CANISTER, call.cycles);
                Rejection::by_canister(text)
            })?,
        };
        let canister_id = self.create(call.caller, args.settings, None, cycles)?;
        reply((CanisterIdRecord { canister_id },), 0)
    }

    pub(super) fn provisional_create(&mut self, call: &Call) -> Outcome {
        let args: ProvisionalCreateCanisterWithCyclesArgs = decode(&call.argument)?;
        let cycles = match &args.amount {
            Some(cycles) => amount(cycles).ok_or_else(|| bad_argument("the amount is too large"))?,
            None => DEFAULT_CYCLES,
        };
        let canister_id = self.create(call.caller, args.settings, args.specified_id, cycles)?;
        reply((CanisterIdRecord { canister_id },), call.cycles)
    }

    /// Creates a canister with these cycles.
    ///
    /// # Errors
    ///
    /// The rejection, when the settings are wrong or the id is taken.
    pub(crate) fn create(
        &mut self,
        caller: Principal,
        settings: Option<CanisterSettings>,
        id: Option<Principal>,
        cycles: u128,
    ) -> Result<Principal, Rejection> {
        let settings = apply(&Settings::new(vec![caller]), settings.unwrap_or_default())?;
        let id = match id {
            Some(id) if self.state.canisters.contains_key(&id) || is_native(id) => {
                return Err(Rejection::new(
                    RejectCode::DestinationInvalid,
                    205,
                    format!("Canister {id} already exists"),
                ));
            }
            Some(id) if id.as_slice().len() == 10 && id.as_slice().ends_with(&[1, 1]) => id,
            Some(id) => return Err(bad_argument(format!("{id} is not the id of a canister"))),
            None => self.next_canister_id(),
        };
        let time = self.state.time;
        self.state.canisters.insert(id, Arc::new(Canister::new(settings, cycles, time)));
        Ok(id)
    }

    fn next_canister_id(&mut self) -> Principal {
        loop {
            let number = self.state.next_canister;
            self.state.next_canister += 1;
            let id = Principal::from_slice(&[&number.to_be_bytes()[..], &[1, 1]].concat());
            if !self.state.canisters.contains_key(&id) {
                return id;
            }
        }
    }

    pub(super) fn provisional_top_up(&mut self, call: &Call) -> Outcome {
        let args: ProvisionalTopUpCanisterArgs = decode(&call.argument)?;
        let cycles = amount(&args.amount).ok_or_else(|| bad_argument("the amount is too large"))?;
        self.deposit(args.canister_id, cycles)?;
        Ok(Done::Reply(empty_reply(), call.cycles))
    }

    pub(super) fn deposit_cycles(&mut self, call: &Call) -> Outcome {
        let args: CanisterIdRecord = decode(&call.argument)?;
        self.deposit(args.canister_id, call.cycles)?;
        Ok(Done::Reply(empty_reply(), 0))
    }

    fn deposit(&mut self, id: Principal, cycles: u128) -> Result<(), Rejection> {
        self.canister(id)?;
        if let Some(canister) = self.canister_mut(id) {
            canister.cycles = canister.cycles.saturating_add(cycles);
        }
        Ok(())
    }

    pub(super) fn start_canister(&mut self, call: &Call) -> Outcome {
        let id = decode::<CanisterIdRecord>(&call.argument)?.canister_id;
        self.controlled(call.caller, id)?;
        let waiters = self.canister_mut(id).map(|canister| {
            canister.phase = Phase::Running;
            canister.calls.version += 1;
            std::mem::take(&mut canister.calls.stop_waiters)
        });
        for (origin, refund) in waiters.unwrap_or_default() {
            let text = format!("Canister {id} was started again before it stopped");
            let rejection = Rejection::new(RejectCode::CanisterError, 511, text);
            self.answer(&origin, Response::Reject(rejection), refund);
        }
        Ok(Done::Reply(empty_reply(), call.cycles))
    }

    pub(super) fn stop_canister(&mut self, call: &Call) -> Outcome {
        let id = decode::<CanisterIdRecord>(&call.argument)?.canister_id;
        self.controlled(call.caller, id)?;
        let Some(canister) = self.canister_mut(id) else { return Ok(Done::Later) };
        if canister.phase == Phase::Stopped {
            return Ok(Done::Reply(empty_reply(), call.cycles));
        }
        canister.phase = Phase::Stopping;
        canister.calls.stop_waiters.push((call.origin.clone(), call.cycles));
        self.settle_stopping(id);
        Ok(Done::Later)
    }

    pub(super) fn delete_canister(&mut self, call: &Call) -> Outcome {
        let id = decode::<CanisterIdRecord>(&call.argument)?.canister_id;
        let canister = self.controlled(call.caller, id)?;
        if canister.phase != Phase::Stopped {
            let text = format!("Canister {id} must be stopped before it is deleted");
            return Err(Rejection::new(RejectCode::CanisterError, 510, text));
        }
        self.drop_instance(id);
        self.state.canisters.remove(&id);
        Ok(Done::Reply(empty_reply(), call.cycles))
    }

    pub(super) fn uninstall_code(&mut self, call: &Call) -> Outcome {
        let args: UninstallCodeArgs = decode(&call.argument)?;
        self.controlled(call.caller, args.canister_id)?;
        self.uninstall(args.canister_id, "uninstall_code was called");
        Ok(Done::Reply(empty_reply(), call.cycles))
    }
}
