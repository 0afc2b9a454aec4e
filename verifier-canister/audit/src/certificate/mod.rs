//! The certificate's body: an in-toto Statement v1 in canonical JSON, all of it a function of checked counts,
//! stated facts, the dataset's schema and the policy.
//!
//! `docs/certificate.md` describes every field. The SHA-256 of the bytes is what a canister certifies. Every
//! number can be computed again from the counters in the body: [`recompute`] does so and names the first that
//! does not follow.

mod caveats;
mod facts;
mod logged;
mod predicate;
mod recompute;
mod tables;

use serde::{Deserialize, Serialize};

pub use facts::{DatasetFacts, Facts, ModelFacts, Nanoseconds};
pub use logged::{Checked, Logged, OddsRecord, Opened};
pub use predicate::{
    AttributeRecord, CriterionRecord, DatasetRecord, IntervalRule, Level, Predicate, SampleRecord, SmallGroup,
};
pub use recompute::recompute;
pub use tables::{ComparisonRecord, GroupRecord, Measured, MetricRecord};

use crate::{
    AuditError, Digest, Policy, Schema, Verdict, Verified,
    canonical::{from_canonical_json, to_canonical_json},
    codec,
};

/// Largest body, in bytes.
pub const MAX_CERTIFICATE: usize = 1 << 20;
/// The in-toto statement's type.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// What the predicate is; the name resolves nowhere on purpose.
pub const PREDICATE_TYPE: &str = "https://assay.invalid/evaluation/v1";

/// A certificate's bytes and what they come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Canonical JSON; its SHA-256 is what is certified.
    pub json: Vec<u8>,
    /// The policy's overall verdict, as it stands in the body.
    pub verdict: Verdict,
}

/// A parsed body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// The integer model and the dataset.
    pub subject: [Subject; 2],
    /// Everything that is claimed of them.
    pub predicate: Predicate,
}

/// What a certificate is about: a name and the SHA-256 of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// `model/<name>` or `dataset/<name>`.
    pub name: String,
    /// The digest.
    pub digest: SubjectDigest,
}

/// The digests of a subject, by algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectDigest {
    /// SHA-256.
    pub sha256: Digest,
}

impl Certificate {
    /// Reads a body of at most [`MAX_CERTIFICATE`] bytes; fails unless they are in canonical form. The numbers
    /// are not checked; [`recompute`] does.
    pub fn parse(bytes: &[u8]) -> Result<Self, AuditError> {
        from_canonical_json("certificate", MAX_CERTIFICATE, bytes)
    }

    /// The canonical bytes; fails when they would be more than [`MAX_CERTIFICATE`].
    pub fn to_json(&self) -> Result<Vec<u8>, AuditError> {
        let json = to_canonical_json("certificate", self)?;
        codec::in_range("certificate length", 0, MAX_CERTIFICATE as i64, json.len() as i64)?;
        Ok(json)
    }

    fn new(predicate: Predicate) -> Self {
        let subject =
            |kind, name, sha256| Subject { name: format!("{kind}/{name}"), digest: SubjectDigest { sha256 } };
        let model = subject("model", &predicate.model.name, predicate.model.digest);
        let dataset = subject("dataset", &predicate.dataset.name, predicate.dataset.digest);
        Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            predicate_type: PREDICATE_TYPE.to_owned(),
            subject: [model, dataset],
            predicate,
        }
    }
}

/// Makes the body of a certificate from counts that were checked. Equal arguments give equal bytes everywhere.
///
/// Fails when the policy does not fit the dataset, the facts contradict the counts, or the body would be larger
/// than [`MAX_CERTIFICATE`].
pub fn certificate_body(
    verified: &Verified,
    facts: &Facts,
    schema: &Schema,
    policy: &Policy,
) -> Result<Body, AuditError> {
    schema.validate()?;
    let dataset = DatasetRecord::new(&facts.dataset, schema);
    let predicate =
        Predicate::new(verified.counts(), verified.level(), facts, dataset, &schema.frame(), policy)?;
    let verdict = predicate.verdict;
    Ok(Body { json: Certificate::new(predicate).to_json()?, verdict })
}
