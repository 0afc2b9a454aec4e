//! The system API as the interface specification defines it, on canisters written by hand.

mod support;

use candid::Principal;
use ic_certification::Certificate;
use localnet::management_types::CanisterInstallMode;
use localnet::{Kind, RejectCode, Subnet};
use support::{COUNTER, install, user};

/// Count in the heap, calls in the global, count in stable memory.
fn counts(reply: &[u8]) -> [u32; 3] {
    let number = |at: usize| u32::from_le_bytes(reply[at..at + 4].try_into().unwrap());
    [number(0), number(4), number(8)]
}

fn read(subnet: &mut Subnet, canister: Principal) -> [u32; 3] {
    counts(&subnet.query(user(), canister, "read", b"").unwrap())
}

#[test]
fn an_update_changes_heap_globals_and_stable_memory() {
    let (mut subnet, canister) = install(COUNTER);
    assert_eq!(counts(&subnet.update(user(), canister, "bump", b"").unwrap()), [1, 1, 1]);
    assert_eq!(counts(&subnet.update(user(), canister, "bump", b"").unwrap()), [2, 2, 2]);
    assert_eq!(read(&mut subnet, canister), [2, 2, 2]);
}

#[test]
fn a_trap_discards_state_and_reply() {
    let (mut subnet, canister) = install(COUNTER);
    subnet.update(user(), canister, "bump", b"").unwrap();
    let rejection = subnet.update(user(), canister, "bump_then_trap", b"").unwrap_err();
    assert_eq!(rejection.code, RejectCode::CanisterError);
    assert_eq!(rejection.error_code.as_deref(), Some("IC0503"));
    assert!(rejection.message.contains("deliberate"), "{rejection}");
    assert_eq!(read(&mut subnet, canister), [1, 1, 1]);
    let rejection = subnet.update(user(), canister, "grow_then_trap", b"").unwrap_err();
    assert_eq!(rejection.error_code.as_deref(), Some("IC0502"));
    assert_eq!(read(&mut subnet, canister), [1, 1, 1]);
    assert_eq!(counts(&subnet.update(user(), canister, "bump", b"").unwrap()), [2, 2, 2]);
}

#[test]
fn a_query_changes_nothing() {
    let (mut subnet, canister) = install(COUNTER);
    for method in ["bump_in_query", "grow_in_query", "bump_in_query"] {
        let reply = subnet.query(user(), canister, method, b"").unwrap();
        assert_eq!(counts(&reply)[0], u32::from(method == "bump_in_query"));
        assert_eq!(read(&mut subnet, canister), [0, 0, 0]);
        // The same method as a replicated query.
        subnet.update(user(), canister, method, b"").unwrap();
        assert_eq!(read(&mut subnet, canister), [0, 0, 0]);
    }
}

#[test]
fn calls_in_the_wrong_context_trap() {
    let (mut subnet, canister) = install(COUNTER);
    let rejection = subnet.query(user(), canister, "certify_in_query", b"").unwrap_err();
    assert_eq!(rejection.error_code.as_deref(), Some("IC0504"));
    assert!(rejection.message.contains("certified_data_set"), "{rejection}");
    let rejection = subnet.update(user(), canister, "certificate_size_in_update", b"").unwrap_err();
    assert_eq!(rejection.error_code.as_deref(), Some("IC0504"));
}

#[test]
fn the_data_certificate_is_there_in_queries_only() {
    let (mut subnet, canister) = install(COUNTER);
    subnet.update(user(), canister, "bump", b"").unwrap();
    assert_eq!(subnet.update(user(), canister, "certificate_in_update", b"").unwrap(), [0; 4]);
    let certificate = subnet.query(user(), canister, "certificate", b"").unwrap();
    let certificate = serde_cbor::from_slice::<Certificate>(&certificate).unwrap();
    let path = [b"canister".as_slice(), canister.as_slice(), b"certified_data"];
    assert_eq!(certificate.tree.lookup_path(path), ic_certification::LookupResult::Found(&[1, 0, 0, 0]));
    assert!(matches!(certificate.tree.lookup_path([b"time"]), ic_certification::LookupResult::Found(_)));
}

#[test]
fn instruction_limits_are_enforced_and_a_canister_without_reply_is_rejected() {
    let (mut subnet, canister) = install(COUNTER);
    let rejection = subnet.query(user(), canister, "forever_query", b"").unwrap_err();
    assert_eq!(rejection.error_code.as_deref(), Some("IC0522"));
    assert!(rejection.message.contains("5000000000"), "{rejection}");
    let executed = subnet.executed().pop().unwrap();
    assert_eq!(
        (executed.kind, executed.instructions, executed.succeeded),
        (Kind::Query, 5_000_000_000, false)
    );
    let rejection = subnet.update(user(), canister, "silent", b"").unwrap_err();
    assert_eq!(rejection.error_code.as_deref(), Some("IC0506"));
    let rejection = subnet.update(user(), canister, "nothing", b"").unwrap_err();
    assert_eq!(
        (rejection.code, rejection.error_code.as_deref()),
        (RejectCode::DestinationInvalid, Some("IC0536"))
    );
}

#[test]
fn the_performance_counter_counts_with_the_weights_of_the_internet_computer() {
    let (mut subnet, canister) = install(COUNTER);
    let reply = subnet.update(user(), canister, "measure", b"").unwrap();
    let number = |at: usize| u64::from_le_bytes(reply[at..at + 8].try_into().unwrap());
    // local.set 1, i32.const 1, i32.const 1, call 5, performance_counter 200
    assert_eq!(number(0), 208);
    assert!(number(8) > 400 && number(8) < 1_000, "{}", number(8));
}

#[test]
fn an_upgrade_keeps_stable_memory_and_certified_data_but_not_the_heap() {
    let (mut subnet, canister) = install(COUNTER);
    subnet.update(user(), canister, "bump", b"").unwrap();
    let wasm = wat::parse_str(COUNTER).unwrap();
    let rejection = subnet.install(user(), canister, CanisterInstallMode::Install, &wasm, b"").unwrap_err();
    assert_eq!(rejection.error_code.as_deref(), Some("IC0514"));
    subnet.install(user(), canister, CanisterInstallMode::Upgrade(None), &wasm, b"").unwrap();
    assert_eq!(read(&mut subnet, canister), [0, 0, 1]);
    let certificate = subnet.query(user(), canister, "certificate", b"").unwrap();
    let certificate = serde_cbor::from_slice::<Certificate>(&certificate).unwrap();
    let path = [b"canister".as_slice(), canister.as_slice(), b"certified_data"];
    assert_eq!(certificate.tree.lookup_path(path), ic_certification::LookupResult::Found(&[1, 0, 0, 0]));
    assert_eq!(subnet.logs(canister).len(), 1);
    subnet.install(user(), canister, CanisterInstallMode::Reinstall, &wasm, b"").unwrap();
    assert_eq!(read(&mut subnet, canister), [0, 0, 0]);
    let lines: Vec<_> = subnet.logs(canister).into_iter().map(|line| line.text).collect();
    assert_eq!(lines, [b"count is kept in the heap"]);
}
