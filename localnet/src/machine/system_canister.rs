//! System calls about the canister and its subnet: identity, cycles, time, timer, certified data, costs, logs.

use candid::Principal;
use wasmtime::Linker;

use super::context::{ALL, ANY, C, CQ, G, I, NRQ, RQ, RT, RY, T, U};
use super::env::Env;
use super::halt::Halt;
use super::system::{
    Guest, PLAIN, amount, charge, copy, enter, load, load_at, narrow, store_amount, used, violation,
};
use super::weights::system;
use crate::subnet::fees;

const ROOT_KEY: u16 = I | G | U | RQ | RY | RT | C | T;

pub(super) fn link(l: &mut Linker<Env>) -> wasmtime::Result<()> {
    link_identity(l)?;
    link_cycles(l)?;
    link_certified(l)?;
    link_environment(l)?;
    link_costs(l)?;
    l.func_wrap("ic0", "time", |mut g: Guest<'_>| {
        enter(&mut g, "time", ALL, PLAIN)?;
        Ok(g.data().inputs.time)
    })?;
    l.func_wrap("ic0", "global_timer_set", |mut g: Guest<'_>, time: u64| {
        enter(&mut g, "global_timer_set", I | G | U | RY | RT | C | T, PLAIN)?;
        let env = g.data_mut();
        Ok(env.effects.timer.replace(time).unwrap_or(env.inputs.timer))
    })?;
    l.func_wrap("ic0", "performance_counter", |mut g: Guest<'_>, kind: u32| {
        enter(&mut g, "performance_counter", ANY, system::COUNTER)?;
        let used = used(&g)?;
        match kind {
            0 => Ok(used),
            1 => Ok(used + g.data().inputs.context_instructions),
            _ => violation(format!("performance_counter: no counter {kind}")),
        }
    })?;
    l.func_wrap("ic0", "in_replicated_execution", |mut g: Guest<'_>| {
        enter(&mut g, "in_replicated_execution", ANY, PLAIN)?;
        Ok(u32::from(g.data().inputs.kind.is_replicated()))
    })?;
    l.func_wrap("ic0", "debug_print", |mut g: Guest<'_>, src: u32, size: u32| {
        enter(&mut g, "debug_print", ANY, system::PRINT)?;
        // Printing never fails: text that lies outside the heap is left out.
        if let Ok(text) = load(&mut g, src, size) {
            g.data_mut().logs.push(text);
        }
        Ok(())
    })?;
    l.func_wrap("ic0", "trap", |mut g: Guest<'_>, src: u32, size: u32| {
        enter(&mut g, "trap", ANY, PLAIN)?;
        let text = load(&mut g, src, size.min(16 << 10))?;
        wasmtime::Result::<()>::Err(Halt::CalledTrap(String::from_utf8_lossy(&text).into_owned()).into())
    })?;
    Ok(())
}

fn link_identity(l: &mut Linker<Env>) -> wasmtime::Result<()> {
    macro_rules! bytes {
        ($size:literal, $copy:literal, $allowed:expr, $field:expr) => {
            l.func_wrap("ic0", $size, |mut g: Guest<'_>| {
                enter(&mut g, $size, $allowed, PLAIN)?;
                let bytes: fn(&Env) -> &[u8] = $field;
                Ok(bytes(g.data()).len() as u32)
            })?;
            l.func_wrap("ic0", $copy, |mut g: Guest<'_>, dst: u32, offset: u32, size: u32| {
                enter(&mut g, $copy, $allowed, PLAIN)?;
                let bytes: fn(&Env) -> &[u8] = $field;
                copy(&mut g, (dst, offset, size), |env| Ok(bytes(env)))
            })?;
        };
    }
    bytes!("canister_self_size", "canister_self_copy", ALL, |env| env.inputs.canister.as_slice());
    bytes!("subnet_self_size", "subnet_self_copy", ALL, |env| env.inputs.subnet.as_slice());
    bytes!("root_key_size", "root_key_copy", ROOT_KEY, |env| env.inputs.root_key.as_slice());
    l.func_wrap("ic0", "subnet_self_node_count", |mut g: Guest<'_>| {
        enter(&mut g, "subnet_self_node_count", ALL, PLAIN)?;
        Ok(fees::NODES as u32)
    })?;
    l.func_wrap("ic0", "canister_status", |mut g: Guest<'_>| {
        enter(&mut g, "canister_status", ALL, PLAIN)?;
        Ok(g.data().inputs.status)
    })?;
    l.func_wrap("ic0", "canister_version", |mut g: Guest<'_>| {
        enter(&mut g, "canister_version", ALL, PLAIN)?;
        Ok(g.data().inputs.version)
    })?;
    l.func_wrap("ic0", "is_controller", |mut g: Guest<'_>, src: u32, size: u32| {
        enter(&mut g, "is_controller", ANY, system::CONTROLLER)?;
        let bytes = load(&mut g, src, size)?;
        match Principal::try_from_slice(&bytes) {
            Ok(principal) => Ok(u32::from(g.data().inputs.controllers.contains(&principal))),
            Err(_) => violation("is_controller: not a principal"),
        }
    })?;
    Ok(())
}

fn link_cycles(l: &mut Linker<Env>) -> wasmtime::Result<()> {
    l.func_wrap("ic0", "canister_cycle_balance128", |mut g: Guest<'_>, dst: u32| {
        enter(&mut g, "canister_cycle_balance128", ALL, PLAIN)?;
        let balance = g.data().effects.balance;
        store_amount(&mut g, dst, balance)
    })?;
    l.func_wrap("ic0", "canister_cycle_balance", |mut g: Guest<'_>| {
        enter(&mut g, "canister_cycle_balance", ALL, PLAIN)?;
        narrow(g.data().effects.balance)
    })?;
    l.func_wrap("ic0", "canister_liquid_cycle_balance128", |mut g: Guest<'_>, dst: u32| {
        enter(&mut g, "canister_liquid_cycle_balance128", ALL, PLAIN)?;
        let liquid = g.data().liquid();
        store_amount(&mut g, dst, liquid)
    })?;
    l.func_wrap("ic0", "cycles_burn128", |mut g: Guest<'_>, high: u64, low: u64, dst: u32| {
        enter(&mut g, "cycles_burn128", I | G | U | RQ | RY | RT | C | T, PLAIN)?;
        let env = g.data_mut();
        let burned = amount(high, low).min(env.liquid());
        env.effects.balance -= burned;
        store_amount(&mut g, dst, burned)
    })?;
    Ok(())
}

fn link_certified(l: &mut Linker<Env>) -> wasmtime::Result<()> {
    l.func_wrap("ic0", "certified_data_set", |mut g: Guest<'_>, src: u32, size: u32| {
        enter(&mut g, "certified_data_set", I | G | U | RY | RT | T, PLAIN)?;
        if size > 32 {
            return violation(format!("certified_data_set: {size} bytes, at most 32 are possible"));
        }
        let data = load(&mut g, src, size)?;
        g.data_mut().effects.certified_data = Some(data);
        Ok(())
    })?;
    l.func_wrap("ic0", "data_certificate_present", |mut g: Guest<'_>| {
        enter(&mut g, "data_certificate_present", ALL, PLAIN)?;
        Ok(u32::from(g.data().inputs.certificate.is_some()))
    })?;
    l.func_wrap("ic0", "data_certificate_size", |mut g: Guest<'_>| {
        enter(&mut g, "data_certificate_size", NRQ | CQ, PLAIN)?;
        match &g.data().inputs.certificate {
            Some(certificate) => Ok(certificate.len() as u32),
            None => violation("there is no data certificate"),
        }
    })?;
    l.func_wrap("ic0", "data_certificate_copy", |mut g: Guest<'_>, dst: u32, offset: u32, size: u32| {
        enter(&mut g, "data_certificate_copy", NRQ | CQ, PLAIN)?;
        copy(&mut g, (dst, offset, size), |env| match &env.inputs.certificate {
            Some(certificate) => Ok(certificate.as_slice()),
            None => violation("there is no data certificate"),
        })
    })?;
    Ok(())
}

fn link_environment(l: &mut Linker<Env>) -> wasmtime::Result<()> {
    fn variable<'a>(env: &'a Env, name: &[u8]) -> wasmtime::Result<&'a [u8]> {
        match env.inputs.environment.iter().find(|(key, _)| key.as_bytes() == name) {
            Some((_, value)) => Ok(value.as_bytes()),
            None => violation("there is no environment variable of this name"),
        }
    }
    fn name(env: &Env, index: u32) -> wasmtime::Result<&[u8]> {
        match env.inputs.environment.get(index as usize) {
            Some((name, _)) => Ok(name.as_bytes()),
            None => violation(format!("there is no environment variable {index}")),
        }
    }
    l.func_wrap("ic0", "env_var_count", |mut g: Guest<'_>| {
        enter(&mut g, "env_var_count", ALL, PLAIN)?;
        Ok(g.data().inputs.environment.len() as u32)
    })?;
    l.func_wrap("ic0", "env_var_name_size", |mut g: Guest<'_>, index: u32| {
        enter(&mut g, "env_var_name_size", ALL, PLAIN)?;
        Ok(name(g.data(), index)?.len() as u32)
    })?;
    l.func_wrap(
        "ic0",
        "env_var_name_copy",
        |mut g: Guest<'_>, index: u32, dst: u32, offset: u32, size: u32| {
            enter(&mut g, "env_var_name_copy", ALL, PLAIN)?;
            copy(&mut g, (dst, offset, size), |env| name(env, index))
        },
    )?;
    l.func_wrap("ic0", "env_var_name_exists", |mut g: Guest<'_>, src: u32, size: u32| {
        enter(&mut g, "env_var_name_exists", ALL, PLAIN)?;
        let key = load(&mut g, src, size)?;
        Ok(u32::from(variable(g.data(), &key).is_ok()))
    })?;
    l.func_wrap("ic0", "env_var_value_size", |mut g: Guest<'_>, src: u32, size: u32| {
        enter(&mut g, "env_var_value_size", ALL, PLAIN)?;
        let key = load(&mut g, src, size)?;
        Ok(variable(g.data(), &key)?.len() as u32)
    })?;
    l.func_wrap(
        "ic0",
        "env_var_value_copy",
        |mut g: Guest<'_>, src: u32, length: u32, dst: u32, offset: u32, size: u32| {
            enter(&mut g, "env_var_value_copy", ALL, PLAIN)?;
            let key = load(&mut g, src, length)?;
            copy(&mut g, (dst, offset, size), |env| variable(env, &key))
        },
    )?;
    Ok(())
}

fn link_costs(l: &mut Linker<Env>) -> wasmtime::Result<()> {
    l.func_wrap("ic0", "cost_call", |mut g: Guest<'_>, method: u64, payload: u64, dst: u32| {
        enter(&mut g, "cost_call", ANY, PLAIN)?;
        let bytes = method.saturating_add(payload).min(u32::MAX.into());
        store_amount(&mut g, dst, fees::call(bytes as usize) + fees::response_reserve())
    })?;
    l.func_wrap("ic0", "cost_create_canister", |mut g: Guest<'_>, dst: u32| {
        enter(&mut g, "cost_create_canister", ANY, PLAIN)?;
        store_amount(&mut g, dst, fees::CREATE_CANISTER)
    })?;
    l.func_wrap("ic0", "cost_http_request", |mut g: Guest<'_>, request: u64, response: u64, dst: u32| {
        enter(&mut g, "cost_http_request", ANY, PLAIN)?;
        store_amount(&mut g, dst, fees::http_request(request, response))
    })?;
    l.func_wrap("ic0", "cost_http_request_v2", |mut g: Guest<'_>, src: u32, size: u32, dst: u32| {
        enter(&mut g, "cost_http_request_v2", ANY, PLAIN)?;
        load_at(&mut g, src.into(), size.into())?;
        store_amount(&mut g, dst, fees::http_request(0, 2_000_000))
    })?;
    // Threshold signatures are not part of this node: 2 is the answer for a key that does not exist.
    for name in ["cost_sign_with_ecdsa", "cost_sign_with_schnorr", "cost_vetkd_derive_key"] {
        l.func_wrap("ic0", name, move |mut g: Guest<'_>, _: u32, size: u32, _: u32, _: u32| {
            enter(&mut g, name, ANY, PLAIN)?;
            charge(&mut g, size.into())?;
            Ok(2u32)
        })?;
    }
    Ok(())
}
