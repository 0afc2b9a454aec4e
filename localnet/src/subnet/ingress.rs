//! Messages from users, and the shortcuts that tests take instead of HTTP.

use std::sync::Arc;

use candid::{CandidType, Principal};
use ic_management_canister_types::{
    CanisterIdRecord, CanisterInstallMode, CanisterSettings, InstallCodeArgs,
    ProvisionalCreateCanisterWithCyclesArgs,
};

use super::state::{Call, Origin, Request, RequestId, RequestStatus};
use super::{QueryCall, Subnet, fees, random, wall};
use crate::certificate::Snapshot;
use crate::machine::{RejectCode, Rejection};
use crate::native::is_native;

/// A call by a user, its signature already checked.
pub(crate) struct Ingress {
    pub(crate) id: RequestId,
    pub(crate) sender: Principal,
    pub(crate) effective: Principal,
    pub(crate) canister: Principal,
    pub(crate) method: String,
    pub(crate) argument: Vec<u8>,
    /// Nanoseconds since 1970.
    pub(crate) expiry: u64,
}

impl Subnet {
    /// Queues a call. A request that is already known is not executed again.
    ///
    /// # Errors
    ///
    /// The rejection, when the call cannot even be queued.
    pub(crate) fn submit(&mut self, ingress: Ingress) -> Result<(), Rejection> {
        if self.state.requests.contains_key(&ingress.id) {
            return Ok(());
        }
        let bytes = ingress.method.len() + ingress.argument.len();
        let call = Call {
            origin: Origin::User(ingress.id),
            caller: ingress.sender,
            method: ingress.method,
            argument: ingress.argument,
            cycles: 0,
            deadline: 0,
        };
        let mut status = RequestStatus::Received;
        if ingress.canister == Principal::management_canister() {
            self.state.management.push_back(call);
        } else if is_native(ingress.canister) {
            status = RequestStatus::Answered(self.call_native(ingress.canister, &call).into());
        } else {
            let canister = self.canister(ingress.canister)?;
            let fee = fees::ingress(bytes);
            if canister.cycles < canister.frozen() + fee {
                let text = format!("Canister {} is out of cycles", ingress.canister);
                return Err(Rejection::new(RejectCode::SysTransient, 207, text));
            }
            self.enqueue(ingress.canister, call)?;
            if let Some(canister) = self.canister_mut(ingress.canister) {
                canister.cycles -= fee;
            }
        }
        let request = Request {
            sender: ingress.sender,
            effective: ingress.effective,
            expiry: ingress.expiry,
            answered: wall(),
            status,
        };
        self.state.requests.insert(ingress.id, Arc::new(request));
        Ok(())
    }

    /// Calls an update method (or one of the management canister) and executes messages until it is answered.
    ///
    /// # Errors
    ///
    /// The rejection. A call that waits for something that never happens is rejected as unknown.
    pub fn update(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        argument: &[u8],
    ) -> Result<Vec<u8>, Rejection> {
        let id = self.begin(sender, canister, method, argument)?;
        loop {
            if let Some(outcome) = self.outcome(id) {
                self.state.requests.remove(&id);
                return outcome;
            }
            self.tick();
            if !self.step() {
                let message = "the call waits for something that does not happen".into();
                return Err(Rejection { code: RejectCode::SysUnknown, message, error_code: None });
            }
        }
    }

    /// Queues a call without executing anything; [`Subnet::step`] goes on.
    ///
    /// # Errors
    ///
    /// The rejection, when the call cannot even be queued.
    pub fn begin(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        argument: &[u8],
    ) -> Result<RequestId, Rejection> {
        let id = random::derive(b"localnet direct", &[&self.state.random.next()]);
        let (method, argument, expiry) = (method.to_owned(), argument.to_vec(), self.state.time);
        self.submit(Ingress { id, sender, effective: canister, canister, method, argument, expiry })?;
        Ok(id)
    }

    /// The answer to a call, once there is one.
    pub fn outcome(&self, id: RequestId) -> Option<Result<Vec<u8>, Rejection>> {
        match &self.state.requests.get(&id)?.status {
            RequestStatus::Answered(response) => Some(response.clone().into_result()),
            _ => None,
        }
    }

    /// Calls a query method; nothing of the canister's state changes.
    ///
    /// # Errors
    ///
    /// The rejection.
    pub fn query(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        argument: &[u8],
    ) -> Result<Vec<u8>, Rejection> {
        let snapshot = Snapshot::new(self.state.clone());
        let call = QueryCall { sender, canister, method: method.to_owned(), argument: argument.to_vec() };
        self.queries.query(&snapshot, call)
    }

    /// Creates a canister with 100 T cycles, controlled by `controller`.
    ///
    /// # Errors
    ///
    /// The rejection.
    pub fn create_canister(&mut self, controller: Principal) -> Result<Principal, Rejection> {
        let settings =
            CanisterSettings { controllers: Some(vec![controller]), ..CanisterSettings::default() };
        let args = ProvisionalCreateCanisterWithCyclesArgs { settings: Some(settings), ..Default::default() };
        let reply = self.management(controller, "provisional_create_canister_with_cycles", args)?;
        let record: CanisterIdRecord = candid::decode_one(&reply).map_err(undecodable)?;
        Ok(record.canister_id)
    }

    /// Installs, reinstalls or upgrades code.
    ///
    /// # Errors
    ///
    /// The rejection: of the module, by its init or upgrade hooks, or for want of rights.
    pub fn install(
        &mut self,
        sender: Principal,
        canister_id: Principal,
        mode: CanisterInstallMode,
        wasm_module: &[u8],
        argument: &[u8],
    ) -> Result<(), Rejection> {
        let (wasm_module, arg) = (wasm_module.to_vec(), argument.to_vec());
        let args = InstallCodeArgs { mode, canister_id, wasm_module, arg, sender_canister_version: None };
        self.management(sender, "install_code", args).map(|_| ())
    }

    /// Calls a method of the management canister with one argument.
    ///
    /// # Errors
    ///
    /// The rejection.
    pub fn management(
        &mut self,
        sender: Principal,
        method: &str,
        argument: impl CandidType,
    ) -> Result<Vec<u8>, Rejection> {
        let argument = candid::encode_one(argument).map_err(undecodable)?;
        self.update(sender, Principal::management_canister(), method, &argument)
    }
}

fn undecodable(error: candid::Error) -> Rejection {
    Rejection::new(RejectCode::CanisterError, 408, format!("Candid: {error}"))
}
