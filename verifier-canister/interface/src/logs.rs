use audit::{
    SAMPLE_RULE,
    certificate::{Checked, Logged, Nanoseconds, Opened},
    log::{Predictions, Statement},
};
use candid::{CandidType, Principal};
use serde::{Deserialize, Serialize};

use crate::{AuditId, CertificateId, DigestBytes, Proof, Seed};

/// Asks for an audit by a prediction log: the owner runs the model, signs every prediction, and opens some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize)]
pub struct LogRequest {
    /// Predictions that the canister draws once the log is fixed; with none the certificate is `attested` at most.
    pub openings: u32,
}

/// What has become of an audit's prediction log.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Serialize, Deserialize)]
pub struct AuditLog {
    /// Predictions to be opened.
    pub openings: u32,
    /// The log, once it was handed in.
    pub submitted: Option<SubmittedLog>,
    /// What the opened predictions were drawn from.
    pub seed: Option<Seed>,
    /// When that was drawn, in nanoseconds since 1970.
    pub drawn_at_ns: Option<u64>,
    /// How often openings were drawn for logs of this model until then, this time included.
    pub draws: Option<u32>,
    /// The openings, once they were handed in and hold.
    pub opened: Option<SubmittedOpenings>,
    /// Who ran the model on them, and found the classes of the log.
    pub checked: Option<CheckedOpenings>,
}

impl AuditLog {
    /// What a certificate says about a log that was counted, with this statement; `None` where a part is missing.
    pub fn facts(&self, statement: &Statement) -> Option<Logged> {
        let Predictions { decision, language, runtime, .. } = &statement.predicate;
        let submitted = self.submitted.as_ref()?;
        let openings = match &self.opened {
            None => None,
            Some(opened) => Some(Opened {
                count: self.openings,
                rule: SAMPLE_RULE.to_owned(),
                seed: self.seed?.into(),
                drawn_at: Nanoseconds(self.drawn_at_ns?),
                draws: self.draws?,
                content: opened.content.into(),
                submitted_at: Nanoseconds(opened.at_ns),
                checked: self.checked.as_ref().map(|checked| Checked {
                    by: checked.by.to_text(),
                    at: Nanoseconds(checked.at_ns),
                    note: checked.note.clone(),
                }),
            }),
        };
        Some(Logged {
            root: submitted.root.into(),
            statement: submitted.statement.into(),
            content: submitted.content.into(),
            signer: submitted.signer.into(),
            submitted_at: Nanoseconds(submitted.at_ns),
            decision: decision.clone(),
            language: language.clone(),
            runtime: runtime.clone(),
            openings,
        })
    }
}

/// A log that was handed in.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Serialize, Deserialize)]
pub struct SubmittedLog {
    /// SHA-256 of what was handed in; `read_log` returns it.
    pub content: DigestBytes,
    /// SHA-256 of the signed statement.
    pub statement: DigestBytes,
    /// Root of the tree of predictions.
    pub root: DigestBytes,
    /// Ed25519 key of the signature, registered by the model's owner.
    pub signer: DigestBytes,
    /// When, in nanoseconds since 1970.
    pub at_ns: u64,
}

/// Openings that were handed in.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Serialize, Deserialize)]
pub struct SubmittedOpenings {
    /// SHA-256 of what was handed in; `read_log` returns it.
    pub content: DigestBytes,
    /// When, in nanoseconds since 1970.
    pub at_ns: u64,
}

/// Who ran opened predictions again.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Serialize, Deserialize)]
pub struct CheckedOpenings {
    /// This canister, or an auditor.
    pub by: Principal,
    /// When, in nanoseconds since 1970.
    pub at_ns: u64,
    /// What an auditor said about how; may be empty.
    pub note: String,
}

/// Hands in an uploaded log for an audit that awaits one.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct SubmitLog {
    /// The audit.
    pub audit: AuditId,
    /// SHA-256 of the log; its bytes are the caller's upload of this digest.
    pub log: DigestBytes,
}

/// Hands in uploaded openings for an audit that awaits them.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct SubmitOpenings {
    /// The audit.
    pub audit: AuditId,
    /// SHA-256 of the openings; their bytes are the caller's upload of this digest.
    pub openings: DigestBytes,
}

/// Says what an auditor found who ran the model on an audit's openings. Auditors only, and not about models of their
/// own.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct ReportOpenings {
    /// The audit.
    pub audit: AuditId,
    /// Whether every class was that of the log. If not, the audit ends as refused.
    pub agrees: bool,
    /// What ran, and what differs: up to [`crate::REASON_BYTES`] bytes, shown to all; needed unless the auditor agrees.
    pub note: String,
}

/// Says that a certified log has a prediction that the public model does not make. The canister runs the model; if it
/// is so, the certificate is suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize)]
pub struct DisputePrediction {
    /// The certificate.
    pub certificate: CertificateId,
    /// Place of the prediction in the log, from 0.
    pub index: u32,
}

/// Registers a key that the caller signs logs with.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct AddKey {
    /// Ed25519 public key.
    pub key: DigestBytes,
    /// Its signature of [`key_message`], which shows that the caller has the key.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// Withdraws a key of the caller, for good: no log signed with it is accepted any more.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct RevokeKey {
    /// The key.
    pub key: DigestBytes,
    /// Why: 1 to [`crate::REASON_BYTES`] bytes.
    pub reason: String,
}

/// A key that logs are signed with. Certified under `key/<owner>/<64 hex>`; it is never removed.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Serialize, Deserialize)]
pub struct SigningKey {
    /// Whose it is.
    pub owner: Principal,
    /// Ed25519 public key.
    pub key: DigestBytes,
    /// When it was registered, in nanoseconds since 1970.
    pub added_at_ns: u64,
    /// Since when and why it is not accepted any more.
    pub revoked: Option<KeyRevocation>,
}

/// Why a key is not accepted any more.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Serialize, Deserialize)]
pub struct KeyRevocation {
    /// Why, in the owner's words.
    pub reason: String,
    /// When, in nanoseconds since 1970. Logs that were handed in before stay.
    pub at_ns: u64,
}

/// All keys of one owner, with proof that there are no others.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct CertifiedKeys {
    /// In the order of their bytes.
    pub keys: Vec<SigningKey>,
    /// For everything from `key/<owner>/` to `key/<owner>/~`.
    pub proof: Proof,
}

/// What a key signs to be registered by `owner` at `canister`, so that nobody registers a key of others.
pub fn key_message(canister: Principal, owner: Principal) -> Vec<u8> {
    let [canister, owner] = [&canister, &owner].map(|principal| principal.as_slice());
    // A principal has at most 29 bytes.
    [b"assay key 1".as_slice(), &[canister.len() as u8], canister, &[owner.len() as u8], owner].concat()
}
