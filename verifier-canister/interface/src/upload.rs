use std::fmt;

use candid::CandidType;
use serde::{Deserialize, Serialize};

use audit::log::MAX_CARD;

use crate::{
    DATASET_BYTES, DigestBytes, LOG_BYTES, MODEL_BYTES, OPENINGS_BYTES, PRIVATE_MODEL_BYTES, PROOF_BYTES,
};

/// What an upload becomes when it is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, CandidType, Serialize, Deserialize)]
pub enum ArtefactKind {
    /// An audit dataset; only registrars may register one.
    Dataset,
    /// A public model; whoever seals it owns it.
    Model,
    /// A private model's package: architecture, commitment and range proof; sealed by the owner it names.
    PrivateModel,
    /// The proof of an audit; it is not sealed but handed in with `submit_proof`.
    Proof,
    /// The card of a model that stays with its owner; whoever seals it owns the model.
    LoggedModel,
    /// An audit's prediction log; it is handed in with `submit_log`.
    Log,
    /// Openings of one; they are handed in with `submit_openings`.
    Openings,
}

impl ArtefactKind {
    /// Whether it is handed in for an audit that awaits it, and not sealed.
    pub fn is_handed_in(self) -> bool {
        matches!(self, Self::Proof | Self::Log | Self::Openings)
    }

    /// Whether it becomes a model.
    pub fn is_model(self) -> bool {
        matches!(self, Self::Model | Self::PrivateModel | Self::LoggedModel)
    }

    /// Most bytes.
    pub fn max_bytes(self) -> u64 {
        match self {
            Self::Dataset => DATASET_BYTES,
            Self::Model => MODEL_BYTES,
            Self::PrivateModel => PRIVATE_MODEL_BYTES,
            Self::Proof => PROOF_BYTES,
            Self::LoggedModel => MAX_CARD as u64,
            Self::Log => LOG_BYTES,
            Self::Openings => OPENINGS_BYTES,
        }
    }
}

impl fmt::Display for ArtefactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dataset => "dataset",
            Self::Model => "model",
            Self::PrivateModel => "private model",
            Self::Proof => "proof",
            Self::LoggedModel => "logged model",
            Self::Log => "log",
            Self::Openings => "openings",
        })
    }
}

/// Names one of the caller's uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize)]
pub struct UploadKey {
    /// What it becomes.
    pub kind: ArtefactKind,
    /// SHA-256 of the whole.
    pub digest: DigestBytes,
}

/// Announces an upload, or resumes the caller's own one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize)]
pub struct BeginUpload {
    /// What it becomes.
    pub kind: ArtefactKind,
    /// SHA-256 of the whole.
    pub digest: DigestBytes,
    /// Bytes of the whole.
    pub size: u64,
}

/// One chunk: all have [`crate::CHUNK_BYTES`], the last may be shorter. A chunk may be put again until the seal.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct PutChunk {
    /// What the upload becomes.
    pub kind: ArtefactKind,
    /// SHA-256 of the whole.
    pub digest: DigestBytes,
    /// Number of the chunk, from 0.
    pub index: u32,
    /// The chunk.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// How far an upload is.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct UploadStatus {
    /// What it becomes.
    pub kind: ArtefactKind,
    /// SHA-256 of the whole.
    pub digest: DigestBytes,
    /// Bytes of the whole.
    pub size: u64,
    /// Number of chunks.
    pub chunks: u32,
    /// Chunks that are still missing.
    pub missing: Vec<u32>,
    /// When it may be removed, in nanoseconds since 1970; every chunk postpones it.
    pub expires_at_ns: u64,
}
