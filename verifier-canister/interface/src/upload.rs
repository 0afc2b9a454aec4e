use std::fmt;

use candid::CandidType;
use serde::{Deserialize, Serialize};

use crate::{DATASET_BYTES, DigestBytes, MODEL_BYTES, PRIVATE_MODEL_BYTES, PROOF_BYTES};

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
}

impl ArtefactKind {
    /// Most bytes.
    pub fn max_bytes(self) -> u64 {
        match self {
            Self::Dataset => DATASET_BYTES,
            Self::Model => MODEL_BYTES,
            Self::PrivateModel => PRIVATE_MODEL_BYTES,
            Self::Proof => PROOF_BYTES,
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
