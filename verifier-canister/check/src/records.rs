//! The records behind a certificate, each on the way from the subnet's signature to its leaf.

use audit::{Certificate, Digest};
use candid::Principal;
use ic_certification::LookupResult;
use interface::{
    AuditRecord, AuditState, DatasetRecord, ModelRecord, Proof,
    certified::{TREE_LABEL, audit_key, dataset_key, model_key, parse_audit, parse_dataset, parse_model},
    export::RecordsFile,
};

use crate::{
    Failure, Trust,
    ic_certificate::IcCertificate,
    steps::{Step, Steps, age, equal, leaf, witness},
};

/// Checks an answer about one record: that `canister` had certified just these bytes under `key`, or that there is
/// nothing under it. The signature, the canister's place in the subnet, the age and the witness are checked as for a
/// certificate.
pub fn check_record(
    canister: Principal,
    trust: &Trust,
    proof: &Proof,
    key: &str,
    record: Option<&[u8]>,
) -> Result<(), Failure> {
    let certificate = proof.ic_certificate.as_ref().map_or(&[][..], |bytes| bytes);
    let ic = IcCertificate::verify(certificate, &trust.root_key)?;
    ic.covers(canister)?;
    age(trust, &ic)?;
    let witness = witness(canister, &proof.witness, &ic)?.0;
    match record {
        Some(record) => leaf(&witness, "record", key, record).map(drop),
        None => match witness.lookup_path([TREE_LABEL, key.as_bytes()]) {
            LookupResult::Absent => Ok(()),
            LookupResult::Found(_) => Err(Failure::Present(key.to_owned())),
            LookupResult::Unknown | LookupResult::Error => Err(Failure::Pruned(key.to_owned())),
        },
    }
}

/// What came of a check of records.
#[derive(Debug, Clone)]
pub struct RecordsReport {
    /// The steps up to the end or the first failure.
    pub steps: Vec<Step>,
    /// The records, if every step holds.
    pub records: Option<Records>,
}

/// Records that the canister certified, and the policy that the certificate names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// The audit's record.
    pub audit: AuditRecord,
    /// The dataset's record.
    pub dataset: DatasetRecord,
    /// The model's record.
    pub model: ModelRecord,
    /// The policy's canonical JSON.
    pub policy: Vec<u8>,
}

/// Checks the records behind an authentic certificate: signature, canister, age and certified data as for the
/// certificate itself, then each record's digest in the tree, and that they are about this certificate.
pub fn check_records(file: &RecordsFile, certificate: &Certificate, trust: &Trust) -> RecordsReport {
    let mut steps = Steps(Vec::new());
    let records = take_all(&mut steps, file, certificate, trust);
    RecordsReport { steps: steps.0, records }
}

fn take_all(
    steps: &mut Steps,
    file: &RecordsFile,
    certificate: &Certificate,
    trust: &Trust,
) -> Option<Records> {
    let predicate = &certificate.predicate;
    let (witness, _) = steps.certified(file.canister, &file.ic_certificate, &file.witness, trust)?;
    let (audit, dataset, model) = (
        audit_key(predicate.audit),
        dataset_key(predicate.dataset.digest),
        model_key(predicate.model.digest),
    );
    steps.take("audit", leaf(&witness, "audit's record", &audit, &file.audit))?;
    steps.take("dataset", leaf(&witness, "dataset's record", &dataset, &file.dataset))?;
    steps.take("model", leaf(&witness, "model's record", &model, &file.model))?;
    steps.take("policy", policy(&file.policy, predicate.policy_digest))?;
    steps.take("records", records(file, certificate))
}

fn policy(text: &[u8], expected: Digest) -> Result<((), String), Failure> {
    let got = Digest::of(text);
    if got != expected {
        return Err(Failure::OtherContent { what: "policy", certified: expected.to_string(), got });
    }
    Ok(((), format!("it has the digest {got} that the certificate names")))
}

fn records(file: &RecordsFile, certificate: &Certificate) -> Result<(Records, String), Failure> {
    let malformed =
        |what| move |cause: audit::AuditError| Failure::Malformed { what, cause: cause.to_string() };
    let records = Records {
        audit: parse_audit(&file.audit).map_err(malformed("audit's record"))?,
        dataset: parse_dataset(&file.dataset).map_err(malformed("dataset's record"))?,
        model: parse_model(&file.model).map_err(malformed("model's record"))?,
        policy: file.policy.clone(),
    };
    let (predicate, audit) = (&certificate.predicate, &records.audit);
    let number = |certificate: u64| certificate.to_string();
    let issued = match audit.state {
        AuditState::Completed { certificate } => number(certificate),
        _ => audit.state.kind().name().to_owned(),
    };
    equal([
        ("the records' canister", predicate.canister.clone(), file.canister.to_text()),
        ("the records' certificate", number(predicate.certificate), number(file.certificate)),
        ("the audit's certificate", number(predicate.certificate), issued),
    ])?;
    Ok((records, format!("audit {} led to certificate {}", predicate.audit, predicate.certificate)))
}
