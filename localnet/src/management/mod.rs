//! The management canister `aaaaa-aa`: creates, installs, stops and describes canisters.
//!
//! Unlike on the Internet Computer, users may call `create_canister` and get 100 T cycles with it, and the
//! `provisional_` methods are always there: this is a node for development.

mod chunks;
mod code;
mod lifecycle;
mod settings;
mod status;

use candid::utils::ArgumentEncoder;
use candid::{CandidType, Principal};
use serde::de::DeserializeOwned;

use crate::machine::{RejectCode, Rejection, Response};
use crate::subnet::Subnet;
use crate::subnet::state::{Call, Canister, Origin, State};
pub(crate) use settings::amount;

/// Cycles of a canister that a user creates without naming an amount.
const DEFAULT_CYCLES: u128 = 100_000_000_000_000;

/// What a method of the management canister did with its call.
enum Done {
    /// It has a reply; this part of the attached cycles goes back.
    Reply(Vec<u8>, u128),
    /// It will be answered later.
    Later,
}

type Outcome = Result<Done, Rejection>;

impl Subnet {
    /// Executes one call of the management canister.
    pub(crate) fn manage(&mut self, call: Call) {
        match self.dispatch(&call) {
            Ok(Done::Reply(reply, refund)) => self.answer(&call.origin, Response::Reply(reply), refund),
            Ok(Done::Later) => {}
            Err(rejection) => self.answer(&call.origin, Response::Reject(rejection), call.cycles),
        }
    }

    fn dispatch(&mut self, call: &Call) -> Outcome {
        match call.method.as_str() {
            "create_canister" => self.create_canister_call(call),
            "provisional_create_canister_with_cycles" => self.provisional_create(call),
            "provisional_top_up_canister" => self.provisional_top_up(call),
            "deposit_cycles" => self.deposit_cycles(call),
            "update_settings" => self.update_settings(call),
            "start_canister" => self.start_canister(call),
            "stop_canister" => self.stop_canister(call),
            "delete_canister" => self.delete_canister(call),
            "uninstall_code" => self.uninstall_code(call),
            "install_code" => self.install_code(call),
            "install_chunked_code" => self.install_chunked_code(call),
            "upload_chunk" => self.upload_chunk(call),
            "stored_chunks" => self.stored_chunks(call),
            "clear_chunk_store" => self.clear_chunk_store(call),
            "canister_info" => self.canister_info(call),
            "canister_status" | "fetch_canister_logs" => {
                let reply = query(&self.state, call.caller, &call.method, &call.argument)?;
                Ok(Done::Reply(reply, call.cycles))
            }
            "raw_rand" => {
                decode_none(&call.argument)?;
                if matches!(call.origin, Origin::User(_)) {
                    return Err(Rejection::by_canister("raw_rand can only be called by a canister"));
                }
                let block = self.state.random.next().to_vec();
                reply((block,), call.cycles)
            }
            method => Err(no_method(method)),
        }
    }

    /// The canister, if the caller controls it.
    fn controlled(&self, caller: Principal, id: Principal) -> Result<&Canister, Rejection> {
        let canister = self.canister(id)?;
        check_controller(canister, caller, id)?;
        Ok(canister)
    }
}

/// Answers the methods that work as queries.
///
/// # Errors
///
/// The rejection.
pub(crate) fn query(
    state: &State,
    sender: Principal,
    method: &str,
    argument: &[u8],
) -> Result<Vec<u8>, Rejection> {
    match method {
        "canister_status" => status::canister_status(state, sender, argument),
        "fetch_canister_logs" => status::fetch_canister_logs(state, sender, argument),
        method => Err(no_method(method)),
    }
}

/// The canister that a call of the management canister is about, if its argument names one.
pub(crate) fn subject(method: &str, argument: &[u8]) -> Option<Principal> {
    #[derive(CandidType, serde::Deserialize)]
    struct Target {
        target_canister: Principal,
    }
    if method == "install_chunked_code" {
        return candid::decode_one::<Target>(argument).ok().map(|target| target.target_canister);
    }
    let record = candid::decode_one::<ic_management_canister_types::CanisterIdRecord>(argument);
    record.ok().map(|record| record.canister_id)
}

fn no_method(method: &str) -> Rejection {
    Rejection::new(
        RejectCode::DestinationInvalid,
        536,
        format!("Management canister has no method '{method}'"),
    )
}

fn check_controller(canister: &Canister, caller: Principal, id: Principal) -> Result<(), Rejection> {
    if canister.settings.controllers.contains(&caller) {
        return Ok(());
    }
    let controllers: Vec<String> = canister.settings.controllers.iter().map(Principal::to_text).collect();
    let text = format!(
        "Only controllers of canister {id} can call this method: caller {caller}, controllers {}",
        controllers.join(" ")
    );
    Err(Rejection::new(RejectCode::CanisterError, 512, text))
}

fn decode<T: CandidType + DeserializeOwned>(argument: &[u8]) -> Result<T, Rejection> {
    candid::decode_one(argument).map_err(|error| bad_argument(error.to_string()))
}

fn decode_none(argument: &[u8]) -> Result<(), Rejection> {
    candid::decode_args::<()>(argument).map_err(|error| bad_argument(error.to_string()))
}

fn bad_argument(text: impl std::fmt::Display) -> Rejection {
    Rejection::new(RejectCode::CanisterError, 408, format!("Error decoding the argument: {text}"))
}

fn reply(values: impl ArgumentEncoder, refund: u128) -> Outcome {
    Ok(Done::Reply(encode(values)?, refund))
}

fn encode(values: impl ArgumentEncoder) -> Result<Vec<u8>, Rejection> {
    candid::encode_args(values).map_err(|error| Rejection::new(RejectCode::SysFatal, 521, error.to_string()))
}

/// The Candid encoding of no values.
pub(crate) fn empty_reply() -> Vec<u8> {
    b"DIDL\0\0".to_vec()
}
