//! The state tree of the interface specification.

use candid::Principal;

use super::Keys;
use super::tree::Node;
use crate::machine::Response;
use crate::subnet::fees;
use crate::subnet::state::{RequestStatus, State};

/// Builds the tree of the state at `time` (nanoseconds since 1970).
pub(super) fn build(keys: &Keys, state: &State, time: u64) -> Node {
    let mut root = Node::empty();
    root.insert(&[b"time"], leb128(time));
    let subnet = keys.subnet_id();
    let ranges = crate::cbor::encode_tagged(&[(first_canister(), last_canister())]);
    let (id, first) = (subnet.as_slice(), first_canister());
    root.insert(&[b"subnet", id, b"public_key"], keys.root_key_der().to_vec());
    root.insert(&[b"subnet", id, b"type"], b"application".to_vec());
    root.insert(&[b"subnet", id, b"canister_ranges"], ranges.clone());
    root.insert(&[b"subnet", id, b"metrics"], metrics(state));
    root.insert(
        &[b"subnet", id, b"node", keys.node_id().as_slice(), b"public_key"],
        keys.node_key_der().to_vec(),
    );
    root.insert(&[b"canister_ranges", id, first.as_slice()], ranges);

    if let Node::Map(map) = &mut root {
        map.insert(b"canister".to_vec(), canisters(state));
        map.insert(b"request_status".to_vec(), requests(state));
    }
    root
}

/// Canister ids are eight bytes of number and `01 01`; the subnet answers for all of them.
pub(super) fn first_canister() -> Principal {
    Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
}

fn last_canister() -> Principal {
    Principal::from_slice(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1])
}

fn canisters(state: &State) -> Node {
    let mut canisters = Node::empty();
    for (id, canister) in &state.canisters {
        let id = id.as_slice();
        let controllers: &Vec<Principal> = &canister.settings.controllers;
        canisters.insert(&[id, b"controllers"], crate::cbor::encode_tagged(controllers));
        canisters.insert(&[id, b"certified_data"], canister.calls.certified_data.clone());
        canisters.insert(&[id, b"canister_creation_timestamp"], leb128(canister.calls.created));
        let Some(module) = &canister.module else { continue };
        canisters.insert(&[id, b"module_hash"], module.hash.to_vec());
        canisters.insert(&[id, b"last_install_timestamp"], leb128(canister.calls.installed));
        for (name, metadata) in &module.metadata {
            canisters.insert(&[id, b"metadata", name.as_bytes()], metadata.bytes.clone());
        }
    }
    canisters
}

fn requests(state: &State) -> Node {
    let mut requests = Node::empty();
    for (id, request) in &state.requests {
        let mut put = |name: &str, value: Vec<u8>| requests.insert(&[id, name.as_bytes()], value);
        match &request.status {
            RequestStatus::Received => put("status", b"received".to_vec()),
            RequestStatus::Processing => put("status", b"processing".to_vec()),
            RequestStatus::Answered(Response::Reply(bytes)) => {
                put("status", b"replied".to_vec());
                put("reply", bytes.clone());
            }
            RequestStatus::Answered(Response::Reject(rejection)) => {
                put("status", b"rejected".to_vec());
                put("reject_code", leb128(rejection.code as u64));
                put("reject_message", rejection.message.clone().into_bytes());
                if let Some(error) = &rejection.error_code {
                    put("error_code", error.clone().into_bytes());
                }
            }
        }
    }
    requests
}

fn metrics(state: &State) -> Vec<u8> {
    let bytes: u64 = state.canisters.values().map(|canister| canister.memory_bytes()).sum();
    let count = |number: u64| ciborium::Value::Integer(number.into());
    let map = vec![
        (count(0), count(state.canisters.len() as u64)),
        (count(1), count(bytes)),
        (count(2), ciborium::Value::Map(vec![(count(0), count(0)), (count(1), ciborium::Value::Null)])),
        (count(3), count(fees::NODES)),
    ];
    crate::cbor::encode_tagged(&ciborium::Value::Map(map))
}

/// Unsigned LEB128.
pub(crate) fn leb128(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn leb128_known_answers() {
        assert_eq!(super::leb128(0), [0]);
        assert_eq!(super::leb128(624_485), [0xe5, 0x8e, 0x26]);
        assert_eq!(super::leb128(u64::MAX).len(), 10);
    }
}
