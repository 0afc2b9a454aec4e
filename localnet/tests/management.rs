//! The management canister: who may do what to a canister.

mod support;

use std::time::Duration;

use candid::{Nat, Principal};
use localnet::management_types::{
    CanisterIdRecord, CanisterInstallMode, CanisterLogFilter, CanisterSettings, CanisterStatusResult,
    CanisterStatusType, ChunkHash, FetchCanisterLogsArgs, FetchCanisterLogsResult, InstallChunkedCodeArgs,
    LogVisibility, ProvisionalCreateCanisterWithCyclesArgs, ProvisionalTopUpCanisterArgs, UpdateSettingsArgs,
    UploadChunkArgs,
};
use localnet::{Rejection, Subnet};
use sha2::{Digest, Sha256};
use support::{CALLER, COUNTER, install, user};

fn stranger() -> Principal {
    Principal::self_authenticating(b"stranger")
}

fn record(canister_id: Principal) -> CanisterIdRecord {
    CanisterIdRecord { canister_id }
}

fn status(subnet: &mut Subnet, canister: Principal) -> CanisterStatusResult {
    candid::decode_one(&subnet.management(user(), "canister_status", record(canister)).unwrap()).unwrap()
}

fn settings(change: CanisterSettings, canister_id: Principal) -> UpdateSettingsArgs {
    UpdateSettingsArgs { canister_id, settings: change, sender_canister_version: None }
}

fn code(rejection: &Rejection) -> &str {
    rejection.error_code.as_deref().unwrap_or_default()
}

#[test]
fn a_stranger_can_do_nothing_to_a_canister() {
    let (mut subnet, canister) = install(COUNTER);
    let wasm = wat::parse_str(COUNTER).unwrap();
    for method in
        ["start_canister", "stop_canister", "delete_canister", "canister_status", "clear_chunk_store"]
    {
        let rejection = subnet.management(stranger(), method, record(canister)).unwrap_err();
        assert_eq!(code(&rejection), "IC0512", "{method}");
    }
    let rejection =
        subnet.install(stranger(), canister, CanisterInstallMode::Reinstall, &wasm, b"").unwrap_err();
    assert_eq!(code(&rejection), "IC0512");
    let change =
        settings(CanisterSettings { controllers: Some(vec![stranger()]), ..Default::default() }, canister);
    assert_eq!(code(&subnet.management(stranger(), "update_settings", &change).unwrap_err()), "IC0512");
    subnet.management(user(), "update_settings", &change).unwrap();
    assert_eq!(code(&subnet.management(user(), "stop_canister", record(canister)).unwrap_err()), "IC0512");
    subnet.management(stranger(), "stop_canister", record(canister)).unwrap();
}

#[test]
fn a_module_larger_than_a_message_is_installed_in_chunks() {
    let (mut subnet, _) = install(COUNTER);
    let canister_id = subnet.create_canister(user()).unwrap();
    let filler = "x".repeat(2_500_000);
    let body = COUNTER.trim_end().strip_suffix(')').unwrap();
    let wasm = wat::parse_str(format!(r#"{body} (@custom "filler" "{filler}"))"#)).unwrap();
    let mut hashes = Vec::new();
    for chunk in wasm.chunks(1 << 20) {
        let args = UploadChunkArgs { canister_id, chunk: chunk.to_vec() };
        assert_eq!(code(&subnet.management(stranger(), "upload_chunk", &args).unwrap_err()), "IC0512");
        let reply = subnet.management(user(), "upload_chunk", &args).unwrap();
        hashes.push(candid::decode_one::<ChunkHash>(&reply).unwrap());
    }
    assert_eq!(hashes.len(), 3);
    let reply = subnet.management(user(), "stored_chunks", record(canister_id)).unwrap();
    assert_eq!(candid::decode_one::<Vec<ChunkHash>>(&reply).unwrap().len(), 3);
    let args = |hashes: &[ChunkHash]| InstallChunkedCodeArgs {
        mode: CanisterInstallMode::Install,
        target_canister: canister_id,
        store_canister: None,
        chunk_hashes_list: hashes.to_vec(),
        wasm_module_hash: Sha256::digest(&wasm).to_vec(),
        arg: vec![],
        sender_canister_version: None,
    };
    let rejection = subnet.management(user(), "install_chunked_code", args(&hashes[..2])).unwrap_err();
    assert!(rejection.message.contains("the chunks have hash"), "{rejection}");
    let missing = [ChunkHash { hash: vec![1; 32] }];
    let rejection = subnet.management(user(), "install_chunked_code", args(&missing)).unwrap_err();
    assert!(rejection.message.contains("no chunk with hash"), "{rejection}");
    subnet.management(user(), "install_chunked_code", args(&hashes)).unwrap();
    subnet.management(user(), "clear_chunk_store", record(canister_id)).unwrap();
    assert_eq!(subnet.update(user(), canister_id, "bump", b"").unwrap()[..4], [1, 0, 0, 0]);
    assert_eq!(status(&mut subnet, canister_id).module_hash, Some(Sha256::digest(&wasm).to_vec()));
    let args = UploadChunkArgs { canister_id, chunk: vec![0; (1 << 20) + 1] };
    assert!(subnet.management(user(), "upload_chunk", &args).is_err());
}

#[test]
fn stopping_waits_for_open_calls_and_refuses_new_ones() {
    let (mut subnet, canister) = install(CALLER);
    let call = subnet.begin(user(), canister, "round_trip", b"").unwrap();
    assert!(subnet.step());
    let stop = candid::encode_one(record(canister)).unwrap();
    let stop = subnet.begin(user(), Principal::management_canister(), "stop_canister", &stop).unwrap();
    assert!(subnet.step());
    assert_eq!(status(&mut subnet, canister).status, CanisterStatusType::Stopping);
    assert_eq!(code(&subnet.update(user(), canister, "count", b"").unwrap_err()), "IC0509");
    assert_eq!(subnet.outcome(stop), None);
    subnet.run_until_idle();
    // The call to itself was in the queue already; its answer still arrives.
    assert!(subnet.outcome(call).unwrap().is_ok());
    assert!(subnet.outcome(stop).unwrap().is_ok());
    assert_eq!(code(&subnet.update(user(), canister, "count", b"").unwrap_err()), "IC0508");
    assert_eq!(code(&subnet.query(user(), canister, "state", b"").unwrap_err()), "IC0508");
    subnet.management(user(), "start_canister", record(canister)).unwrap();
    subnet.update(user(), canister, "count", b"").unwrap();
    assert_eq!(code(&subnet.management(user(), "delete_canister", record(canister)).unwrap_err()), "IC0510");
    subnet.management(user(), "stop_canister", record(canister)).unwrap();
    subnet.management(user(), "delete_canister", record(canister)).unwrap();
    assert_eq!(code(&subnet.update(user(), canister, "count", b"").unwrap_err()), "IC0301");
}

#[test]
fn uninstalling_rejects_open_calls_and_leaves_an_empty_canister() {
    let (mut subnet, canister) = install(CALLER);
    let call = subnet.begin(user(), canister, "round_trip", b"").unwrap();
    assert!(subnet.step());
    subnet.management(user(), "uninstall_code", record(canister)).unwrap();
    assert_eq!(code(&subnet.outcome(call).unwrap().unwrap_err()), "IC0537");
    let status = status(&mut subnet, canister);
    assert_eq!((status.module_hash, status.memory_size), (None, Nat::from(0u8)));
}

#[test]
fn cycles_are_given_spent_on_storage_and_run_out() {
    let (mut subnet, _) = install(COUNTER);
    let create = |amount: u64| ProvisionalCreateCanisterWithCyclesArgs {
        amount: Some(amount.into()),
        ..ProvisionalCreateCanisterWithCyclesArgs::default()
    };
    let created = |subnet: &mut Subnet, amount| {
        let reply =
            subnet.management(user(), "provisional_create_canister_with_cycles", create(amount)).unwrap();
        candid::decode_one::<CanisterIdRecord>(&reply).unwrap().canister_id
    };
    let canister = created(&mut subnet, 1_000_000_000_000);
    let wasm = wat::parse_str(COUNTER).unwrap();
    subnet.install(user(), canister, CanisterInstallMode::Install, &wasm, b"").unwrap();
    let before = subnet.cycles(canister).unwrap();
    let per_day = u128::try_from(&status(&mut subnet, canister).idle_cycles_burned_per_day.0).unwrap();
    subnet.advance_time(Duration::from_secs(86_400));
    assert_eq!(before - subnet.cycles(canister).unwrap(), per_day);
    let args = ProvisionalTopUpCanisterArgs { canister_id: canister, amount: 5u8.into() };
    let before = subnet.cycles(canister).unwrap();
    subnet.management(stranger(), "provisional_top_up_canister", args).unwrap();
    assert_eq!(subnet.cycles(canister).unwrap(), before + 5);

    let poor = created(&mut subnet, 1_000_000);
    subnet.install(user(), poor, CanisterInstallMode::Install, &wasm, b"").unwrap();
    assert_eq!(code(&subnet.update(user(), poor, "bump", b"").unwrap_err()), "IC0207");
    subnet.advance_time(Duration::from_secs(365 * 86_400));
    assert_eq!(subnet.cycles(poor), Some(0));
    assert_eq!(status(&mut subnet, poor).module_hash, None);
}

#[test]
fn logs_are_shown_to_whom_the_settings_allow_and_forget_the_oldest() {
    let (mut subnet, canister) = install(COUNTER);
    let fetch = |subnet: &mut Subnet, who, filter| {
        let args = candid::encode_one(FetchCanisterLogsArgs { canister_id: canister, filter }).unwrap();
        let reply = subnet.query(who, Principal::management_canister(), "fetch_canister_logs", &args)?;
        Ok::<_, Rejection>(
            candid::decode_one::<FetchCanisterLogsResult>(&reply).unwrap().canister_log_records,
        )
    };
    assert_eq!(fetch(&mut subnet, user(), None).unwrap()[0].content, b"count is kept in the heap");
    assert_eq!(code(&fetch(&mut subnet, stranger(), None).unwrap_err()), "IC0512");
    let viewers = LogVisibility::AllowedViewers(vec![stranger()]);
    let change = CanisterSettings { log_visibility: Some(viewers), ..CanisterSettings::default() };
    subnet.management(user(), "update_settings", settings(change, canister)).unwrap();
    assert_eq!(fetch(&mut subnet, stranger(), None).unwrap().len(), 1);
    for _ in 0..100 {
        subnet.update(user(), canister, "bump_then_trap", b"").unwrap_err();
    }
    let records = fetch(&mut subnet, user(), None).unwrap();
    let bytes: usize = records.iter().map(|record| record.content.len()).sum();
    assert!(bytes <= 4096 && records.len() < 101, "{bytes} bytes in {} lines", records.len());
    assert_eq!(records.last().unwrap().idx, 100);
    let filter = Some(CanisterLogFilter::ByIdx { start: 99, end: 100 });
    assert_eq!(fetch(&mut subnet, user(), filter).unwrap().len(), 1);
}

#[test]
fn settings_outside_their_limits_are_refused() {
    let (mut subnet, canister) = install(COUNTER);
    let many: Vec<_> = (0..11u8).map(|i| Principal::self_authenticating([i])).collect();
    for change in [
        CanisterSettings { controllers: Some(many), ..Default::default() },
        CanisterSettings { compute_allocation: Some(101u8.into()), ..Default::default() },
        CanisterSettings { memory_allocation: Some(((1u64 << 48) + 1).into()), ..Default::default() },
        CanisterSettings { log_memory_limit: Some(((2u64 << 20) + 1).into()), ..Default::default() },
    ] {
        let before = status(&mut subnet, canister).settings;
        let rejection = subnet.management(user(), "update_settings", settings(change, canister)).unwrap_err();
        assert_eq!(code(&rejection), "IC0408");
        assert_eq!(status(&mut subnet, canister).settings, before);
    }
    let rejection =
        subnet.update(user(), Principal::management_canister(), "update_settings", b"junk").unwrap_err();
    assert_eq!(code(&rejection), "IC0408");
    assert_eq!(code(&subnet.management(user(), "no_such_method", ()).unwrap_err()), "IC0536");
    assert!(subnet.management(user(), "raw_rand", ()).is_err());
}
