//! What may be installed, what hooks run, and what a module finds when it runs.

mod support;

use std::io::Write;

use candid::Principal;
use localnet::management_types::{CanisterInstallMode, UpgradeFlags};
use localnet::{Rejection, Subnet};
use support::{COUNTER, MODES, install, user};

const UPGRADE: CanisterInstallMode = CanisterInstallMode::Upgrade(None);

/// What comes of installing this module into a new canister.
fn installing(wasm: &[u8]) -> Result<(), Rejection> {
    let (mut subnet, _) = install("(module)");
    let canister = subnet.create_canister(user()).unwrap();
    subnet.install(user(), canister, CanisterInstallMode::Install, wasm, b"")
}

#[track_caller]
fn check_refused(wat: &str, reason: &str) {
    let rejection = installing(&wat::parse_str(wat).unwrap()).unwrap_err();
    assert_eq!(rejection.error_code.as_deref(), Some("IC0505"), "{rejection}");
    assert!(rejection.message.contains(reason), "{rejection}");
}

#[test]
fn only_the_system_api_can_be_imported() {
    check_refused(
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func)))"#,
        "wasi_snapshot_preview1.fd_write",
    );
    check_refused(r#"(module (import "ic0" "no_such_call" (func)))"#, "ic0.no_such_call");
    check_refused(r#"(module (import "ic0" "time" (global i64)))"#, "ic0.time");
    check_refused(r#"(module (import "ic0" "time" (func (param i32))))"#, "incompatible import type");
    check_refused(r#"(module (import "ic0" "memory" (memory 1)))"#, "ic0.memory");
}

#[test]
fn limits_and_reserved_names_are_enforced() {
    check_refused(r#"(module (func (export "canister_nonsense")))"#, "reserved");
    check_refused(
        r#"(module (memory (export "m") 1) (func (export "localnet memory")))"#,
        "reserved by the node",
    );
    check_refused(
        r#"(module (func (export "canister_query a")) (func (export "canister_update a")))"#,
        "two roles",
    );
    check_refused(
        &format!("(module {})", "(func)".repeat(50_001)),
        "number of functions: 50001 exceeds the limit of 50000",
    );
    check_refused(&format!("(module {})", "(global i32 (i32.const 0))".repeat(1_001)), "number of globals");
    let methods: String = (0..1_001).map(|i| format!(r#"(func (export "canister_query m{i}"))"#)).collect();
    check_refused(&format!("(module {methods})"), "number of exported methods");
    check_refused(&format!("(module (func {}))", "nop ".repeat(1_000_001)), "operators in one function");
    let body = format!("(func {})", "i64.const 9223372036854775807 drop ".repeat(90_000));
    check_refused(&format!("(module {})", body.repeat(12)), "code section in bytes");
    let sections: String = (0..17).map(|i| format!(r#"(@custom "icp:public m{i}" "x")"#)).collect();
    check_refused(&format!("(module {sections})"), "number of icp custom sections");
}

#[test]
fn features_that_differ_between_machines_are_off() {
    check_refused("(module (memory i64 1))", "memory64");
    check_refused("(module (memory 1 1 shared))", "threads");
    check_refused("(module (memory 1) (memory 1))", "multiple memories");
    check_refused(
        "(module (func (result v128) v128.const i64x2 0 0 v128.const i64x2 0 0 i8x16.relaxed_swizzle))",
        "relaxed SIMD",
    );
    check_refused("(module (global (mut funcref) (ref.null func)))", "holds a reference");
    let (mut subnet, canister) = install(MODES);
    let reply = subnet.update(user(), canister, "nan", b"").unwrap();
    assert_eq!(reply[..4], 0x7fc0_0000u32.to_le_bytes());
    assert_eq!(reply[4..], 0x7ff8_0000_0000_0000u64.to_le_bytes());
}

#[test]
fn broken_bytes_are_refused_and_gzip_is_understood() {
    let wasm = wat::parse_str(COUNTER).unwrap();
    for broken in [b"".as_slice(), b"\0asm", &wasm[..wasm.len() - 1], &[0x1f, 0x8b, 8, 0]] {
        assert_eq!(installing(broken).unwrap_err().error_code.as_deref(), Some("IC0505"));
    }
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(&wasm).unwrap();
    installing(&zip.finish().unwrap()).unwrap();
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..101 {
        bomb.write_all(&[0; 1 << 20]).unwrap();
    }
    let rejection = installing(&bomb.finish().unwrap()).unwrap_err();
    assert!(rejection.message.contains("exceeds the limit of 104857600"), "{rejection}");
}

/// Times the start function ran, two other globals, and what pre_upgrade left in stable memory.
fn state(subnet: &mut Subnet, canister: Principal) -> (u64, f32, u128, Vec<u8>) {
    let reply = subnet.query(user(), canister, "state", b"").unwrap();
    (
        u64::from_le_bytes(reply[..8].try_into().unwrap()),
        f32::from_le_bytes(reply[8..12].try_into().unwrap()),
        u128::from_le_bytes(reply[12..28].try_into().unwrap()),
        reply[28..].to_vec(),
    )
}

#[test]
fn hooks_run_once_and_a_failing_one_undoes_the_whole_installation() {
    let (mut subnet, canister) = install(MODES);
    let wide = 3 | 4 << 64;
    assert_eq!(state(&mut subnet, canister), (1, 0.5, wide, vec![0; 3]));
    let wasm = wat::parse_str(MODES).unwrap();
    subnet.install(user(), canister, UPGRADE, &wasm, b"").unwrap();
    assert_eq!(state(&mut subnet, canister), (1, 0.5, wide, b"pre".to_vec()));

    // post_upgrade traps: stable memory written by pre_upgrade is undone too; the log keeps both.
    subnet.install(user(), canister, CanisterInstallMode::Reinstall, &wasm, b"").unwrap();
    subnet.install(user(), canister, UPGRADE, &wasm, &[1]).unwrap_err();
    assert_eq!(state(&mut subnet, canister), (1, 0.5, wide, vec![0; 3]));
    let lines: Vec<_> =
        subnet.logs(canister).into_iter().map(|line| String::from_utf8(line.text).unwrap()).collect();
    assert_eq!(lines[0], "pre_upgrade");
    assert!(lines[1].starts_with("[TRAP]"), "{lines:?}");

    // pre_upgrade traps, until it is skipped.
    subnet.update(user(), canister, "refuse_upgrades", b"").unwrap();
    subnet.install(user(), canister, UPGRADE, &wasm, b"").unwrap_err();
    let skip = UpgradeFlags { skip_pre_upgrade: Some(true), wasm_memory_persistence: None };
    subnet.install(user(), canister, CanisterInstallMode::Upgrade(Some(skip)), &wasm, b"").unwrap();
    subnet.install(user(), canister, UPGRADE, &wasm, b"").unwrap();

    // init traps: the canister stays empty.
    let empty = subnet.create_canister(user()).unwrap();
    subnet.install(user(), empty, CanisterInstallMode::Install, &wasm, &[1]).unwrap_err();
    let rejection = subnet.update(user(), empty, "use_up", b"").unwrap_err();
    assert_eq!(rejection.error_code.as_deref(), Some("IC0537"));
}

#[test]
fn tables_and_passive_segments_are_new_in_every_message() {
    let (mut subnet, canister) = install(MODES);
    for _ in 0..3 {
        assert_eq!(subnet.update(user(), canister, "use_up", b"").unwrap(), b"\x01passive");
    }
}

#[test]
fn sizes_and_bounds_are_checked() {
    let (mut subnet, canister) = install(MODES);
    let failing =
        |subnet: &mut Subnet, method: &str| subnet.update(user(), canister, method, b"").unwrap_err();
    assert!(failing(&mut subnet, "large_reply").message.contains("limit of 2097152 bytes"));
    assert_eq!(subnet.query(user(), canister, "large_answer", b"").unwrap().len(), 33 << 16);
    assert!(failing(&mut subnet, "stable_bounds").message.contains("stable memory out of bounds"));
    assert!(failing(&mut subnet, "heap_bounds").message.contains("out of bounds: 7 bytes at 65530"));
}

#[test]
fn recursion_has_room_and_an_end() {
    let (mut subnet, canister) = install(MODES);
    let reply = subnet.update(user(), canister, "recurse", &20_000u32.to_le_bytes()).unwrap();
    assert_eq!(reply, 20_000u32.to_le_bytes());
    let rejection = subnet.update(user(), canister, "recurse", &100_000_000u32.to_le_bytes()).unwrap_err();
    assert!(rejection.message.contains("stack"), "{rejection}");
}
