use candid::candid_method;
use ic_cdk::{
    api::{data_certificate, time},
    query, update,
};
use interface::{
    Attest, CertificateId, CertificatePage, CertificatesRequest, CertifiedAttestations, CertifiedCertificate,
    Error, Proof, RevokeCertificate, WitnessRequest,
};

use super::{Arg, change, context, decode, log, read};

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn revoke_certificate(request: Arg<RevokeCertificate>) -> Result<(), Error> {
    let request = request.0?;
    let id = request.id;
    change(|state| state.revoke_certificate(&context(), request))?;
    log(format!("certificate {id}: revoked by {}", context().caller));
    Ok(())
}

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn attest(request: Arg<Attest>) -> Result<(), Error> {
    let request = request.0?;
    let (id, finding) = (request.certificate, request.finding);
    change(|state| state.attest(&context(), request))?;
    log(format!("certificate {id}: {} {}", context().caller, finding.name()));
    Ok(())
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn attestations(request: Arg<CertificateId>) -> Result<CertifiedAttestations, Error> {
    let id = request.0?;
    read(|state| state.certified_attestations(id, data_certificate()))
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn certificate(request: Arg<CertificateId>) -> Result<CertifiedCertificate, Error> {
    let id = request.0?;
    read(|state| state.certified_certificate(id, data_certificate()))
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn certificates(request: Arg<CertificatesRequest>) -> Result<CertificatePage, Error> {
    let request = request.0?;
    read(|state| state.list_certificates(&request, time()))
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn witness(request: Arg<WitnessRequest>) -> Result<Proof, Error> {
    let request = request.0?;
    read(|state| state.witness(&request, data_certificate()))
}
