use candid::candid_method;
use ic_cdk::{
    api::{self, data_certificate},
    query, update,
};
use interface::{
    AbandonAudit, AuditId, AuditPage, AuditRequest, AuditsRequest, CertifiedAudit, DigestBytes, Error,
    ReadRequest, SubmitProof, VerifyAudit, VerifyInference,
};
use serde_bytes::ByteBuf;

use super::{Arg, change, context, decode, log, read, schedule};

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn request_audit(request: Arg<AuditRequest>) -> Result<AuditId, Error> {
    let request = request.0?;
    let id = change(|state| state.request_audit(&context(), request))?;
    log(format!("audit {id}: requested by {}", context().caller));
    schedule::resume();
    Ok(id)
}

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn abandon_audit(request: Arg<AbandonAudit>) -> Result<(), Error> {
    let request = request.0?;
    let id = request.id;
    change(|state| state.abandon_audit(&context(), request))?;
    log(format!("audit {id}: abandoned by {}", context().caller));
    Ok(())
}

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn submit_proof(request: Arg<SubmitProof>) -> Result<(), Error> {
    let request = request.0?;
    let id = request.audit;
    let canister = api::canister_self();
    let result = change(|state| {
        state.submit_proof(&context(), canister.as_slice(), request, &api::instruction_counter)
    });
    change(|state| state.add_verification(api::instruction_counter()))?;
    match &result {
        Ok(()) => {
            log(format!("audit {id}: proof accepted"));
            schedule::resume();
        }
        Err(cause) => log(format!("audit {id}: proof refused: {cause}")),
    }
    result
}

/// A verification takes billions of instructions: as a query nobody pays for them, as an update this canister would.
fn only_as_query() -> Result<(), Error> {
    if api::in_replicated_execution() { Err(Error::not_allowed("a query")) } else { Ok(()) }
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn verify_audit(request: Arg<VerifyAudit>) -> Result<(), Error> {
    only_as_query()?;
    let request = request.0?;
    read(|state| state.verify_audit(api::canister_self().as_slice(), &request))
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn verify_inference(request: Arg<VerifyInference>) -> Result<(), Error> {
    only_as_query()?;
    let request = request.0?;
    read(|state| state.verify_inference(&request))
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn read_proof(request: Arg<ReadRequest>) -> Result<ByteBuf, Error> {
    let request = request.0?;
    read(|state| state.read_proof(request)).map(ByteBuf::from)
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn audit(request: Arg<AuditId>) -> Result<CertifiedAudit, Error> {
    let id = request.0?;
    read(|state| state.certified_audit(id, data_certificate()))
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn audits(request: Arg<AuditsRequest>) -> Result<AuditPage, Error> {
    let request = request.0?;
    read(|state| state.list_audits(&request))
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn policy(request: Arg<DigestBytes>) -> Result<String, Error> {
    let digest = request.0?;
    read(|state| state.policy(digest))
}
