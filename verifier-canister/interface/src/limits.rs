use candid::CandidType;
use serde::{Deserialize, Serialize};

/// What controllers can change: quotas per principal and for the whole canister, and the size of a replay slice.
///
/// A day is a UTC day; work is samples times parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Serialize, Deserialize)]
pub struct Quotas {
    /// Unfinished uploads of one principal.
    pub uploads: u32,
    /// Unfinished uploads of all principals.
    pub uploads_total: u32,
    /// Bytes uploaded and registered by one principal without a role.
    pub owner_bytes: u64,
    /// Bytes uploaded and registered by one registrar.
    pub registrar_bytes: u64,
    /// Bytes of all uploads, datasets and models.
    pub bytes_total: u64,
    /// Models of one owner.
    pub models: u32,
    /// Audits of one requester that are requested or running; those that wait for somebody are counted apart.
    pub open_audits: u32,
    /// Audits of all requesters that are requested or running, apart from those that wait for somebody.
    pub open_audits_total: u32,
    /// Audits that one requester asks for in a day.
    pub audits_per_day: u32,
    /// Audits that all requesters ask for in a day.
    pub audits_per_day_total: u32,
    /// Work of one audit.
    pub audit_work: u64,
    /// Work of all audits that one requester asks for in a day.
    #[serde(default = "work_per_day")]
    pub work_per_day: u64,
    /// Work of all audits that all requesters ask for in a day.
    pub work_per_day_total: u64,
    /// Audits of one owner's models that wait for a proof, a log, openings or an auditor.
    #[serde(default = "awaiting_audits", alias = "awaiting_proofs")]
    pub awaiting_audits: u32,
    /// Audits of all owners that wait for one of these.
    #[serde(default = "awaiting_audits_total", alias = "awaiting_proofs_total")]
    pub awaiting_audits_total: u32,
    /// Registrations of private models, whose proofs may be wrong, that one principal has verified in a day.
    #[serde(default = "verifications_per_day")]
    pub verifications_per_day: u32,
    /// The same of all principals.
    #[serde(default = "verifications_per_day_total")]
    pub verifications_per_day_total: u32,
    /// Predictions of certified logs that one principal disputes in a day; auditors are not bounded.
    #[serde(default = "disputes_per_day")]
    pub disputes_per_day: u32,
    /// Predictions that all principals but auditors dispute in a day.
    #[serde(default = "disputes_per_day_total")]
    pub disputes_per_day_total: u32,
    /// Instructions after which a replay message ends and the next goes on.
    pub slice_instructions: u64,
}

// What a canister of an earlier version begins with.
fn work_per_day() -> u64 {
    1_000_000_000_000
}
fn awaiting_audits() -> u32 {
    8
}
fn awaiting_audits_total() -> u32 {
    4096
}
fn verifications_per_day() -> u32 {
    100
}
fn verifications_per_day_total() -> u32 {
    10_000
}

fn disputes_per_day() -> u32 {
    20
}
fn disputes_per_day_total() -> u32 {
    2_000
}

/// Every limit a caller can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize)]
pub struct Limits {
    /// [`crate::CHUNK_BYTES`].
    pub chunk_bytes: u32,
    /// [`crate::DATASET_BYTES`].
    pub dataset_bytes: u64,
    /// [`crate::MODEL_BYTES`].
    pub model_bytes: u64,
    /// [`crate::PRIVATE_MODEL_BYTES`].
    pub private_model_bytes: u64,
    /// [`crate::PROOF_BYTES`].
    pub proof_bytes: u64,
    /// [`crate::PROOF_WAIT_S`].
    pub proof_wait_s: u64,
    /// [`crate::LOG_BYTES`].
    pub log_bytes: u64,
    /// [`crate::OPENINGS_BYTES`].
    pub openings_bytes: u64,
    /// [`crate::LOG_WAIT_S`].
    pub log_wait_s: u64,
    /// [`crate::OPENINGS_WAIT_S`].
    pub openings_wait_s: u64,
    /// [`crate::AUDITOR_WAIT_S`].
    pub auditor_wait_s: u64,
    /// [`crate::POLICY_BYTES`].
    pub policy_bytes: u32,
    /// [`crate::REASON_BYTES`].
    pub reason_bytes: u32,
    /// [`crate::PAGE_ITEMS`].
    pub page_items: u32,
    /// [`crate::WITNESS_LEAVES`].
    pub witness_leaves: u32,
    /// Seconds after which an unfinished upload may be removed.
    pub upload_expires_s: u64,
    /// The changeable part.
    pub quotas: Quotas,
}

/// How much the canister holds.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct Stats {
    /// Version of the canister's code.
    pub version: String,
    /// Registered datasets.
    pub datasets: u64,
    /// Registered models.
    pub models: u64,
    /// Audits ever requested.
    pub audits: u64,
    /// Audits that have not ended.
    pub open_audits: u64,
    /// Certificates ever issued.
    pub certificates: u64,
    /// Unfinished uploads.
    pub uploads: u64,
    /// Bytes of uploads, datasets and models.
    pub stored_bytes: u64,
    /// Stable memory in use, in bytes.
    pub stable_bytes: u64,
    /// Instructions that replays have used so far.
    pub replay_instructions: u64,
    /// Instructions that verifications of proofs, right or wrong, have used so far.
    pub verification_instructions: u64,
    /// Instructions that certifying pages took since the canister was last started.
    pub page_instructions: u64,
    /// Pages that wait to be certified.
    pub pages_pending: u64,
}
