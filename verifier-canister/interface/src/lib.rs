//! The wire: every Candid type that the verifier canister takes or returns, and the bytes that it certifies.
//!
//! `verifier_canister.did` beside this crate is the same interface for other languages; a test in `canister`
//! keeps the two equal. Every method takes at most one argument and returns `Result<_, Error>`.
//!
//! A record that is certified has a canonical JSON form in [`certified`]: the canister hashes it into its tree, a
//! checker hashes it again and compares. `audit` knows nothing of Candid, so the conversions live here.
#![forbid(unsafe_code)]

mod audits;
mod certificates;
pub mod certified;
mod digest;
mod error;
pub mod export;
mod findings;
mod http;
mod limits;
mod logs;
mod proofs;
mod registered;
mod roles;
pub mod signature;
mod time;
mod upload;

pub use audits::{
    AbandonAudit, AuditId, AuditPage, AuditRecord, AuditRequest, AuditState, AuditsRequest, Seed, StateKind,
};
pub use certificates::{
    Certificate, CertificateId, CertificatePage, CertificateState, CertificateSummary, CertificatesRequest,
    CertifiedAudit, CertifiedCertificate, CertifiedDataset, CertifiedModel, Proof, RevokeCertificate,
    Verdict, WitnessRequest,
};
pub use digest::DigestBytes;
pub use error::Error;
pub use findings::{Attest, Attestation, CertifiedAttestations, Finding};
pub use http::{HttpAnswer, HttpRequest};
pub use limits::{Limits, Quotas, Stats};
pub use logs::{
    AddKey, AuditLog, CertifiedKeys, CheckedOpenings, DisputePrediction, KeyRevocation, LogRequest,
    ReportOpenings, RevokeKey, SigningKey, SubmitLog, SubmitOpenings, SubmittedLog, SubmittedOpenings,
    key_message,
};
pub use proofs::{SubmitProof, VerifyAudit, VerifyInference};
pub use registered::{
    DatasetAttribute, DatasetColumn, DatasetDetails, DatasetPage, DatasetRecord, DatasetSchema,
    DatasetsRequest, LayerSummary, ModelPage, ModelRecord, ModelsRequest, ReadRequest,
};
pub use roles::{Role, RoleChange, RoleHolder};
pub use time::{rfc3339, utc};
pub use upload::{ArtefactKind, BeginUpload, PutChunk, UploadKey, UploadStatus};

/// The interface in Candid's own language, as committed.
pub const DID: &str = include_str!("../verifier_canister.did");

/// Bytes of every chunk of an upload but the last, and the most that one read returns.
pub const CHUNK_BYTES: u32 = 1 << 20;
/// Most bytes of a dataset.
pub const DATASET_BYTES: u64 = 64 << 20;
/// Most bytes of a model: 4 Mi parameters, eight tables and the names.
pub const MODEL_BYTES: u64 = 10 << 20;
/// Most bytes of a private model's package.
pub const PRIVATE_MODEL_BYTES: u64 = 4 << 20;
/// Most bytes of a proof.
pub const PROOF_BYTES: u64 = 1 << 20;
/// How long an audit of a private model waits for its owner's proof after the sample was drawn.
pub const PROOF_WAIT_S: u64 = 3 * 86_400;
/// Most bytes of a prediction log: its signed statement, and 33 bytes of each prediction.
pub const LOG_BYTES: u64 = audit::log::MAX_SUBMISSION;
/// Most bytes of a file of openings.
pub const OPENINGS_BYTES: u64 = 8 << 20;
/// How long an audit waits for its owner's log after the sample was drawn.
pub const LOG_WAIT_S: u64 = 7 * 86_400;
/// How long it waits for openings after they were drawn.
pub const OPENINGS_WAIT_S: u64 = 86_400;
/// How long it waits for an auditor who runs the model on the openings; after that the certificate is `attested`.
pub const AUDITOR_WAIT_S: u64 = 7 * 86_400;
/// Most bytes of a policy.
pub const POLICY_BYTES: u32 = 64 << 10;
/// Most bytes of a reason given for abandoning or revoking.
pub const REASON_BYTES: u32 = 500;
/// Most items on a page of a list.
pub const PAGE_ITEMS: u32 = 100;
/// Most records that one list query looks at; a page may end earlier than it is full, with a cursor to go on.
pub const PAGE_SCAN: u32 = 1000;
/// Most leaves that one witness opens.
pub const WITNESS_LEAVES: u32 = 1000;
/// Most bytes of a request.
pub const REQUEST_BYTES: u32 = 2 << 20;
