use candid::candid_method;
use ic_cdk::{api::data_certificate, query, update};
use interface::{
    AbandonAudit, AuditId, AuditPage, AuditRequest, AuditsRequest, CertifiedAudit, DigestBytes, Error,
};

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
