//! System calls on stable memory.

use wasmtime::Linker;

use super::context::ANY;
use super::env::{Env, MAX_STABLE_BYTES, WASM_PAGE};
use super::system::{Guest, Outcome, PLAIN, charge, enter, heap, load_at, violation};
use super::weights::system;

/// Size above which the 32-bit functions trap, in WebAssembly pages.
const MAX_NARROW_PAGES: u64 = 65_536;

pub(super) fn link(l: &mut Linker<Env>) -> wasmtime::Result<()> {
    l.func_wrap("ic0", "stable64_size", |mut g: Guest<'_>| {
        enter(&mut g, "stable64_size", ANY, system::STABLE)?;
        Ok(g.data().stable.size)
    })?;
    l.func_wrap("ic0", "stable64_grow", |mut g: Guest<'_>, pages: u64| {
        enter(&mut g, "stable64_grow", ANY, PLAIN)?;
        Ok(grow(g.data_mut(), pages, MAX_STABLE_BYTES / WASM_PAGE).unwrap_or(u64::MAX))
    })?;
    l.func_wrap("ic0", "stable64_write", |mut g: Guest<'_>, offset: u64, src: u64, size: u64| {
        enter(&mut g, "stable64_write", ANY, system::STABLE)?;
        write(&mut g, offset, src, size)
    })?;
    l.func_wrap("ic0", "stable64_read", |mut g: Guest<'_>, dst: u64, offset: u64, size: u64| {
        enter(&mut g, "stable64_read", ANY, system::STABLE)?;
        read(&mut g, dst, offset, size)
    })?;
    l.func_wrap("ic0", "stable_size", |mut g: Guest<'_>| {
        enter(&mut g, "stable_size", ANY, system::STABLE)?;
        narrow(g.data())?;
        Ok(g.data().stable.size as u32)
    })?;
    l.func_wrap("ic0", "stable_grow", |mut g: Guest<'_>, pages: u32| {
        enter(&mut g, "stable_grow", ANY, PLAIN)?;
        narrow(g.data())?;
        Ok(grow(g.data_mut(), pages.into(), MAX_NARROW_PAGES).map_or(u32::MAX, |size| size as u32))
    })?;
    l.func_wrap("ic0", "stable_write", |mut g: Guest<'_>, offset: u32, src: u32, size: u32| {
        enter(&mut g, "stable_write", ANY, system::STABLE)?;
        narrow(g.data())?;
        write(&mut g, offset.into(), src.into(), size.into())
    })?;
    l.func_wrap("ic0", "stable_read", |mut g: Guest<'_>, dst: u32, offset: u32, size: u32| {
        enter(&mut g, "stable_read", ANY, system::STABLE)?;
        narrow(g.data())?;
        read(&mut g, dst.into(), offset.into(), size.into())
    })?;
    Ok(())
}

fn narrow(env: &Env) -> Outcome<()> {
    if env.stable.size > MAX_NARROW_PAGES {
        return violation("stable memory is larger than 4 GiB: use the 64-bit functions");
    }
    Ok(())
}

/// Grows by `pages` and returns the size before, or nothing if the limit does not allow it.
fn grow(env: &mut Env, pages: u64, limit: u64) -> Option<u64> {
    let before = env.stable.size;
    env.stable.size = before.checked_add(pages).filter(|size| *size <= limit)?;
    Some(before)
}

fn check(env: &Env, offset: u64, size: u64) -> Outcome<()> {
    match offset.checked_add(size) {
        Some(end) if end <= env.stable.size * WASM_PAGE => Ok(()),
        _ => violation(format!("stable memory out of bounds: {size} bytes at {offset}")),
    }
}

fn write(guest: &mut Guest<'_>, offset: u64, src: u64, size: u64) -> Outcome<()> {
    check(guest.data(), offset, size)?;
    guest.data_mut().move_stable(size)?;
    let fresh = guest.data_mut().touch_stable(offset, size);
    charge(guest, fresh * system::STABLE_DIRTY_PAGE)?;
    let bytes = load_at(guest, src, size)?;
    guest.data_mut().stable.pages.write(offset, &bytes);
    Ok(())
}

fn read(guest: &mut Guest<'_>, dst: u64, offset: u64, size: u64) -> Outcome<()> {
    check(guest.data(), offset, size)?;
    guest.data_mut().move_stable(size)?;
    charge(guest, size)?;
    let (heap, env) = heap(guest)?;
    match dst.checked_add(size) {
        Some(end) if end <= heap.len() as u64 => {
            env.stable.pages.read(offset, &mut heap[dst as usize..end as usize]);
            Ok(())
        }
        _ => violation(format!("out of bounds: {size} bytes at {dst}, of {}", heap.len())),
    }
}
