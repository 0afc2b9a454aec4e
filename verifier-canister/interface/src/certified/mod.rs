//! What the canister certifies: keys and leaves of its hash tree.
//!
//! `certified_data` is the root of `labeled("assay", tree)`. A leaf holds the SHA-256 of a text:
//!
//! ```text
//! audit/<10 digits>        canonical JSON of the audit's record, changing until it ends
//! certificate/<10 digits>  the certificate's body; never changes
//! status/<10 digits>       canonical JSON of the certificate's state
//! dataset/<64 hex>         canonical JSON of the dataset's record
//! model/<64 hex>           canonical JSON of the model's record
//! attestation/<10 digits>/<principal>  canonical JSON of an auditor's finding on a certificate
//! key/<principal>/<64 hex> canonical JSON of a key that logs are signed with
//! ```
//!
//! Canonical JSON is that of [`audit::canonical`]. Times are decimal strings of nanoseconds since 1970, digests are
//! lower-case hex, absent values are left out. Ids have ten digits, so that the order of keys is that of numbers.
//! The functions fail only on a number that JSON cannot hold exactly, which no registered record has.

mod read;

use audit::{AuditError, Digest, canonical::to_canonical_json};
use candid::Principal;
use serde_json::{Value, json};

use crate::{
    Attestation, AuditId, AuditLog, AuditRecord, AuditState, CertificateId, CertificateState, DatasetRecord,
    DigestBytes, ModelRecord, SigningKey,
};

pub use read::{MAX_RECORD, parse_audit, parse_dataset, parse_model};

/// Label of the canister's tree inside certified data.
pub const TREE_LABEL: &[u8] = b"assay";
/// Largest id that a key can hold.
pub const MAX_ID: u64 = 9_999_999_999;

/// Key of an audit.
pub fn audit_key(id: AuditId) -> String {
    format!("audit/{id:010}")
}

/// Key of a certificate's body.
pub fn certificate_key(id: CertificateId) -> String {
    format!("certificate/{id:010}")
}

/// Key of a certificate's state.
pub fn status_key(id: CertificateId) -> String {
    format!("status/{id:010}")
}

/// Key of a dataset.
pub fn dataset_key(digest: impl Into<Digest>) -> String {
    format!("dataset/{}", digest.into())
}

/// Key of a model.
pub fn model_key(digest: impl Into<Digest>) -> String {
    format!("model/{}", digest.into())
}

/// Key of an auditor's finding.
pub fn attestation_key(id: CertificateId, auditor: Principal) -> String {
    format!("attestation/{id:010}/{auditor}")
}

/// The first and the last key that a finding on a certificate can have.
pub fn attestation_range(id: CertificateId) -> (String, String) {
    (format!("attestation/{id:010}/"), format!("attestation/{id:010}/~"))
}

/// Key of a key that logs are signed with.
pub fn signing_key_key(owner: Principal, key: DigestBytes) -> String {
    format!("key/{owner}/{key}")
}

/// The first and the last key that an owner's signing key can have.
pub fn signing_key_range(owner: Principal) -> (String, String) {
    (format!("key/{owner}/"), format!("key/{owner}/~"))
}

/// What the leaf of a key that logs are signed with is the digest of.
pub fn signing_key_json(record: &SigningKey) -> Result<Vec<u8>, AuditError> {
    canonical(json!({
        "owner": record.owner.to_text(),
        "key": record.key.to_string(),
        "addedAt": record.added_at_ns.to_string(),
        "revoked": record.revoked.as_ref().map(|revoked| json!({
            "reason": revoked.reason,
            "at": revoked.at_ns.to_string(),
        })),
    }))
}

/// What the leaf of an auditor's finding is the digest of.
pub fn attestation_json(record: &Attestation) -> Result<Vec<u8>, AuditError> {
    canonical(json!({
        "certificate": record.certificate,
        "auditor": record.auditor.to_text(),
        "finding": record.finding.name(),
        "rerun": record.rerun.map(|digest| digest.to_string()),
        "note": record.note,
        "at": record.at_ns.to_string(),
        "revisions": record.revisions,
    }))
}

/// What the leaf of a dataset is the digest of.
pub fn dataset_json(record: &DatasetRecord) -> Result<Vec<u8>, AuditError> {
    canonical(json!({
        "digest": record.digest.to_string(),
        "owner": record.owner.to_text(),
        "name": record.name,
        "version": record.version,
        "manifest": record.manifest.to_string(),
        "encoding": record.encoding.to_string(),
        "rows": record.rows,
        "columns": record.columns,
        "bytes": record.bytes,
        "headerBytes": record.header_bytes,
        "registeredAt": record.registered_at_ns.to_string(),
    }))
}

/// What the leaf of a model is the digest of.
pub fn model_json(record: &ModelRecord) -> Result<Vec<u8>, AuditError> {
    let layer = |layer: &crate::LayerSummary| {
        json!({
            "inputs": layer.inputs,
            "units": layer.units,
            "shift": layer.shift,
            "activation": layer.activation,
        })
    };
    canonical(json!({
        "digest": record.digest.to_string(),
        "owner": record.owner.to_text(),
        "name": record.name,
        "source": record.source.map(|digest| digest.to_string()),
        "commitment": record.commitment.map(|digest| digest.to_string()),
        "logged": record.logged.then_some(true),
        "encoding": record.encoding.to_string(),
        "classes": record.classes,
        "inputs": record.inputs,
        "parameters": record.parameters,
        "layers": record.layers.iter().map(layer).collect::<Vec<_>>(),
        "bytes": record.bytes,
        "registeredAt": record.registered_at_ns.to_string(),
        "audits": record.audits,
    }))
}

/// What the leaf of an audit is the digest of.
pub fn audit_json(record: &AuditRecord) -> Result<Vec<u8>, AuditError> {
    let mut state = match &record.state {
        AuditState::Requested => json!({}),
        AuditState::Running { done, of } => json!({ "done": done, "of": of }),
        AuditState::AwaitingProof { done, of } => json!({ "done": done, "of": of }),
        AuditState::AwaitingLog { of } => json!({ "of": of }),
        AuditState::Counted { openings }
        | AuditState::AwaitingOpenings { openings }
        | AuditState::AwaitingAuditor { openings } => json!({ "openings": openings }),
        AuditState::Completed { certificate } => json!({ "certificate": certificate }),
        AuditState::Refused { reason } => json!({ "reason": reason }),
        AuditState::Abandoned { reason, by } => json!({ "reason": reason, "by": by.to_text() }),
    };
    state["kind"] = record.state.kind().name().into();
    let time = |time: Option<u64>| time.map(|time| time.to_string());
    let proofs: Vec<String> = record.proofs.iter().map(ToString::to_string).collect();
    canonical(json!({
        "id": record.id,
        "model": record.model.to_string(),
        "dataset": record.dataset.to_string(),
        "owner": record.owner.to_text(),
        "requester": record.requester.to_text(),
        "policy": record.policy.to_string(),
        "policyName": record.policy_name,
        "sampleSize": record.sample_size,
        "validFor": time(record.valid_for_s),
        "supersedes": record.supersedes,
        "auditOfModel": record.audit_of_model,
        "auditOfOwner": record.audit_of_owner,
        "auditsOfModel": record.audits_of_model,
        "auditsOfOwner": record.audits_of_owner,
        "requestedAt": record.requested_at_ns.to_string(),
        "seed": record.seed.map(|seed| seed.to_string()),
        "drawnAt": time(record.drawn_at_ns),
        "endedAt": time(record.ended_at_ns),
        "state": state,
        "replayMessages": record.replay_messages,
        "replayInstructions": record.replay_instructions.to_string(),
        "proofs": (!proofs.is_empty()).then_some(proofs),
        "log": record.log.as_ref().map(log_json),
    }))
}

fn log_json(log: &AuditLog) -> Value {
    let mut log = json!({
        "openings": log.openings,
        "submitted": log.submitted.as_ref().map(|log| json!({
            "content": log.content.to_string(),
            "statement": log.statement.to_string(),
            "root": log.root.to_string(),
            "signer": log.signer.to_string(),
            "at": log.at_ns.to_string(),
        })),
        "seed": log.seed.map(|seed| seed.to_string()),
        "drawnAt": log.drawn_at_ns.map(|time| time.to_string()),
        "opened": log.opened.as_ref().map(|opened| json!({
            "content": opened.content.to_string(),
            "at": opened.at_ns.to_string(),
        })),
        "checked": log.checked.as_ref().map(|checked| json!({
            "by": checked.by.to_text(),
            "at": checked.at_ns.to_string(),
        })),
    });
    without_nulls(&mut log);
    log
}

/// What the leaf of a certificate's state is the digest of.
pub fn status_json(certificate: CertificateId, state: &CertificateState) -> Result<Vec<u8>, AuditError> {
    canonical(match state {
        CertificateState::Valid => json!({ "certificate": certificate, "state": "valid" }),
        CertificateState::Superseded { by, at_ns } => {
            json!({ "certificate": certificate, "state": "superseded", "by": by, "at": at_ns.to_string() })
        }
        CertificateState::Suspended { row, logged, decided, by, at_ns } => json!({
            "certificate": certificate,
            "state": "suspended",
            "row": row,
            "logged": logged,
            "decided": decided,
            "by": by.to_text(),
            "at": at_ns.to_string(),
        }),
        CertificateState::Revoked { reason, by, at_ns } => json!({
            "certificate": certificate,
            "state": "revoked",
            "reason": reason,
            "by": by.to_text(),
            "at": at_ns.to_string(),
        }),
    })
}

/// The canonical bytes of a record, without the members that are null.
fn canonical(mut record: Value) -> Result<Vec<u8>, AuditError> {
    without_nulls(&mut record);
    to_canonical_json("record", &record)
}

fn without_nulls(record: &mut Value) {
    if let Value::Object(members) = record {
        members.retain(|_, value| !value.is_null());
    }
}

#[cfg(test)]
mod tests {
    use candid::Principal;

    use super::*;
    use crate::DigestBytes;

    fn text(bytes: Result<Vec<u8>, AuditError>) -> String {
        String::from_utf8(bytes.unwrap()).unwrap()
    }

    #[test]
    fn status_texts() {
        let by = Principal::management_canister();
        let reason = "wrong \"data\"".to_owned();
        let texts = [
            CertificateState::Valid,
            CertificateState::Superseded { by: 9, at_ns: u64::MAX },
            CertificateState::Suspended { row: 3, logged: 1, decided: 0, by, at_ns: 5 },
            CertificateState::Revoked { reason, by, at_ns: 5 },
        ]
        .map(|state| text(status_json(7, &state)));
        assert_eq!(
            texts,
            [
                r#"{"certificate":7,"state":"valid"}"#,
                r#"{"at":"18446744073709551615","by":9,"certificate":7,"state":"superseded"}"#,
                r#"{"at":"5","by":"aaaaa-aa","certificate":7,"decided":0,"logged":1,"row":3,"state":"suspended"}"#,
                r#"{"at":"5","by":"aaaaa-aa","certificate":7,"reason":"wrong \"data\"","state":"revoked"}"#,
            ]
        );
    }

    #[test]
    fn audit_text_leaves_out_what_is_not_known_yet() {
        let zero = DigestBytes([0; 32]);
        let record = AuditRecord {
            id: 1,
            model: zero,
            dataset: zero,
            owner: Principal::management_canister(),
            requester: Principal::management_canister(),
            policy: zero,
            policy_name: "p".to_owned(),
            sample_size: 10,
            valid_for_s: None,
            supersedes: None,
            audit_of_model: 1,
            audit_of_owner: 1,
            audits_of_model: 2,
            audits_of_owner: 3,
            requested_at_ns: 1,
            seed: None,
            drawn_at_ns: None,
            ended_at_ns: None,
            state: AuditState::Running { done: 3, of: 10 },
            replay_messages: 1,
            replay_instructions: 2,
            proofs: Vec::new(),
            log: None,
        };
        let hex = "0".repeat(64);
        assert_eq!(
            text(audit_json(&record)),
            format!(
                "{{\"auditOfModel\":1,\"auditOfOwner\":1,\"auditsOfModel\":2,\"auditsOfOwner\":3,\"dataset\":\"{hex}\",\"id\":1,\"model\":\"{hex}\",\
                 \"owner\":\"aaaaa-aa\",\"policy\":\"{hex}\",\"policyName\":\"p\",\"replayInstructions\":\"2\",\
                 \"replayMessages\":1,\"requestedAt\":\"1\",\"requester\":\"aaaaa-aa\",\"sampleSize\":10,\
                 \"state\":{{\"done\":3,\"kind\":\"running\",\"of\":10}}}}"
            )
        );
    }

    #[test]
    fn keys_sort_as_their_numbers() {
        assert!(audit_key(9) < audit_key(10));
        assert_eq!(certificate_key(MAX_ID), "certificate/9999999999");
        assert_eq!(status_key(1), "status/0000000001");
        assert_eq!(model_key(Digest([0xab; 32])), format!("model/{}", "ab".repeat(32)));
        assert_eq!(dataset_key(DigestBytes([0; 32])), format!("dataset/{}", "0".repeat(64)));
    }
}
