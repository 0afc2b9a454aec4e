//! Canisters of the Internet Computer that tools expect on every network, as a part of the node: the cycles minting
//! canister says where canisters are created, the cycles ledger pays for them.
//!
//! They have no module, no state tree entries and no controllers. A call is executed when it arrives.

mod cycles_ledger;

use candid::{CandidType, Principal};
use serde::de::DeserializeOwned;

pub(crate) use cycles_ledger::Ledger;

use crate::certificate::Keys;
use crate::machine::{Halt, Rejection};
use crate::subnet::Subnet;
use crate::subnet::state::{Call, State};

/// `rkp4c-7iaaa-aaaaa-aaaca-cai`.
const CYCLES_MINTING: Principal = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 4, 1, 1]);
/// `um5iw-rqaaa-aaaaq-qaaba-cai`.
const CYCLES_LEDGER: Principal = Principal::from_slice(&[0, 0, 0, 0, 2, 16, 0, 2, 1, 1]);

/// Whether the node itself answers for this canister.
pub(crate) fn is_native(id: Principal) -> bool {
    id == CYCLES_MINTING || id == CYCLES_LEDGER
}

/// Answers a query method.
///
/// # Errors
///
/// The rejection, for a method that does not exist or an argument that does not decode.
pub(crate) fn query(
    state: &State,
    keys: &Keys,
    id: Principal,
    method: &str,
    argument: &[u8],
) -> Result<Vec<u8>, Rejection> {
    match (id, method) {
        (CYCLES_MINTING, "get_default_subnets") => encode(id, &vec![keys.subnet_id()]),
        (CYCLES_LEDGER, "icrc1_balance_of") => {
            let account = decode(id, argument)?;
            encode(id, &candid::Nat::from(state.ledger.balance(&account)))
        }
        (CYCLES_LEDGER, "icrc1_fee") => encode(id, &candid::Nat::from(cycles_ledger::FEE)),
        (CYCLES_LEDGER, "icrc1_decimals") => encode(id, &12u8),
        (CYCLES_LEDGER, "icrc1_symbol") => encode(id, &"TCYCLES"),
        (CYCLES_LEDGER, "icrc1_name") => encode(id, &"Trillion Cycles"),
        _ => Err(Halt::NoMethod(format!("query method '{method}'")).reject(id)),
    }
}

impl Subnet {
    /// Executes a call of one of these canisters.
    ///
    /// # Errors
    ///
    /// The rejection; the state is then unchanged.
    pub(crate) fn call_native(&mut self, id: Principal, call: &Call) -> Result<Vec<u8>, Rejection> {
        let caller = call.caller;
        match (id, call.method.as_str()) {
            (CYCLES_LEDGER, "create_canister") => {
                let created = self.ledger_create_canister(caller, decode(id, &call.argument)?);
                encode(id, &created)
            }
            (CYCLES_LEDGER, "withdraw") => {
                encode(id, &self.ledger_withdraw(caller, decode(id, &call.argument)?))
            }
            (CYCLES_LEDGER, "icrc1_transfer") => {
                encode(id, &self.state.ledger.transfer(caller, decode(id, &call.argument)?))
            }
            (_, method) => query(&self.state, &self.keys, id, method, &call.argument),
        }
    }
}

fn decode<T: CandidType + DeserializeOwned>(id: Principal, argument: &[u8]) -> Result<T, Rejection> {
    candid::decode_one(argument).map_err(|error| Halt::CalledTrap(format!("Candid: {error}")).reject(id))
}

fn encode(id: Principal, value: &impl CandidType) -> Result<Vec<u8>, Rejection> {
    candid::encode_one(value).map_err(|error| Halt::Internal(error.to_string()).reject(id))
}
