use candid::CandidType;
use serde::Deserialize;

use crate::{AuditId, DigestBytes};

/// Hands in an uploaded proof for an audit that awaits one.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct SubmitProof {
    /// The audit.
    pub audit: AuditId,
    /// SHA-256 of what is handed in: part, counters and proof; its bytes are the caller's upload of this digest.
    pub proof: DigestBytes,
}

/// Asks whether a proof would be accepted; changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct VerifyAudit {
    /// The audit, whose sample must have been drawn.
    pub audit: AuditId,
    /// What would be handed in: part, counters and proof.
    #[serde(with = "serde_bytes")]
    pub proof: Vec<u8>,
}

/// Asks whether a proof shows that a registered private model decides like this.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct VerifyInference {
    /// The model.
    pub model: DigestBytes,
    /// Integer features, sample after sample.
    pub features: Vec<i16>,
    /// The class of each sample.
    #[serde(with = "serde_bytes")]
    pub classes: Vec<u8>,
    /// Requantized values of the last layer, sample after sample, before its function; empty if none are claimed.
    pub outputs: Vec<i16>,
    /// What the proof was bound to when it was made, e.g. the digest of a request.
    pub context: DigestBytes,
    /// The proof.
    #[serde(with = "serde_bytes")]
    pub proof: Vec<u8>,
}
