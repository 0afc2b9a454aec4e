//! The instruction count of single operators and system calls, against the published weights.

mod support;

use support::{install, user};

const STABLE: u64 = 20;
const CALL: u64 = 5;

/// Checks what a piece of code costs. Each constant, local and drop in it costs 1.
#[track_caller]
fn check(code: &str, expected: u64) {
    let wat = format!(
        r#"(module
            (import "ic0" "performance_counter" (func $counter (param i32) (result i64)))
            (import "ic0" "msg_reply" (func $reply))
            (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
            (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
            (import "ic0" "stable64_write" (func $write (param i64 i64 i64)))
            (import "ic0" "stable64_read" (func $read (param i64 i64 i64)))
            (import "ic0" "time" (func $time (result i64)))
            (import "ic0" "debug_print" (func $print (param i32 i32)))
            (memory 2) (table 1 funcref) (elem (i32.const 0) $empty)
            (global $g (mut i32) (i32.const 0))
            (func $empty)
            (func (export "canister_init") (drop (call $grow (i64.const 10))))
            (func (export "canister_update run") (local $before i64) (local $after i64) (local $x i32)
              (local.set $before (call $counter (i32.const 0)))
              {code}
              (local.set $after (call $counter (i32.const 0)))
              (i64.store (i32.const 0) (i64.sub (local.get $after) (local.get $before)))
              (call $append (i32.const 0) (i32.const 8))
              (call $reply)))"#
    );
    let (mut subnet, canister) = install(&wat);
    let reply = subnet.update(user(), canister, "run", b"").unwrap();
    let counted = u64::from_le_bytes(reply.try_into().unwrap());
    // local.set, i32.const, call and performance_counter belong to the measurement.
    assert_eq!(counted - 207, expected, "{code}");
}

#[test]
fn integer_operators() {
    check("", 0);
    check("i32.const 1 drop", 2);
    check("i32.const 1 i32.const 2 i32.add drop", 4);
    check("i64.const 1 i64.const 2 i64.mul drop", 4);
    check("i32.const 1 i32.const 2 i32.div_s drop", 13);
    check("i64.const 1 i64.const 2 i64.rem_u drop", 13);
    check("i32.const 8 i32.load drop", 3);
    check("i32.const 8 i32.const 1 i32.store", 3);
    check("global.get $g global.set $g", 4);
    check("local.get $x local.tee $x local.set $x", 3);
    check("i64.const 5 i64.popcnt drop", 3);
}

#[test]
fn control() {
    check("block loop end end", 0);
    check("i32.const 1 if end", 3);
    check("block br 0 end", 2);
    check("block i32.const 0 br_if 0 end", 3);
    check("call $empty", 5);
    check("i32.const 0 call_indirect", 11);
    // Ten rounds of local.get, const, add, local.tee, const, compare, branch.
    check("loop $l local.get $x i32.const 1 i32.add local.tee $x i32.const 10 i32.lt_u br_if $l end", 80);
}

#[test]
fn floats_and_vectors() {
    check("f64.const 1 f64.const 2 f64.mul drop", 5);
    check("f32.const 1 f32.const 2 f32.div drop", 6);
    check("f64.const 1 f64.const 2 f64.div drop", 8);
    check("f64.const 1 f64.sqrt drop", 10);
    check("f64.const 1 f64.const 2 f64.max drop", 21);
    check("f64.const 1 f64.const 2 f64.lt drop", 6);
    check("i32.const 1 f64.convert_i32_s drop", 5);
    check("i32.const 1 f64.convert_i32_u drop", 18);
    check("f64.const 1 i32.trunc_sat_f64_s drop", 22);
    check("v128.const i64x2 1 2 v128.const i64x2 3 4 i32x4.dot_i16x8_s drop", 4);
    check("v128.const i64x2 1 2 v128.const i64x2 3 4 i64x2.mul drop", 7);
    check("v128.const i64x2 1 2 v128.const i64x2 3 4 f64x2.div drop", 15);
}

#[test]
fn bulk_operators_and_system_calls_cost_per_byte() {
    check("memory.size drop", 21);
    check("i32.const 0 i32.const 100 i32.const 77 memory.copy", 3 + 100 + 77);
    check("i32.const 0 i32.const 0 i32.const 1000 memory.fill", 3 + 100 + 1000);
    check("call $time drop", CALL + 500 + 1);
    check("i32.const 0 i32.const 30 call $print", 2 + CALL + 100 + 30);
    check("i64.const 0 i64.const 0 i64.const 64 call $read", 3 + CALL + STABLE + 64);
    // Two pages of stable memory are written for the first time, then again.
    let write = "i64.const 4090 i64.const 0 i64.const 64 call $write\n";
    check(write, 3 + CALL + STABLE + 64 + 2_000);
    check(&write.repeat(2), 2 * (3 + CALL + STABLE + 64) + 2_000);
}
