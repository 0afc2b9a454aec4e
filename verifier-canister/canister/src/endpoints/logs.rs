use candid::{Principal, candid_method};
use ic_cdk::{
    api::{self, data_certificate},
    query, update,
};
use interface::{
    AddKey, CertifiedKeys, DisputePrediction, Error, ReadRequest, ReportOpenings, RevokeKey, SubmitLog,
    SubmitOpenings,
};
use serde_bytes::ByteBuf;

use super::{Arg, change, context, decode, log, read, schedule};

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn submit_log(request: Arg<SubmitLog>) -> Result<(), Error> {
    let request = request.0?;
    let id = request.audit;
    went_on(id, "log", change(|state| state.submit_log(&context(), request)))
}

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn submit_openings(request: Arg<SubmitOpenings>) -> Result<(), Error> {
    let request = request.0?;
    let id = request.audit;
    let canister = api::canister_self();
    let result =
        change(|state| state.submit_openings(&context(), canister, request, &api::instruction_counter));
    went_on(id, "openings", result)
}

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn report_openings(request: Arg<ReportOpenings>) -> Result<(), Error> {
    let request = request.0?;
    let id = request.audit;
    went_on(id, "finding", change(|state| state.report_openings(&context(), request)))
}

/// Notes what became of something that an audit waited for, and lets the audit go on.
fn went_on(id: u64, what: &str, result: Result<(), Error>) -> Result<(), Error> {
    let instructions = api::instruction_counter();
    match &result {
        Ok(()) => {
            log(format!("audit {id}: {what} taken with {instructions} instructions"));
            schedule::resume();
        }
        Err(cause) => log(format!("audit {id}: {what} refused: {cause}")),
    }
    result
}

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn dispute_prediction(request: Arg<DisputePrediction>) -> Result<(), Error> {
    let request = request.0?;
    change(|state| state.dispute_prediction(&context(), request))?;
    let DisputePrediction { certificate, index } = request;
    log(format!("certificate {certificate}: suspended for prediction {index}"));
    Ok(())
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn read_log(request: Arg<ReadRequest>) -> Result<ByteBuf, Error> {
    let request = request.0?;
    read(|state| state.read_log(request)).map(ByteBuf::from)
}

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn add_key(request: Arg<AddKey>) -> Result<(), Error> {
    let request = request.0?;
    change(|state| state.add_key(&context(), api::canister_self(), &request))?;
    log(format!("key {} of {} registered", request.key, context().caller));
    Ok(())
}

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn revoke_key(request: Arg<RevokeKey>) -> Result<(), Error> {
    let request = request.0?;
    let key = request.key;
    change(|state| state.revoke_key(&context(), request))?;
    log(format!("key {key} of {} revoked", context().caller));
    Ok(())
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn keys(request: Arg<Principal>) -> Result<CertifiedKeys, Error> {
    let owner = request.0?;
    read(|state| state.certified_keys(owner, data_certificate()))
}
