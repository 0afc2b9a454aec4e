//! The edge to the Internet Computer. Methods decode, call the logic, and certify what changed.

mod administration;
mod audits;
mod certificates;
mod lifecycle;
mod logs;
mod pages;
mod registered;
mod schedule;
mod uploads;

use std::cell::RefCell;

use candid::{CandidType, DecoderConfig, types::Type, utils::decode_one_with_config};
use ic_stable_structures::DefaultMemoryImpl;
use interface::{Error, REQUEST_BYTES};
use serde::de::DeserializeOwned;

use crate::{guards::Context, storage::State};

/// Bounds the work of decoding; a chunk of a MiB costs about four per byte.
const DECODING_QUOTA: usize = 40 << 20;
/// Bounds what may be decoded only to be ignored.
const SKIPPING_QUOTA: usize = 10_000;
/// Longest type table of a request.
const MAX_TYPES: usize = 100;

thread_local! {
    static STATE: RefCell<Option<State<DefaultMemoryImpl>>> = const { RefCell::new(None) };
}

/// A decoded argument, or why it could not be decoded. In Candid it is `T`.
struct Arg<T>(Result<T, Error>);

impl<T: CandidType> CandidType for Arg<T> {
    fn _ty() -> Type {
        T::_ty()
    }

    fn id() -> candid::types::TypeId {
        T::id()
    }

    fn idl_serialize<S: candid::types::Serializer>(&self, serializer: S) -> Result<(), S::Error> {
        match &self.0 {
            Ok(value) => value.idl_serialize(serializer),
            Err(cause) => Err(serde::ser::Error::custom(cause)),
        }
    }
}

/// Decodes the one argument of a method within bounds; used instead of the CDK's decoder, which traps.
fn decode<T: CandidType + DeserializeOwned>(bytes: Vec<u8>) -> Arg<T> {
    let (max, got) = (REQUEST_BYTES.into(), bytes.len() as u64);
    if got > max {
        return Arg(Err(Error::TooLarge { what: "request".to_owned(), max, got }));
    }
    let mut config = DecoderConfig::new();
    config.set_decoding_quota(DECODING_QUOTA).set_skipping_quota(SKIPPING_QUOTA).set_max_type_len(MAX_TYPES);
    let malformed = |cause: candid::Error| Error::Malformed {
        message: cause.to_string().chars().filter(|c| !c.is_control()).take(300).collect(),
    };
    Arg(decode_one_with_config(&bytes, &config).map_err(malformed))
}

fn context() -> Context {
    let caller = ic_cdk::api::msg_caller();
    Context { caller, is_controller: ic_cdk::api::is_controller(&caller), now_ns: ic_cdk::api::time() }
}

/// Reads the state.
fn read<R>(read: impl FnOnce(&State<DefaultMemoryImpl>) -> Result<R, Error>) -> Result<R, Error> {
    STATE.with_borrow(|state| match state {
        Some(state) => read(state),
        None => Err(Error::internal("the canister was not initialized")),
    })
}

/// Changes the state, and sets certified data to the root of what is certified then.
///
/// Where stable memory does not hold what it should, several tables may have been written only in part: the message is
/// undone. No input leads there.
fn change<R>(change: impl FnOnce(&mut State<DefaultMemoryImpl>) -> Result<R, Error>) -> Result<R, Error> {
    STATE.with_borrow_mut(|state| match state {
        Some(state) => {
            let result = change(state);
            let refreshed = state.refresh(&ic_cdk::api::instruction_counter);
            for failed in [result.as_ref().err(), refreshed.as_ref().err()].into_iter().flatten() {
                if let Error::Internal { .. } = failed {
                    ic_cdk::api::trap(failed.to_string());
                }
            }
            refreshed.iter().flatten().for_each(log);
            ic_cdk::api::certified_data_set(state.tree().root());
            pages::go_on(state.is_preparing());
            result
        }
        None => Err(Error::internal("the canister was not initialized")),
    })
}

/// Writes a line to the canister's log.
fn log(line: impl AsRef<str>) {
    ic_cdk::api::debug_print(line);
}

#[cfg(test)]
mod tests;
