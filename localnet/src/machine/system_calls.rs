//! System calls that make calls to other canisters.

use candid::Principal;
use wasmtime::Linker;

use super::context::{CQ, RT, RY, T, U};
use super::env::{Closure, Env, OutgoingCall};
use super::system::{Guest, Outcome, PLAIN, amount, enter, load, violation};
use super::weights::system;
use crate::subnet::fees;

/// Largest argument of a call between canisters.
const MAX_CALL_BYTES: usize = 10 << 20;
/// Longest time in seconds that a best-effort call waits.
const MAX_TIMEOUT: u32 = 300;
/// Longest method name.
const MAX_METHOD_BYTES: u32 = 20_000;

/// Composite queries are listed by the specification too; this node refuses their calls in `call_new`.
const CALLS: u16 = U | CQ | RY | RT | T;

pub(super) fn link(l: &mut Linker<Env>) -> wasmtime::Result<()> {
    l.func_wrap("ic0", "call_new", call_new)?;
    l.func_wrap("ic0", "call_on_cleanup", |mut g: Guest<'_>, function: u32, argument: u32| {
        enter(&mut g, "call_on_cleanup", CALLS, PLAIN)?;
        let call = pending(&mut g, "call_on_cleanup")?;
        if call.on_cleanup.replace(Closure { function, argument }).is_some() {
            return violation("call_on_cleanup was called twice");
        }
        Ok(())
    })?;
    l.func_wrap("ic0", "call_data_append", |mut g: Guest<'_>, src: u32, size: u32| {
        enter(&mut g, "call_data_append", CALLS, PLAIN)?;
        let bytes = load(&mut g, src, size)?;
        let call = pending(&mut g, "call_data_append")?;
        if call.argument.len() + bytes.len() > MAX_CALL_BYTES {
            return violation(format!("the argument of a call exceeds the limit of {MAX_CALL_BYTES} bytes"));
        }
        call.argument.extend(bytes);
        Ok(())
    })?;
    l.func_wrap("ic0", "call_with_best_effort_response", |mut g: Guest<'_>, seconds: u32| {
        enter(&mut g, "call_with_best_effort_response", CALLS, PLAIN)?;
        let call = pending(&mut g, "call_with_best_effort_response")?;
        if call.timeout.replace(seconds.min(MAX_TIMEOUT)).is_some() {
            return violation("call_with_best_effort_response was called twice");
        }
        Ok(())
    })?;
    l.func_wrap("ic0", "call_cycles_add128", |mut g: Guest<'_>, high: u64, low: u64| {
        enter(&mut g, "call_cycles_add128", U | RY | RT | T, PLAIN)?;
        add_cycles(&mut g, amount(high, low))
    })?;
    l.func_wrap("ic0", "call_cycles_add", |mut g: Guest<'_>, low: u64| {
        enter(&mut g, "call_cycles_add", U | RY | RT | T, PLAIN)?;
        add_cycles(&mut g, low.into())
    })?;
    l.func_wrap("ic0", "call_perform", call_perform)?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the system API fixes them")]
fn call_new(
    mut g: Guest<'_>,
    callee: u32,
    callee_size: u32,
    name: u32,
    name_size: u32,
    reply_function: u32,
    reply_argument: u32,
    reject_function: u32,
    reject_argument: u32,
) -> Outcome<()> {
    enter(&mut g, "call_new", CALLS, system::CALL_NEW)?;
    if g.data().inputs.kind == super::context::Kind::CompositeQuery {
        return violation("this node does not support calls made by composite queries");
    }
    drop_pending(g.data_mut());
    if callee_size > Principal::MAX_LENGTH_IN_BYTES as u32 || name_size > MAX_METHOD_BYTES {
        return violation("call_new: the canister id or the method name is too long");
    }
    let callee = load(&mut g, callee, callee_size)?;
    let Ok(callee) = Principal::try_from_slice(&callee) else {
        return violation("call_new: bad canister id");
    };
    let name = load(&mut g, name, name_size)?;
    let Ok(method) = String::from_utf8(name) else { return violation("call_new: method name is not UTF-8") };
    g.data_mut().pending = Some(OutgoingCall {
        callee,
        method,
        argument: Vec::new(),
        cycles: 0,
        timeout: None,
        on_reply: Closure { function: reply_function, argument: reply_argument },
        on_reject: Closure { function: reject_function, argument: reject_argument },
        on_cleanup: None,
    });
    Ok(())
}

/// Gives up a call that was built but never performed; its cycles return to the balance.
pub(super) fn drop_pending(env: &mut Env) {
    if let Some(call) = env.pending.take() {
        env.effects.balance += call.cycles;
    }
}

fn pending<'a>(guest: &'a mut Guest<'_>, name: &str) -> Outcome<&'a mut OutgoingCall> {
    match &mut guest.data_mut().pending {
        Some(call) => Ok(call),
        None => violation(format!("\"{name}\" without call_new")),
    }
}

fn add_cycles(guest: &mut Guest<'_>, amount: u128) -> Outcome<()> {
    pending(guest, "call_cycles_add")?;
    let env = guest.data_mut();
    if env.liquid() < amount {
        return violation(format!("cannot attach {amount} cycles: {} are left to spend", env.liquid()));
    }
    env.effects.balance -= amount;
    if let Some(call) = &mut env.pending {
        call.cycles += amount;
    }
    Ok(())
}

/// Returns 0 when the call is made, 2 when the queue is full or the cycles do not suffice.
fn call_perform(mut g: Guest<'_>) -> Outcome<u32> {
    enter(&mut g, "call_perform", CALLS, system::CALL_PERFORM)?;
    let env = g.data_mut();
    let Some(call) = env.pending.take() else { return violation("call_perform without call_new") };
    let fee = fees::call(call.method.len() + call.argument.len());
    if env.effects.calls.len() >= env.inputs.call_slots || env.liquid() < fee + fees::response_reserve() {
        env.effects.balance += call.cycles;
        return Ok(2);
    }
    env.effects.balance -= fee;
    env.effects.calls.push(call);
    Ok(0)
}
