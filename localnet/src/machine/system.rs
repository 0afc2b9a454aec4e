//! The system API `ic0`: what every function shares (context check, instruction charge, access to the heap).

use std::ops::Range;

use wasmtime::{Caller, Linker};

use super::context::Contexts;
use super::env::Env;
use super::halt::Halt;
use super::weights::system;
use super::{system_calls, system_canister, system_message, system_stable};

pub(super) type Guest<'a> = Caller<'a, Env>;
pub(super) type Outcome<T> = wasmtime::Result<T>;

/// Links every function of the system API.
pub(super) fn link(linker: &mut Linker<Env>) -> wasmtime::Result<()> {
    system_message::link(linker)?;
    system_calls::link(linker)?;
    system_canister::link(linker)?;
    system_stable::link(linker)
}

pub(super) fn violation<T>(text: impl Into<String>) -> Outcome<T> {
    Err(Halt::Violation(text.into()).into())
}

/// Checks that the message kind allows the call, and charges for it.
pub(super) fn enter(guest: &mut Guest<'_>, name: &str, allowed: Contexts, cost: u64) -> Outcome<()> {
    let kind = guest.data().inputs.kind;
    if kind.bit() & allowed == 0 {
        return violation(format!("\"{name}\" cannot be executed in {} mode", mode(kind)));
    }
    // One more, because host functions have no entry for wasmtime to count.
    charge(guest, cost + 1)
}

fn mode(kind: super::context::Kind) -> &'static str {
    use super::context::Kind::*;
    match kind {
        Start => "start",
        Init | PostUpgrade => "init",
        PreUpgrade => "pre upgrade",
        Update => "update",
        ReplicatedQuery => "replicated query",
        Query => "non replicated query",
        CompositeQuery => "composite query",
        Reply => "reply callback",
        Reject => "reject callback",
        Cleanup => "cleanup",
        Inspect => "inspect message",
        Timer => "system task",
    }
}

/// Takes `instructions` off the message's limit.
pub(super) fn charge(guest: &mut Guest<'_>, instructions: u64) -> Outcome<()> {
    let left = guest.get_fuel()?;
    if left < instructions {
        guest.set_fuel(0)?;
        return Err(Halt::InstructionLimit(guest.data().limit).into());
    }
    guest.set_fuel(left - instructions)
}

/// Instructions that the message used so far.
pub(super) fn used(guest: &Guest<'_>) -> Outcome<u64> {
    Ok(guest.data().limit.saturating_sub(guest.get_fuel()?))
}

fn range(start: u64, size: u64, length: usize) -> Outcome<Range<usize>> {
    match start.checked_add(size) {
        Some(end) if end <= length as u64 => Ok(start as usize..end as usize),
        _ => violation(format!("out of bounds: {size} bytes at {start}, of {length}")),
    }
}

/// The heap and the environment at once.
pub(super) fn heap<'a>(guest: &'a mut Guest<'_>) -> Outcome<(&'a mut [u8], &'a mut Env)> {
    let Some(memory) = guest.data().memory else { return violation("the module has no memory") };
    Ok(memory.data_and_store_mut(guest))
}

/// Copies bytes out of the heap, charging one instruction per byte.
pub(super) fn load(guest: &mut Guest<'_>, src: u32, size: u32) -> Outcome<Vec<u8>> {
    load_at(guest, src.into(), size.into())
}

/// [`load`] with 64-bit addresses.
pub(super) fn load_at(guest: &mut Guest<'_>, src: u64, size: u64) -> Outcome<Vec<u8>> {
    charge(guest, size)?;
    let (heap, _) = heap(guest)?;
    let range = range(src, size, heap.len())?;
    Ok(heap[range].to_vec())
}

/// Copies `bytes` into the heap.
pub(super) fn store(guest: &mut Guest<'_>, dst: u64, bytes: &[u8]) -> Outcome<()> {
    let (heap, _) = heap(guest)?;
    let range = range(dst, bytes.len() as u64, heap.len())?;
    heap[range].copy_from_slice(bytes);
    Ok(())
}

/// Copies `size` bytes at `offset` of a byte string of the message into the heap, charging per byte.
pub(super) fn copy(
    guest: &mut Guest<'_>,
    (dst, offset, size): (u32, u32, u32),
    source: impl FnOnce(&Env) -> Outcome<&[u8]>,
) -> Outcome<()> {
    charge(guest, size.into())?;
    let (heap, env) = heap(guest)?;
    let bytes = source(env)?;
    let from = range(offset.into(), size.into(), bytes.len())?;
    let to = range(dst.into(), size.into(), heap.len())?;
    heap[to].copy_from_slice(&bytes[from]);
    Ok(())
}

/// Writes an amount of cycles as 16 little-endian bytes.
pub(super) fn store_amount(guest: &mut Guest<'_>, dst: u32, amount: u128) -> Outcome<()> {
    store(guest, dst.into(), &amount.to_le_bytes())
}

/// Joins the two halves of an amount of cycles.
pub(super) fn amount(high: u64, low: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

/// The amount as the 64-bit functions return it; larger amounts are a violation.
pub(super) fn narrow(amount: u128) -> Outcome<u64> {
    u64::try_from(amount).or_else(|_| violation("the amount of cycles does not fit 64 bits"))
}

/// The charge of most functions.
pub(super) const PLAIN: u64 = system::PLAIN;
