//! What stable memory holds. Fields are only ever added, with `#[serde(default)]`.

use audit::certificate::Level;
use candid::Principal;
use interface::{
    AuditLog, AuditRecord, AuditState, CertificateId, CertificateState, CertificateSummary, DatasetRecord,
    DigestBytes, Error, LayerSummary, ModelRecord, Quotas, Verdict,
};
use pages::Scores;
use serde::{Deserialize, Serialize};

use super::Content;

/// Quotas of a new canister.
pub const INITIAL_QUOTAS: Quotas = Quotas {
    uploads: 8,
    uploads_total: 256,
    owner_bytes: 256 << 20,
    registrar_bytes: 1 << 30,
    bytes_total: 16 << 30,
    models: 100,
    open_audits: 4,
    open_audits_total: 256,
    audits_per_day: 100,
    audits_per_day_total: 10_000,
    audit_work: 1_000_000_000_000,
    work_per_day: 1_000_000_000_000,
    work_per_day_total: 5_000_000_000_000,
    awaiting_audits: 8,
    awaiting_audits_total: 4096,
    verifications_per_day: 100,
    verifications_per_day_total: 10_000,
    disputes_per_day: 20,
    disputes_per_day_total: 2_000,
    slice_instructions: 20_000_000_000,
};

/// Numbers of the whole canister.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Bytes of uploads, datasets and models.
    pub stored_bytes: u64,
    /// UTC day of the last request, in days since 1970.
    pub day: u64,
    /// Audits requested on that day.
    pub audits_today: u32,
    /// Work requested on that day: samples times parameters.
    pub work_today: u64,
    /// Instructions of all replays.
    pub replay_instructions: u64,
    /// The audit that had the last turn.
    pub last_turn: u64,
    /// Instructions of all verifications.
    #[serde(default)]
    pub verification_instructions: u64,
    /// Audits that wait for somebody.
    #[serde(default, alias = "awaiting_proofs")]
    pub awaiting_audits: u32,
    /// Proofs verified on `verified_day`.
    #[serde(default)]
    pub verifications_today: u32,
    /// UTC day of the last verification, in days since 1970.
    #[serde(default)]
    pub verified_day: u64,
    /// Predictions disputed on `disputed_day`.
    #[serde(default)]
    pub disputes_today: u32,
    /// UTC day of the last dispute, in days since 1970.
    #[serde(default)]
    pub disputed_day: u64,
}

/// What one principal uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Bytes of its uploads, datasets and models.
    pub bytes: u64,
    /// Models it owns.
    pub models: u32,
    /// Audits ever requested of its models.
    pub audits_of_models: u32,
    /// Its requests that are open.
    pub open_audits: u32,
    /// UTC day of its last request.
    pub day: u64,
    /// Its requests on that day.
    pub audits_today: u32,
    /// Work requested on that day: samples times parameters.
    #[serde(default)]
    pub work_today: u64,
    /// Audits of its models that wait for somebody.
    #[serde(default, alias = "awaiting_proofs")]
    pub awaiting_audits: u32,
    /// Proofs verified for it on `verified_day`.
    #[serde(default)]
    pub verifications_today: u32,
    /// UTC day of the last verification, in days since 1970.
    #[serde(default)]
    pub verified_day: u64,
    /// Predictions that it disputed on `disputed_day`.
    #[serde(default)]
    pub disputes_today: u32,
    /// UTC day of its last dispute, in days since 1970.
    #[serde(default)]
    pub disputed_day: u64,
}

/// An unfinished upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Bytes announced.
    pub size: u64,
    /// A block per chunk, once it was put.
    pub blocks: Vec<Option<u32>>,
    /// When it was begun or last got a chunk.
    pub touched_at_ns: u64,
}

/// A registered dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    pub owner: Principal,
    pub name: String,
    pub version: String,
    pub manifest: DigestBytes,
    pub encoding: DigestBytes,
    pub rows: u32,
    pub columns: u32,
    pub header_bytes: u64,
    pub registered_at_ns: u64,
    pub content: Content,
}

impl Dataset {
    /// As it is shown and certified.
    pub fn record(&self, digest: DigestBytes) -> DatasetRecord {
        DatasetRecord {
            digest,
            owner: self.owner,
            name: self.name.clone(),
            version: self.version.clone(),
            manifest: self.manifest,
            encoding: self.encoding,
            rows: self.rows,
            columns: self.columns,
            bytes: self.content.size,
            header_bytes: self.header_bytes,
            registered_at_ns: self.registered_at_ns,
        }
    }
}

/// A registered model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    pub owner: Principal,
    pub name: String,
    pub source: DigestBytes,
    pub encoding: DigestBytes,
    pub classes: u8,
    pub inputs: u32,
    pub parameters: u64,
    pub layers: Vec<LayerSummary>,
    pub registered_at_ns: u64,
    pub audits: u32,
    pub content: Content,
    /// Id of the commitment, of a private model.
    #[serde(default)]
    pub commitment: Option<DigestBytes>,
    /// Whether it stays with its owner; the content is its card.
    #[serde(default)]
    pub logged: bool,
    /// How often openings were drawn for logs of it.
    #[serde(default)]
    pub draws: u32,
}

impl Model {
    /// As it is shown and certified.
    pub fn record(&self, digest: DigestBytes) -> ModelRecord {
        ModelRecord {
            digest,
            owner: self.owner,
            name: self.name.clone(),
            source: self.commitment.is_none().then_some(self.source),
            commitment: self.commitment,
            logged: self.logged,
            encoding: self.encoding,
            classes: self.classes,
            inputs: self.inputs,
            parameters: self.parameters,
            layers: self.layers.clone(),
            bytes: self.content.size,
            registered_at_ns: self.registered_at_ns,
            audits: self.audits,
        }
    }
}

/// A requested audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    pub model: DigestBytes,
    pub dataset: DigestBytes,
    pub owner: Principal,
    pub requester: Principal,
    pub policy: DigestBytes,
    pub policy_name: String,
    pub sample_size: u32,
    pub valid_for_s: Option<u64>,
    pub supersedes: Option<CertificateId>,
    pub audit_of_model: u32,
    pub audit_of_owner: u32,
    #[serde(default)]
    pub audits_of_model: u32,
    #[serde(default)]
    pub audits_of_owner: u32,
    pub requested_at_ns: u64,
    pub seed: Option<DigestBytes>,
    pub drawn_at_ns: Option<u64>,
    pub ended_at_ns: Option<u64>,
    pub state: AuditState,
    pub replay_messages: u32,
    pub replay_instructions: u64,
    #[serde(default)]
    pub proofs: Vec<DigestBytes>,
    #[serde(default)]
    pub log: Option<AuditLog>,
}

impl Audit {
    /// As it is shown and certified.
    pub fn record(&self, id: u64) -> AuditRecord {
        AuditRecord {
            id,
            model: self.model,
            dataset: self.dataset,
            owner: self.owner,
            requester: self.requester,
            policy: self.policy,
            policy_name: self.policy_name.clone(),
            sample_size: self.sample_size,
            valid_for_s: self.valid_for_s,
            supersedes: self.supersedes,
            audit_of_model: self.audit_of_model,
            audit_of_owner: self.audit_of_owner,
            audits_of_model: self.audits_of_model.max(self.audit_of_model),
            audits_of_owner: self.audits_of_owner.max(self.audit_of_owner),
            requested_at_ns: self.requested_at_ns,
            seed: self.seed,
            drawn_at_ns: self.drawn_at_ns,
            ended_at_ns: self.ended_at_ns,
            state: self.state.clone(),
            replay_messages: self.replay_messages,
            replay_instructions: self.replay_instructions,
            proofs: self.proofs.clone(),
            log: self.log.clone(),
        }
    }
}

/// How far a replay is. Position and counters are one record, so that no row counts twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Samples done.
    pub position: u32,
    /// [`audit::Counts::counters`] over them; empty before the first slice.
    pub counters: Vec<u32>,
    /// Proofs that were verified, right or wrong; logs or openings that were refused.
    #[serde(default)]
    pub attempts: u32,
    /// Of a log, the roots of its tree's complete parts over the samples done.
    #[serde(default)]
    pub roots: Vec<DigestBytes>,
}

impl Progress {
    /// Adds the counters of a proved part that ends at `position`.
    pub fn add(&mut self, position: u32, counters: &[u32]) {
        self.position = position;
        self.counters.resize(counters.len(), 0);
        for (sum, counter) in self.counters.iter_mut().zip(counters) {
            *sum = sum.saturating_add(*counter);
        }
    }
}

/// An open audit's place in the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Steps begun since the last that succeeded.
    pub attempts: u32,
    /// No other step begins before this time.
    pub not_before_ns: u64,
}

/// An issued certificate but for its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub audit: u64,
    pub model: DigestBytes,
    pub model_name: String,
    pub owner: Principal,
    pub dataset: DigestBytes,
    pub dataset_name: String,
    pub dataset_version: String,
    pub policy_name: String,
    pub policy: DigestBytes,
    pub verdict: Verdict,
    pub state: CertificateState,
    pub sample_size: u32,
    pub issued_at_ns: u64,
    pub valid_until_ns: Option<u64>,
    pub supersedes: Option<CertificateId>,
    pub body_digest: DigestBytes,
}

/// What pages show of a certificate besides its record, and what signs it; all of it follows from the body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    pub proved: bool,
    /// Of certificates that were issued when there were only two levels, `proved` says it.
    #[serde(default)]
    pub level: Option<Level>,
    pub audits_of_model: u32,
    pub scores: Scores,
    /// Digest of what the canister signs of the body.
    pub signed: DigestBytes,
}

impl Figures {
    /// Of a body that was just made, so that it is known to be well-formed.
    pub fn of(body: &[u8], signed: DigestBytes) -> Result<Self, Error> {
        let body: audit::Certificate = serde_json::from_slice(body).map_err(Error::internal)?;
        Ok(Self {
            proved: body.predicate.level == Level::Proved,
            level: Some(body.predicate.level),
            audits_of_model: body.predicate.audits_of_model,
            scores: Scores::of(&body),
            signed,
        })
    }

    /// How far the counts were checked.
    pub fn level(&self) -> Level {
        self.level.unwrap_or(if self.proved { Level::Proved } else { Level::Replayed })
    }
}

impl Certificate {
    /// As it is listed.
    pub fn summary(&self, id: CertificateId) -> CertificateSummary {
        CertificateSummary {
            id,
            audit: self.audit,
            model: self.model,
            model_name: self.model_name.clone(),
            owner: self.owner,
            dataset: self.dataset,
            dataset_name: self.dataset_name.clone(),
            dataset_version: self.dataset_version.clone(),
            policy_name: self.policy_name.clone(),
            policy: self.policy,
            verdict: self.verdict,
            state: self.state.clone(),
            sample_size: self.sample_size,
            issued_at_ns: self.issued_at_ns,
            valid_until_ns: self.valid_until_ns,
            supersedes: self.supersedes,
            body_digest: self.body_digest,
        }
    }
}
