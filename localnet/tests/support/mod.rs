//! What several test files share.

#![allow(dead_code, reason = "each test file uses a part")]

use candid::Principal;
use localnet::management_types::CanisterInstallMode;
use localnet::{Clock, Subnet};

pub const COUNTER: &str = include_str!("../canisters/counter.wat");
pub const CALLER: &str = include_str!("../canisters/caller.wat");
pub const MODES: &str = include_str!("../canisters/modes.wat");
pub const PAGES: &str = include_str!("../canisters/pages.wat");

pub fn user() -> Principal {
    Principal::self_authenticating(b"user")
}

/// A subnet with one canister of this module.
pub fn install(wat: &str) -> (Subnet, Principal) {
    let mut subnet = Subnet::new(Some([1; 32]), Clock::Manual(1_000_000_000_000)).unwrap();
    let canister = subnet.create_canister(user()).unwrap();
    let wasm = wat::parse_str(wat).unwrap();
    subnet.install(user(), canister, CanisterInstallMode::Install, &wasm, b"").unwrap();
    (subnet, canister)
}
