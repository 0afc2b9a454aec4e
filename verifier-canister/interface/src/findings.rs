use candid::{CandidType, Principal};
use serde::{Deserialize, Serialize};

use crate::{CertificateId, DigestBytes, Proof};

/// What an auditor came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, CandidType, Serialize, Deserialize)]
pub enum Finding {
    /// The audit was run again, and gave the certificate's bytes.
    Agrees,
    /// It was run again, and gave other bytes.
    Disagrees,
    /// It could not be run again.
    NotReproduced,
}

impl Finding {
    /// As records and pages spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Disagrees => "disagrees",
            Self::NotReproduced => "could not reproduce",
        }
    }
}

/// An auditor's finding on a certificate. Auditors only, and not about models of their own.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct Attest {
    /// The certificate.
    pub certificate: CertificateId,
    /// What was found.
    pub finding: Finding,
    /// SHA-256 of the body that the rerun gave; needed unless it could not be reproduced.
    pub rerun: Option<DigestBytes>,
    /// What ran, and what differs: up to [`crate::REASON_BYTES`] bytes; needed unless the auditor agrees.
    pub note: String,
}

/// An auditor's finding, as it is certified.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Serialize, Deserialize)]
pub struct Attestation {
    /// The certificate.
    pub certificate: CertificateId,
    /// The auditor, who signed the call.
    pub auditor: Principal,
    /// What was found.
    pub finding: Finding,
    /// SHA-256 of the body that the rerun gave.
    pub rerun: Option<DigestBytes>,
    /// What ran, and what differs.
    pub note: String,
    /// When, in nanoseconds since 1970.
    pub at_ns: u64,
    /// How often the auditor has changed it since.
    pub revisions: u32,
}

/// All findings on a certificate, with proof that there are no others.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct CertifiedAttestations {
    /// In the order of the auditors' principals.
    pub attestations: Vec<Attestation>,
    /// For everything from `attestation/<10 digits>/` to `attestation/<10 digits>/~`.
    pub proof: Proof,
}
