//! Runs an audit again from what it was made of, and compares every value of the certificate. Of a private model,
//! the proofs are verified again instead; a log's predictions are counted, and run where the model is there.
//!
//! Nothing here is taken from the certificate that can be had elsewhere: rows, model and policy come by their digests,
//! the sample is drawn again from the seed, and who and when come from the audit's record. Only two facts remain
//! the certificate's own word: its number and what ran it.

mod comparison;
mod logged;

use audit::{
    AuditError, Certificate, Counts, Dataset, Digest, Engine, Facts, Model, Policy, Replay, Verified,
    certificate::{DatasetFacts, Level, ModelFacts, Nanoseconds},
    certificate_body, draw_sample,
    log::LogError,
};
use candid::Principal;
use interface::{AuditRecord, DatasetRecord, ModelRecord};
use verifier::{Architecture, Setup};

use crate::{
    Records,
    proof::{AuditInputs, ProofError, registered},
};

use comparison::compare;
pub use comparison::{Comparison, Difference, Section};
pub use logged::{LoggedRerun, WrongPrediction};

/// What a certificate was made of, as downloaded.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The audit's record.
    pub audit: AuditRecord,
    /// The dataset's record.
    pub dataset: DatasetRecord,
    /// The dataset's bytes.
    pub dataset_bytes: Vec<u8>,
    /// The model's record.
    pub model: ModelRecord,
    /// The model's bytes; the package of a private model; the card of a logged one.
    pub model_bytes: Vec<u8>,
    /// What the owner handed in: the proofs, part by part, where the certificate's level is `proved`; the log and its
    /// openings, if there are any, where it is `attested` or `spot-checked`.
    pub handed_in: Vec<Vec<u8>>,
    /// What a logged model decides on the sample, in order, where somebody who has its file ran it.
    pub classes: Option<Vec<u8>>,
    /// The policy's canonical JSON.
    pub policy: Vec<u8>,
}

impl Evidence {
    /// What was certified, with the bytes that it names.
    pub fn new(
        records: Records,
        dataset_bytes: Vec<u8>,
        model_bytes: Vec<u8>,
        handed_in: Vec<Vec<u8>>,
    ) -> Self {
        let Records { audit, dataset, model, policy } = records;
        Self { audit, dataset, dataset_bytes, model, model_bytes, handed_in, classes: None, policy }
    }
}

/// Why an audit cannot be run again.
#[derive(Debug, thiserror::Error)]
pub enum RerunError {
    /// A part is not the one that the certificate names.
    #[error("the {what} has digest {got}, the certificate says {expected}")]
    OtherPart {
        /// Dataset, model or policy.
        what: &'static str,
        /// In the certificate.
        expected: Digest,
        /// Of the downloaded bytes.
        got: Digest,
    },
    /// The record of the audit has no seed, so there was no sample.
    #[error("audit {0} has drawn no sample")]
    NoSeed(u64),
    /// A part cannot be read, or the run fails.
    #[error("the {what} cannot be used: {cause}")]
    Audit {
        /// The part.
        what: &'static str,
        /// Why.
        cause: AuditError,
    },
    /// The proof behind the certificate does not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The log behind the certificate does not hold.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The certificate's level needs a log, and openings if any were drawn, and they are not what is there.
    #[error("the certificate comes from a log, but not all of it is there")]
    NoLog,
    /// The certificate's level needs proofs of all parts, and some are missing.
    #[error("the certificate is of level `proved`, but not every part has a proof")]
    NoProof,
}

/// Runs the audit of `certificate` again on `canister`'s evidence; `progress` is told samples done, of how many.
pub fn rerun(
    certificate: &Certificate,
    canister: &str,
    evidence: &Evidence,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Comparison, RerunError> {
    let predicate = &certificate.predicate;
    let failed = |what| move |cause| RerunError::Audit { what, cause };
    same_digest("dataset", predicate.dataset.digest, &evidence.dataset_bytes)?;
    same_digest("model", predicate.model.digest, &evidence.model_bytes)?;
    same_digest("policy", predicate.policy_digest, &evidence.policy)?;
    let audit = &evidence.audit;
    same("audited dataset", predicate.dataset.digest, audit.dataset.into())?;
    same("audited model", predicate.model.digest, audit.model.into())?;
    same("policy asked for", predicate.policy_digest, audit.policy.into())?;
    let dataset = Dataset::parse(evidence.dataset_bytes.clone()).map_err(failed("dataset"))?;
    let policy = Policy::from_json(&evidence.policy).map_err(failed("policy"))?;
    let registered_at = Nanoseconds(evidence.model.registered_at_ns);
    let digest = evidence.model.digest.into();
    let (mut log, mut logged) = (None, None);
    let (model_facts, verified) = match predicate.level {
        Level::Attested | Level::SpotChecked => {
            let expected = predicate.log.as_ref().ok_or(RerunError::NoLog)?;
            let counted = logged::count(expected, evidence, &dataset, progress)?;
            (log, logged) = (Some(counted.log), Some(counted.rerun));
            (counted.model, counted.verified)
        }
        Level::Replayed => {
            let model = Model::parse(&evidence.model_bytes).map_err(failed("model"))?;
            let verified = replay(&model, &dataset, &evidence.audit, progress)?;
            (ModelFacts::new(&model, digest, registered_at), verified)
        }
        Level::Proved => {
            let (architecture, verified) = verify(certificate, canister, evidence, &dataset, progress)?;
            let facts = ModelFacts {
                digest,
                name: architecture.name.clone(),
                source: None,
                encoding: architecture.encoding,
                parameters: architecture.parameters(),
                layers: architecture.describe_layers(),
                registered_at,
            };
            (facts, verified)
        }
    };
    let parameters = model_facts.parameters;
    let facts = Facts { log, ..facts(certificate, canister, evidence, model_facts)? };
    let body =
        certificate_body(&verified, &facts, dataset.schema(), &policy).map_err(failed("certificate"))?;

    let original = certificate.to_json().map_err(failed("certificate"))?;
    Ok(Comparison {
        samples: facts.sample_size.min(dataset.rows()),
        proofs: predicate.proofs.len(),
        logged,
        parameters,
        certificate_digest: Digest::of(&original),
        rerun_digest: Digest::of(&body.json),
        sections: compare(&original, &body.json),
    })
}

/// Runs a public model on the sample again.
fn replay(
    model: &Model,
    dataset: &Dataset,
    audit: &AuditRecord,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verified, RerunError> {
    let failed = |what| move |cause| RerunError::Audit { what, cause };
    let seed = audit.seed.ok_or(RerunError::NoSeed(audit.id))?;
    let sample = draw_sample(&seed.0, dataset.rows(), audit.sample_size);
    let mut replay = Replay::new(model, dataset.schema()).map_err(failed("model"))?;
    let mut engine = Engine::new(model);
    for (done, &index) in (1..).zip(&sample) {
        let Some(row) = dataset.row(index) else { continue };
        replay.step(&mut engine, index, row).map_err(failed("sample"))?;
        progress(done, sample.len() as u64);
    }
    replay.finish(audit.sample_size.min(dataset.rows())).map_err(failed("sample"))
}

/// Verifies the proofs behind a private model's certificate: that the weights are in range, and the counts.
fn verify(
    certificate: &Certificate,
    canister: &str,
    evidence: &Evidence,
    dataset: &Dataset,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Architecture, Verified), RerunError> {
    let predicate = &certificate.predicate;
    if predicate.proofs.len() != evidence.handed_in.len() {
        return Err(RerunError::NoProof);
    }
    for (&expected, proof) in predicate.proofs.iter().zip(&evidence.handed_in) {
        same_digest("proof", expected, proof)?;
    }
    let setup = Setup::new().map_err(ProofError::from)?;
    let model = registered(&setup, &evidence.model_bytes)?;
    if model.commitment().owner != evidence.audit.owner.as_slice() {
        return Err(ProofError::OtherOwner.into());
    }
    let canister = Principal::from_text(canister).map_err(|_| RerunError::NoProof)?;
    let inputs = AuditInputs::new(canister, &evidence.audit, dataset)?;
    if inputs.parts(&model)?.count() != evidence.handed_in.len() {
        return Err(RerunError::NoProof);
    }
    let mut counters: Vec<u32> = Vec::new();
    for (part, proof) in evidence.handed_in.iter().enumerate() {
        progress(part as u64, evidence.handed_in.len() as u64);
        let own = inputs.verify(&setup, &model, part, proof)?;
        counters.resize(own.len(), 0);
        counters.iter_mut().zip(own).for_each(|(sum, own)| *sum = sum.saturating_add(own));
    }
    let failed = |cause| RerunError::Audit { what: "counters", cause };
    let counts = Counts::from_counters(dataset.schema(), counters).map_err(failed)?;
    let verified =
        Verified::proved(counts, evidence.audit.sample_size.min(dataset.rows())).map_err(failed)?;
    Ok((model.commitment().architecture.clone(), verified))
}

fn same_digest(what: &'static str, expected: Digest, bytes: &[u8]) -> Result<(), RerunError> {
    same(what, expected, Digest::of(bytes))
}

fn same(what: &'static str, expected: Digest, got: Digest) -> Result<(), RerunError> {
    if got == expected { Ok(()) } else { Err(RerunError::OtherPart { what, expected, got }) }
}

fn facts(
    certificate: &Certificate,
    canister: &str,
    evidence: &Evidence,
    model: ModelFacts,
) -> Result<Facts, RerunError> {
    let Evidence { audit, dataset, .. } = evidence;
    let seed = audit.seed.ok_or(RerunError::NoSeed(audit.id))?;
    let issued_at = audit.ended_at_ns.unwrap_or_default();
    let valid_until =
        audit.valid_for_s.map(|valid_s| issued_at.saturating_add(valid_s.saturating_mul(1_000_000_000)));
    Ok(Facts {
        certificate: certificate.predicate.certificate,
        audit: audit.id,
        canister: canister.to_owned(),
        runtime: certificate.predicate.runtime.clone(),
        owner: audit.owner.to_text(),
        requester: audit.requester.to_text(),
        model,
        dataset: DatasetFacts {
            digest: dataset.digest.into(),
            rows: dataset.rows,
            sealed_at: Nanoseconds(dataset.registered_at_ns),
        },
        seed: seed.0,
        sample_size: audit.sample_size,
        requested_at: Nanoseconds(audit.requested_at_ns),
        drawn_at: Nanoseconds(audit.drawn_at_ns.unwrap_or_default()),
        issued_at: Nanoseconds(issued_at),
        valid_until: valid_until.map(Nanoseconds),
        supersedes: audit.supersedes,
        audits_of_model: audit.audits_of_model,
        audits_of_owner: audit.audits_of_owner,
        proofs: audit.proofs.iter().copied().map(Into::into).collect(),
        log: None,
    })
}
