use candid::{CandidType, Principal};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{AuditId, AuditRecord, DatasetDetails, DigestBytes, ModelRecord};

/// Number of a certificate, from 1 without gaps.
pub type CertificateId = u64;

/// Whether the policy's criteria hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Serialize, Deserialize)]
pub enum Verdict {
    /// All hold.
    Pass,
    /// At least one does not.
    Fail,
    /// None fails, but at least one is undefined.
    Undefined,
}

/// Whether a certificate still stands. Expiry is in its body.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Serialize, Deserialize)]
pub enum CertificateState {
    /// It stands.
    Valid,
    /// A newer one replaces it.
    Superseded {
        /// The newer one.
        by: CertificateId,
        /// When, in nanoseconds since 1970.
        at_ns: u64,
    },
    /// A prediction in its log is one that the public model does not make, as the canister found itself.
    Suspended {
        /// Row of the dataset.
        row: u32,
        /// Index of the class in the log.
        logged: u8,
        /// Index of the class that the model decides.
        decided: u8,
        /// Who pointed it out.
        by: Principal,
        /// When, in nanoseconds since 1970.
        at_ns: u64,
    },
    /// It was withdrawn.
    Revoked {
        /// Why.
        reason: String,
        /// By whom.
        by: Principal,
        /// When, in nanoseconds since 1970.
        at_ns: u64,
    },
}

/// A certificate in a list. What counts is its body; this is for finding it.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct CertificateSummary {
    /// Its number.
    pub id: CertificateId,
    /// The audit it comes from.
    pub audit: AuditId,
    /// The model.
    pub model: DigestBytes,
    /// The model's name.
    pub model_name: String,
    /// The model's owner.
    pub owner: Principal,
    /// The dataset.
    pub dataset: DigestBytes,
    /// The dataset's name.
    pub dataset_name: String,
    /// The dataset's version.
    pub dataset_version: String,
    /// The policy's name.
    pub policy_name: String,
    /// SHA-256 of the policy.
    pub policy: DigestBytes,
    /// What it says.
    pub verdict: Verdict,
    /// Whether it stands.
    pub state: CertificateState,
    /// Samples audited.
    pub sample_size: u32,
    /// When it was issued, in nanoseconds since 1970.
    pub issued_at_ns: u64,
    /// When it expires, in nanoseconds since 1970.
    pub valid_until_ns: Option<u64>,
    /// The certificate it replaced.
    pub supersedes: Option<CertificateId>,
    /// SHA-256 of its body: the leaf `certificate/<10 digits>`.
    pub body_digest: DigestBytes,
}

/// A certificate's two certified texts.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct Certificate {
    /// What was found, as canonical JSON; never changes. SHA-256 is the leaf `certificate/<10 digits>`.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// Whether it stands, as canonical JSON. SHA-256 is the leaf `status/<10 digits>`.
    #[serde(with = "serde_bytes")]
    pub status: Vec<u8>,
}

/// What a stranger needs to check leaves of the canister's tree offline.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct Proof {
    /// The subnet's certificate for the canister's certified data; only a query gets one.
    pub ic_certificate: Option<ByteBuf>,
    /// CBOR of the canister's tree, pruned; see [`crate::certified`].
    #[serde(with = "serde_bytes")]
    pub witness: Vec<u8>,
}

/// A certificate with proof; the witness proves absence where there is none.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct CertifiedCertificate {
    /// The certificate.
    pub certificate: Option<Certificate>,
    /// For `certificate/<id>` and `status/<id>`.
    pub proof: Proof,
}

/// An audit with proof; the witness proves absence where there is none.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct CertifiedAudit {
    /// The audit.
    pub audit: Option<AuditRecord>,
    /// For `audit/<id>`.
    pub proof: Proof,
}

/// A dataset with proof; the witness proves absence where there is none.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct CertifiedDataset {
    /// The dataset.
    pub dataset: Option<DatasetDetails>,
    /// For `dataset/<digest>`.
    pub proof: Proof,
}

/// A model with proof; the witness proves absence where there is none.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct CertifiedModel {
    /// The model.
    pub model: Option<ModelRecord>,
    /// For `model/<digest>`.
    pub proof: Proof,
}

/// Leaves to prove, at most [`crate::WITNESS_LEAVES`].
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub enum WitnessRequest {
    /// These keys, present or absent.
    Keys(Vec<String>),
    /// All leaves from one key to another, both included, and that there are no others between them.
    Range {
        /// First key.
        first: String,
        /// Last key.
        last: String,
    },
}

/// Which certificates to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize)]
pub struct CertificatesRequest {
    /// Only with this in the name of model, dataset or policy, whatever the case.
    pub text: Option<String>,
    /// Only of this model.
    pub model: Option<DigestBytes>,
    /// Only on this dataset.
    pub dataset: Option<DigestBytes>,
    /// Only of this owner's models.
    pub owner: Option<Principal>,
    /// Only with this verdict.
    pub verdict: Option<Verdict>,
    /// Only those that stand and are not expired.
    pub standing: Option<bool>,
    /// Only with a smaller number: `next` of the page before.
    pub before: Option<CertificateId>,
    /// Most items; at most and by default [`crate::PAGE_ITEMS`].
    pub limit: Option<u32>,
}

/// Some certificates.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct CertificatePage {
    /// The certificates.
    pub items: Vec<CertificateSummary>,
    /// Where the next page goes on; nothing at the end.
    pub next: Option<CertificateId>,
}

/// Withdraws a certificate, for good and for all to see.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct RevokeCertificate {
    /// The certificate.
    pub id: CertificateId,
    /// Why: 1 to [`crate::REASON_BYTES`] bytes.
    pub reason: String,
}
