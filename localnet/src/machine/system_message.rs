//! System calls about the message itself: argument, caller, reply, rejection, cycles that came with it.

use wasmtime::Linker;

use super::context::{ALL, C, CQ, F, NRQ, RQ, RT, RY, U};
use super::env::{Env, Response};
use super::halt::Rejection;
use super::system::{Guest, Outcome, PLAIN, amount, copy, enter, load, narrow, store_amount, violation};

const ARGUMENT: u16 = super::context::I | U | RQ | NRQ | CQ | RY | F;
const ANSWER: u16 = U | RQ | NRQ | CQ | RY | RT;
const CYCLES: u16 = U | RQ | RT | RY;
const CALLER_INFO: u16 = U | RQ | NRQ | CQ | RY | RT | C | F;

pub(super) fn link(linker: &mut Linker<Env>) -> wasmtime::Result<()> {
    let l = linker;
    l.func_wrap("ic0", "msg_arg_data_size", |mut g: Guest<'_>| {
        enter(&mut g, "msg_arg_data_size", ARGUMENT, PLAIN)?;
        Ok(g.data().inputs.argument.len() as u32)
    })?;
    l.func_wrap("ic0", "msg_arg_data_copy", |mut g: Guest<'_>, dst: u32, offset: u32, size: u32| {
        enter(&mut g, "msg_arg_data_copy", ARGUMENT, PLAIN)?;
        copy(&mut g, (dst, offset, size), |env| Ok(&env.inputs.argument))
    })?;
    l.func_wrap("ic0", "msg_caller_size", |mut g: Guest<'_>| {
        enter(&mut g, "msg_caller_size", ALL, PLAIN)?;
        Ok(g.data().inputs.caller.as_slice().len() as u32)
    })?;
    l.func_wrap("ic0", "msg_caller_copy", |mut g: Guest<'_>, dst: u32, offset: u32, size: u32| {
        enter(&mut g, "msg_caller_copy", ALL, PLAIN)?;
        copy(&mut g, (dst, offset, size), |env| Ok(env.inputs.caller.as_slice()))
    })?;
    // No request with sender information is admitted, so there is never any.
    for (size_name, copy_name) in [
        ("msg_caller_info_data_size", "msg_caller_info_data_copy"),
        ("msg_caller_info_signer_size", "msg_caller_info_signer_copy"),
    ] {
        l.func_wrap("ic0", size_name, move |mut g: Guest<'_>| {
            enter(&mut g, size_name, CALLER_INFO, PLAIN)?;
            Ok(0u32)
        })?;
        l.func_wrap("ic0", copy_name, move |mut g: Guest<'_>, dst: u32, offset: u32, size: u32| {
            enter(&mut g, copy_name, CALLER_INFO, PLAIN)?;
            copy(&mut g, (dst, offset, size), |_| Ok(&[]))
        })?;
    }
    l.func_wrap("ic0", "msg_deadline", |mut g: Guest<'_>| {
        enter(&mut g, "msg_deadline", U | RQ | NRQ | CQ | RY | RT, PLAIN)?;
        Ok(g.data().inputs.deadline)
    })?;
    l.func_wrap("ic0", "msg_method_name_size", |mut g: Guest<'_>| {
        enter(&mut g, "msg_method_name_size", F, PLAIN)?;
        Ok(g.data().inputs.method.len() as u32)
    })?;
    l.func_wrap("ic0", "msg_method_name_copy", |mut g: Guest<'_>, dst: u32, offset: u32, size: u32| {
        enter(&mut g, "msg_method_name_copy", F, PLAIN)?;
        copy(&mut g, (dst, offset, size), |env| Ok(env.inputs.method.as_bytes()))
    })?;
    l.func_wrap("ic0", "accept_message", |mut g: Guest<'_>| {
        enter(&mut g, "accept_message", F, PLAIN)?;
        if std::mem::replace(&mut g.data_mut().effects.accepted, true) {
            return violation("accept_message was called twice");
        }
        Ok(())
    })?;
    link_rejection(l)?;
    link_answer(l)?;
    link_cycles(l)
}

fn link_rejection(l: &mut Linker<Env>) -> wasmtime::Result<()> {
    l.func_wrap("ic0", "msg_reject_code", |mut g: Guest<'_>| {
        enter(&mut g, "msg_reject_code", RY | RT | C, PLAIN)?;
        Ok(g.data().inputs.rejection.as_ref().map_or(0, |(code, _)| *code as u32))
    })?;
    l.func_wrap("ic0", "msg_reject_msg_size", |mut g: Guest<'_>| {
        enter(&mut g, "msg_reject_msg_size", RT, PLAIN)?;
        Ok(reject_message(g.data())?.len() as u32)
    })?;
    l.func_wrap("ic0", "msg_reject_msg_copy", |mut g: Guest<'_>, dst: u32, offset: u32, size: u32| {
        enter(&mut g, "msg_reject_msg_copy", RT, PLAIN)?;
        copy(&mut g, (dst, offset, size), reject_message)
    })?;
    Ok(())
}

fn reject_message(env: &Env) -> Outcome<&[u8]> {
    match &env.inputs.rejection {
        Some((_, message)) => Ok(message.as_bytes()),
        None => violation("there is no rejection"),
    }
}

fn link_answer(l: &mut Linker<Env>) -> wasmtime::Result<()> {
    l.func_wrap("ic0", "msg_reply_data_append", |mut g: Guest<'_>, src: u32, size: u32| {
        enter(&mut g, "msg_reply_data_append", ANSWER, PLAIN)?;
        unanswered(&g, "msg_reply_data_append")?;
        let bytes = load(&mut g, src, size)?;
        let (limit, reply) = (g.data().inputs.kind.reply_limit(), &mut g.data_mut().reply);
        if reply.len() + bytes.len() > limit {
            return violation(format!("the reply exceeds the limit of {limit} bytes"));
        }
        reply.extend(bytes);
        Ok(())
    })?;
    l.func_wrap("ic0", "msg_reply", |mut g: Guest<'_>| {
        enter(&mut g, "msg_reply", ANSWER, PLAIN)?;
        unanswered(&g, "msg_reply")?;
        let reply = std::mem::take(&mut g.data_mut().reply);
        g.data_mut().effects.response = Some(Response::Reply(reply));
        Ok(())
    })?;
    l.func_wrap("ic0", "msg_reject", |mut g: Guest<'_>, src: u32, size: u32| {
        enter(&mut g, "msg_reject", ANSWER, PLAIN)?;
        unanswered(&g, "msg_reject")?;
        let message = load(&mut g, src, size)?;
        let Ok(message) = String::from_utf8(message) else {
            return violation("the reject message is not UTF-8");
        };
        g.data_mut().effects.response = Some(Response::Reject(Rejection::by_canister(message)));
        Ok(())
    })?;
    Ok(())
}

fn unanswered(guest: &Guest<'_>, name: &str) -> Outcome<()> {
    if !guest.data().inputs.may_reply || guest.data().effects.response.is_some() {
        return violation(format!("\"{name}\": the call is already replied to"));
    }
    Ok(())
}

fn link_cycles(l: &mut Linker<Env>) -> wasmtime::Result<()> {
    l.func_wrap("ic0", "msg_cycles_available128", |mut g: Guest<'_>, dst: u32| {
        enter(&mut g, "msg_cycles_available128", CYCLES, PLAIN)?;
        let available = available(g.data());
        store_amount(&mut g, dst, available)
    })?;
    l.func_wrap("ic0", "msg_cycles_available", |mut g: Guest<'_>| {
        enter(&mut g, "msg_cycles_available", CYCLES, PLAIN)?;
        narrow(available(g.data()))
    })?;
    l.func_wrap("ic0", "msg_cycles_refunded128", |mut g: Guest<'_>, dst: u32| {
        enter(&mut g, "msg_cycles_refunded128", RT | RY, PLAIN)?;
        let refunded = g.data().inputs.refunded;
        store_amount(&mut g, dst, refunded)
    })?;
    l.func_wrap("ic0", "msg_cycles_refunded", |mut g: Guest<'_>| {
        enter(&mut g, "msg_cycles_refunded", RT | RY, PLAIN)?;
        narrow(g.data().inputs.refunded)
    })?;
    l.func_wrap("ic0", "msg_cycles_accept128", |mut g: Guest<'_>, high: u64, low: u64, dst: u32| {
        enter(&mut g, "msg_cycles_accept128", CYCLES, PLAIN)?;
        let accepted = accept(g.data_mut(), amount(high, low));
        store_amount(&mut g, dst, accepted)
    })?;
    l.func_wrap("ic0", "msg_cycles_accept", |mut g: Guest<'_>, max: u64| {
        enter(&mut g, "msg_cycles_accept", CYCLES, PLAIN)?;
        Ok(accept(g.data_mut(), max.into()) as u64)
    })?;
    Ok(())
}

/// Cycles of the call that are still there to be accepted; none once the call is answered.
fn available(env: &Env) -> u128 {
    if env.effects.response.is_some() || !env.inputs.may_reply {
        return 0;
    }
    env.inputs.available - env.effects.cycles_accepted
}

fn accept(env: &mut Env, max: u128) -> u128 {
    let accepted = max.min(available(env));
    env.effects.cycles_accepted += accepted;
    env.effects.balance += accepted;
    accepted
}
