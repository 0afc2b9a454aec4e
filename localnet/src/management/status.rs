//! Describing canisters: status, logs, info.

use candid::{Nat, Principal};
use ic_management_canister_types::{
    CanisterIdRecord, CanisterInfoArgs, CanisterInfoResult, CanisterLogFilter, CanisterLogRecord,
    CanisterStatusResult, CanisterStatusType, FetchCanisterLogsArgs, FetchCanisterLogsResult, LogVisibility,
    MemoryMetrics, QueryStats, StatusVisibility,
};

use super::settings::definite;
use super::{Outcome, check_controller, decode, encode, reply};
use crate::machine::{Rejection, WASM_PAGE};
use crate::subnet::Subnet;
use crate::subnet::no_canister;
use crate::subnet::state::{Call, Canister, LogLine, Phase, State};

pub(super) fn canister_status(
    state: &State,
    sender: Principal,
    argument: &[u8],
) -> Result<Vec<u8>, Rejection> {
    let id = decode::<CanisterIdRecord>(argument)?.canister_id;
    let canister = state.canisters.get(&id).ok_or_else(|| no_canister(id))?;
    let seen = match &canister.settings.status_visibility {
        StatusVisibility::Public => true,
        StatusVisibility::AllowedViewers(viewers) => viewers.contains(&sender),
        StatusVisibility::Controllers => false,
    };
    if !seen && sender != id {
        check_controller(canister, sender, id)?;
    }
    encode((status(canister),))
}

fn status(canister: &Canister) -> CanisterStatusResult {
    let zero = || Nat::from(0u8);
    let module = canister.module.as_ref();
    CanisterStatusResult {
        status: match canister.phase {
            Phase::Running => CanisterStatusType::Running,
            Phase::Stopping => CanisterStatusType::Stopping,
            Phase::Stopped => CanisterStatusType::Stopped,
        },
        ready_for_migration: false,
        version: canister.calls.version,
        settings: definite(&canister.settings),
        module_hash: module.map(|module| module.hash.to_vec()),
        memory_size: canister.memory_bytes().into(),
        memory_metrics: MemoryMetrics {
            wasm_memory_size: (canister.heap.size * WASM_PAGE).into(),
            stable_memory_size: (canister.stable.size * WASM_PAGE).into(),
            global_memory_size: (canister.heap.globals.len() * 8).into(),
            wasm_binary_size: module.map_or(0, |module| module.bytes.len()).into(),
            custom_sections_size: module.map_or(0, |module| module.custom_bytes).into(),
            canister_history_size: zero(),
            wasm_chunk_store_size: canister.chunk_bytes().into(),
            snapshots_size: zero(),
            log_memory_store_size: canister.log_bytes().into(),
        },
        cycles: canister.cycles.into(),
        reserved_cycles: zero(),
        idle_cycles_burned_per_day: canister.idle_per_day().into(),
        query_stats: QueryStats {
            num_calls_total: zero(),
            num_instructions_total: zero(),
            request_payload_bytes_total: zero(),
            response_payload_bytes_total: zero(),
        },
    }
}

pub(super) fn fetch_canister_logs(
    state: &State,
    sender: Principal,
    argument: &[u8],
) -> Result<Vec<u8>, Rejection> {
    let args: FetchCanisterLogsArgs = decode(argument)?;
    let id = args.canister_id;
    let canister = state.canisters.get(&id).ok_or_else(|| no_canister(id))?;
    match &canister.settings.log_visibility {
        LogVisibility::Public => {}
        LogVisibility::AllowedViewers(viewers) if viewers.contains(&sender) => {}
        _ => check_controller(canister, sender, id)?,
    }
    let wanted = |line: &&LogLine| match &args.filter {
        None => true,
        Some(CanisterLogFilter::ByIdx { start, end }) => (*start..*end).contains(&line.index),
        Some(CanisterLogFilter::ByTimestampNanos { start, end }) => (*start..*end).contains(&line.time),
    };
    let record = |line: &LogLine| CanisterLogRecord {
        idx: line.index,
        timestamp_nanos: line.time,
        content: line.text.clone(),
    };
    let canister_log_records = canister.calls.logs.iter().filter(wanted).map(record).collect();
    encode((FetchCanisterLogsResult { canister_log_records },))
}

impl Subnet {
    /// Answers with hash and controllers; the history of changes is not kept.
    pub(super) fn canister_info(&mut self, call: &Call) -> Outcome {
        let args: CanisterInfoArgs = decode(&call.argument)?;
        let canister = self.canister(args.canister_id)?;
        let info = CanisterInfoResult {
            total_num_changes: 0,
            recent_changes: Vec::new(),
            module_hash: canister.module.as_ref().map(|module| module.hash.to_vec()),
            controllers: canister.settings.controllers.to_vec(),
        };
        reply((info,), call.cycles)
    }
}
