use candid::{CandidType, Principal};
use serde::{Deserialize, Serialize};

use crate::{AuditLog, CertificateId, DigestBytes, LogRequest};

/// Number of an audit, from 1 without gaps.
pub type AuditId = u64;
/// 32 bytes from the subnet's randomness, drawn after the audit was requested.
pub type Seed = DigestBytes;

/// Asks for an audit of a registered model on a registered dataset.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct AuditRequest {
    /// The model.
    pub model: DigestBytes,
    /// The dataset; its encoding must be the model's.
    pub dataset: DigestBytes,
    /// Rows to draw; all rows if nothing is given. The caller cannot say which.
    pub sample_size: Option<u32>,
    /// The policy, as JSON.
    pub policy: String,
    /// How long the certificate is to be valid, in seconds.
    pub valid_for_s: Option<u64>,
    /// A valid certificate of the same owner and a dataset of the same name, which the new one replaces.
    pub supersedes: Option<CertificateId>,
    /// By a prediction log, which a logged model needs; without, a public model is replayed and a private one proved.
    pub log: Option<LogRequest>,
}

/// What has become of an audit.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Serialize, Deserialize)]
pub enum AuditState {
    /// Waits for randomness.
    Requested,
    /// The canister runs the model, or counts the predictions of a log.
    Running {
        /// Samples done.
        done: u32,
        /// Samples drawn.
        of: u32,
    },
    /// The sample is drawn, and the private model's owner must hand in a proof.
    AwaitingProof {
        /// Samples whose part is proved.
        done: u32,
        /// Samples drawn.
        of: u32,
    },
    /// The sample is drawn, and the model's owner must hand in the signed log of its predictions.
    AwaitingLog {
        /// Predictions asked for.
        of: u32,
    },
    /// The log is counted and holds; waits for randomness that says which predictions are opened.
    Counted {
        /// Predictions to be opened.
        openings: u32,
    },
    /// The model's owner must open the predictions that were drawn.
    AwaitingOpenings {
        /// Predictions to be opened.
        openings: u32,
    },
    /// The openings hold, and an auditor must run the model on them.
    AwaitingAuditor {
        /// Predictions opened.
        openings: u32,
    },
    /// A certificate was issued, whatever its verdict.
    Completed {
        /// The certificate.
        certificate: CertificateId,
    },
    /// The audit could not be completed.
    Refused {
        /// Why.
        reason: String,
    },
    /// Someone who may stopped it. If `seed` is set, they could know its result by then.
    Abandoned {
        /// Why, in their words.
        reason: String,
        /// Who.
        by: Principal,
    },
}

/// An audit, from its request on; it is never removed. Certified under `audit/<10 digits>`.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct AuditRecord {
    /// Its number.
    pub id: AuditId,
    /// The model.
    pub model: DigestBytes,
    /// The dataset.
    pub dataset: DigestBytes,
    /// The model's owner.
    pub owner: Principal,
    /// Who asked.
    pub requester: Principal,
    /// SHA-256 of the policy's canonical JSON; `policy` returns the text.
    pub policy: DigestBytes,
    /// The policy's own name.
    pub policy_name: String,
    /// Samples to draw.
    pub sample_size: u32,
    /// How long the certificate is to be valid, in seconds.
    pub valid_for_s: Option<u64>,
    /// The certificate it is to replace.
    pub supersedes: Option<CertificateId>,
    /// This is the n-th audit of this model.
    pub audit_of_model: u32,
    /// This is the n-th audit of this owner's models.
    pub audit_of_owner: u32,
    /// Audits of this model that had been requested when it ended, later ones included; when it was requested, while
    /// it is open. The certificate says this number.
    pub audits_of_model: u32,
    /// The same of this owner's models.
    pub audits_of_owner: u32,
    /// When it was requested, in nanoseconds since 1970.
    pub requested_at_ns: u64,
    /// What the sample was drawn from.
    pub seed: Option<Seed>,
    /// When the seed was drawn, in nanoseconds since 1970.
    pub drawn_at_ns: Option<u64>,
    /// When it was completed, refused or abandoned, in nanoseconds since 1970.
    pub ended_at_ns: Option<u64>,
    /// What has become of it.
    pub state: AuditState,
    /// Messages that the replay, or the verification of proofs, took so far.
    pub replay_messages: u32,
    /// Instructions that they used.
    pub replay_instructions: u64,
    /// SHA-256 of each accepted proof, part by part; `read_proof` returns them.
    pub proofs: Vec<DigestBytes>,
    /// Its prediction log, where it was asked for by one.
    pub log: Option<AuditLog>,
}

/// The kinds of [`AuditState`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize)]
pub enum StateKind {
    /// Requested.
    Requested,
    /// Running.
    Running,
    /// Awaiting a proof.
    AwaitingProof,
    /// Awaiting a log.
    AwaitingLog,
    /// Waiting for the second draw.
    Counted,
    /// Awaiting openings.
    AwaitingOpenings,
    /// Awaiting an auditor.
    AwaitingAuditor,
    /// Completed.
    Completed,
    /// Refused.
    Refused,
    /// Abandoned.
    Abandoned,
}

impl AuditState {
    /// The kind alone.
    pub fn kind(&self) -> StateKind {
        match self {
            Self::Requested => StateKind::Requested,
            Self::Running { .. } => StateKind::Running,
            Self::AwaitingProof { .. } => StateKind::AwaitingProof,
            Self::AwaitingLog { .. } => StateKind::AwaitingLog,
            Self::Counted { .. } => StateKind::Counted,
            Self::AwaitingOpenings { .. } => StateKind::AwaitingOpenings,
            Self::AwaitingAuditor { .. } => StateKind::AwaitingAuditor,
            Self::Completed { .. } => StateKind::Completed,
            Self::Refused { .. } => StateKind::Refused,
            Self::Abandoned { .. } => StateKind::Abandoned,
        }
    }

    /// Whether more will happen to it.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Requested | Self::Running { .. } | Self::Counted { .. }) || self.is_awaiting()
    }

    /// Whether someone must bring something.
    pub fn is_awaiting(&self) -> bool {
        matches!(self, Self::AwaitingProof { .. } | Self::AwaitingLog { .. })
            || matches!(self, Self::AwaitingOpenings { .. } | Self::AwaitingAuditor { .. })
    }
}

impl StateKind {
    /// In lower case, as in the certified JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Running => "running",
            Self::AwaitingProof => "awaiting proof",
            Self::AwaitingLog => "awaiting log",
            Self::Counted => "counted",
            Self::AwaitingOpenings => "awaiting openings",
            Self::AwaitingAuditor => "awaiting auditor",
            Self::Completed => "completed",
            Self::Refused => "refused",
            Self::Abandoned => "abandoned",
        }
    }
}

/// Which audits to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize)]
pub struct AuditsRequest {
    /// Only of this model.
    pub model: Option<DigestBytes>,
    /// Only on this dataset.
    pub dataset: Option<DigestBytes>,
    /// Only of this owner's models.
    pub owner: Option<Principal>,
    /// Only asked for by this principal.
    pub requester: Option<Principal>,
    /// Only in this state.
    pub state: Option<StateKind>,
    /// Only with a smaller number: `next` of the page before.
    pub before: Option<AuditId>,
    /// Most items; at most and by default [`crate::PAGE_ITEMS`].
    pub limit: Option<u32>,
}

/// Some audits.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct AuditPage {
    /// The audits.
    pub items: Vec<AuditRecord>,
    /// Where the next page goes on; nothing at the end.
    pub next: Option<AuditId>,
}

/// Stops an open audit, for good and for all to see.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct AbandonAudit {
    /// The audit.
    pub id: AuditId,
    /// Why: 1 to [`crate::REASON_BYTES`] bytes.
    pub reason: String,
}
