//! Canister settings: from their Candid record, with the limits of the interface specification, and back.

use std::sync::Arc;

use candid::{Nat, Principal};
use ic_management_canister_types::{
    CanisterSettings, DefiniteCanisterSettings, EnvironmentVariable, UpdateSettingsArgs,
};

use super::{Done, Outcome, bad_argument, decode, empty_reply};
use crate::machine::Rejection;
use crate::subnet::Subnet;
use crate::subnet::state::{Call, Settings};

const MAX_CONTROLLERS: usize = 10;
const MAX_VARIABLES: usize = 20;
const MAX_VARIABLE_BYTES: usize = 128;
const MAX_LOG_BYTES: u64 = 2 << 20;

impl Subnet {
    pub(super) fn update_settings(&mut self, call: &Call) -> Outcome {
        let args: UpdateSettingsArgs = decode(&call.argument)?;
        self.controlled(call.caller, args.canister_id)?;
        if let Some(canister) = self.canister_mut(args.canister_id) {
            canister.settings = apply(&canister.settings, args.settings)?;
            canister.calls.version += 1;
        }
        Ok(Done::Reply(empty_reply(), call.cycles))
    }
}

/// The settings after a change.
pub(super) fn apply(before: &Settings, change: CanisterSettings) -> Result<Settings, Rejection> {
    let mut settings = before.clone();
    if let Some(mut controllers) = change.controllers {
        controllers.sort();
        controllers.dedup();
        if controllers.len() > MAX_CONTROLLERS {
            return Err(bad_argument(format!(
                "{} controllers, at most {MAX_CONTROLLERS}",
                controllers.len()
            )));
        }
        settings.controllers = Arc::new(controllers);
    }
    set(&mut settings.compute_allocation, "compute_allocation", change.compute_allocation, 100)?;
    set(&mut settings.memory_allocation, "memory_allocation", change.memory_allocation, 1 << 48)?;
    set(&mut settings.freezing_threshold, "freezing_threshold", change.freezing_threshold, u64::MAX)?;
    set(&mut settings.wasm_memory_limit, "wasm_memory_limit", change.wasm_memory_limit, 1 << 48)?;
    set(
        &mut settings.wasm_memory_threshold,
        "wasm_memory_threshold",
        change.wasm_memory_threshold,
        u64::MAX,
    )?;
    set(&mut settings.log_memory_limit, "log_memory_limit", change.log_memory_limit, MAX_LOG_BYTES)?;
    set_wide(&mut settings.reserved_cycles_limit, "reserved_cycles_limit", change.reserved_cycles_limit)?;
    set_wide(
        &mut settings.minimum_call_cycles,
        "minimum_incoming_canister_call_cycles",
        change.minimum_incoming_canister_call_cycles,
    )?;
    settings.log_visibility = change.log_visibility.unwrap_or(settings.log_visibility);
    settings.snapshot_visibility = change.snapshot_visibility.unwrap_or(settings.snapshot_visibility);
    settings.status_visibility = change.status_visibility.unwrap_or(settings.status_visibility);
    if let Some(variables) = change.environment_variables {
        let too_long = |text: &str| text.len() > MAX_VARIABLE_BYTES;
        let wrong = |variable: &EnvironmentVariable| too_long(&variable.name) || too_long(&variable.value);
        if variables.len() > MAX_VARIABLES || variables.iter().any(wrong) {
            let text = format!("at most {MAX_VARIABLES} environment variables of {MAX_VARIABLE_BYTES} bytes");
            return Err(bad_argument(text));
        }
        let pairs = variables.into_iter().map(|variable| (variable.name, variable.value));
        settings.environment = Arc::new(pairs.collect());
    }
    Ok(settings)
}

fn set(field: &mut u64, name: &str, value: Option<Nat>, limit: u64) -> Result<(), Rejection> {
    let Some(value) = value else { return Ok(()) };
    match u64::try_from(&value.0) {
        Ok(value) if value <= limit => *field = value,
        _ => return Err(bad_argument(format!("{name}: {value} is larger than {limit}"))),
    }
    Ok(())
}

fn set_wide(field: &mut u128, name: &str, value: Option<Nat>) -> Result<(), Rejection> {
    let Some(value) = value else { return Ok(()) };
    *field = amount(&value).ok_or_else(|| bad_argument(format!("{name}: {value} is too large")))?;
    Ok(())
}

/// The number, if it fits 128 bits.
pub(crate) fn amount(value: &Nat) -> Option<u128> {
    u128::try_from(&value.0).ok()
}

/// The record that `canister_status` shows.
pub(super) fn definite(settings: &Settings) -> DefiniteCanisterSettings {
    let variable =
        |(name, value): &(String, String)| EnvironmentVariable { name: name.clone(), value: value.clone() };
    let controllers: &Vec<Principal> = &settings.controllers;
    DefiniteCanisterSettings {
        controllers: controllers.clone(),
        compute_allocation: settings.compute_allocation.into(),
        memory_allocation: settings.memory_allocation.into(),
        freezing_threshold: settings.freezing_threshold.into(),
        reserved_cycles_limit: settings.reserved_cycles_limit.into(),
        minimum_incoming_canister_call_cycles: settings.minimum_call_cycles.into(),
        log_visibility: settings.log_visibility.clone(),
        log_memory_limit: settings.log_memory_limit.into(),
        snapshot_visibility: settings.snapshot_visibility.clone(),
        status_visibility: settings.status_visibility.clone(),
        wasm_memory_limit: settings.wasm_memory_limit.into(),
        wasm_memory_threshold: settings.wasm_memory_threshold.into(),
        environment_variables: settings.environment.iter().map(variable).collect(),
    }
}
