//! Calls between canisters, callbacks, cycles and timers.

mod support;

use std::time::Duration;

use localnet::management_types::CanisterInstallMode;
use localnet::{Clock, RejectCode, Subnet};
use support::{CALLER, install, user};

/// Mark, calls received, cleanups, timers fired.
fn state(subnet: &mut Subnet, canister: candid::Principal) -> [u32; 4] {
    let reply = subnet.query(user(), canister, "state", b"").unwrap();
    [0, 4, 8, 12].map(|at| u32::from_le_bytes(reply[at..at + 4].try_into().unwrap()))
}

#[test]
fn a_self_call_comes_back_through_the_callback() {
    let (mut subnet, canister) = install(CALLER);
    assert_eq!(subnet.update(user(), canister, "round_trip", b"").unwrap(), [1, 0, 0, 0]);
    assert_eq!(state(&mut subnet, canister), [0, 1, 0, 0]);
    let methods: Vec<_> = subnet.executed().into_iter().map(|executed| executed.method).collect();
    assert_eq!(methods[..3], ["round_trip", "count", "round_trip"]);
}

#[test]
fn a_trap_takes_its_calls_back() {
    let (mut subnet, canister) = install(CALLER);
    subnet.update(user(), canister, "trap_after_call", b"").unwrap_err();
    subnet.run_until_idle();
    assert_eq!(state(&mut subnet, canister), [0, 0, 0, 0]);
}

#[test]
fn a_trap_in_a_callback_keeps_earlier_messages_and_runs_the_cleanup() {
    let (mut subnet, canister) = install(CALLER);
    let rejection = subnet.update(user(), canister, "trap_in_callback", b"").unwrap_err();
    assert_eq!(rejection.error_code.as_deref(), Some("IC0502"));
    // The mark of the first message stays, that of the callback is gone.
    assert_eq!(state(&mut subnet, canister), [1, 1, 1, 0]);
    let rejection = subnet.update(user(), canister, "empty_slot", b"").unwrap_err();
    assert!(rejection.message.contains("function table"), "{rejection}");
}

#[test]
fn a_call_that_cannot_be_delivered_is_rejected() {
    let (mut subnet, canister) = install(CALLER);
    let reply = subnet.update(user(), canister, "missing_method", b"").unwrap();
    assert_eq!(reply[..4], (RejectCode::DestinationInvalid as u32).to_le_bytes());
    assert!(String::from_utf8_lossy(&reply[4..]).contains("missing"));
}

#[test]
fn cycles_that_are_not_accepted_come_back() {
    let (mut subnet, canister) = install(CALLER);
    let before = subnet.cycles(canister).unwrap();
    let refunded = subnet.update(user(), canister, "give", b"").unwrap();
    assert_eq!(u128::from_le_bytes(refunded.try_into().unwrap()), 600);
    let spent = before - subnet.cycles(canister).unwrap();
    // Three messages of 5 M and their instructions, one ingress message, one call.
    assert!((16_000_000..18_000_000).contains(&spent), "{spent}");
    let rejection = subnet.update(user(), canister, "give_too_much", b"").unwrap_err();
    assert!(rejection.message.contains("cannot attach"), "{rejection}");
}

#[test]
fn a_best_effort_call_ends_when_its_time_is_over_and_the_late_answer_is_dropped() {
    let (mut subnet, canister) = install(CALLER);
    let request = subnet.begin(user(), canister, "impatient", b"").unwrap();
    assert!(subnet.step());
    subnet.advance_time(Duration::from_secs(2));
    subnet.run_until_idle();
    let reply = subnet.outcome(request).unwrap().unwrap();
    assert_eq!(reply[..4], (RejectCode::SysUnknown as u32).to_le_bytes());
    assert_eq!(state(&mut subnet, canister), [0, 1, 0, 0], "the call itself was executed");
}

#[test]
fn the_call_context_counter_adds_up_over_messages_and_the_argument_reaches_the_callback() {
    let (mut subnet, canister) = install(CALLER);
    let reply = subnet.update(user(), canister, "measure", b"").unwrap();
    let message = u64::from_le_bytes(reply[..8].try_into().unwrap());
    let context = u64::from_le_bytes(reply[8..16].try_into().unwrap());
    assert_eq!(reply[16..], 77u32.to_le_bytes());
    let first = subnet.executed()[0].instructions;
    assert!(context >= first + message && context < first + message + 1_000, "{first} {message} {context}");
}

#[test]
fn raw_rand_repeats_with_the_seed_and_never_otherwise() {
    let draw = |subnet: &mut Subnet, canister| subnet.update(user(), canister, "random", b"").unwrap();
    let (mut one, canister) = install(CALLER);
    let (first, second) = (draw(&mut one, canister), draw(&mut one, canister));
    assert_eq!(candid::decode_one::<Vec<u8>>(&first).unwrap().len(), 32);
    assert_ne!(first, second);
    let (mut again, canister) = install(CALLER);
    assert_eq!(draw(&mut again, canister), first);
    let mut other = Subnet::new(None, Clock::Manual(1)).unwrap();
    let canister = other.create_canister(user()).unwrap();
    let wasm = wat::parse_str(CALLER).unwrap();
    other.install(user(), canister, CanisterInstallMode::Install, &wasm, b"").unwrap();
    assert_ne!(draw(&mut other, canister), first);
}

#[test]
fn timers_fire_when_due_and_an_upgrade_disarms_them() {
    let (mut subnet, canister) = install(CALLER);
    subnet.update(user(), canister, "arm", b"").unwrap();
    subnet.advance_time(Duration::from_millis(999));
    subnet.run_until_idle();
    assert_eq!(state(&mut subnet, canister)[3], 0);
    for fired in [1, 2, 2] {
        subnet.advance_time(Duration::from_secs(1));
        subnet.run_until_idle();
        assert_eq!(state(&mut subnet, canister)[3], fired);
    }
    subnet.update(user(), canister, "arm", b"").unwrap();
    let wasm = wat::parse_str(CALLER).unwrap();
    subnet.install(user(), canister, CanisterInstallMode::Upgrade(None), &wasm, b"").unwrap();
    subnet.advance_time(Duration::from_secs(5));
    subnet.run_until_idle();
    assert_eq!(state(&mut subnet, canister)[3], 0);
}
