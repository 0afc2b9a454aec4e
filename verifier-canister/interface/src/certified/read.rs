//! Records read back from the texts that the canister certifies.
//!
//! Each is written again by the function that the canister uses, and must come out with the same bytes: no field can
//! be added, left out, repeated or spelled otherwise.

use audit::{AuditError, Digest, canonical::from_json};
use candid::Principal;
use serde_json::{Map, Value};

use super::{audit_json, dataset_json, model_json};
use crate::{
    AuditLog, AuditRecord, AuditState, CheckedOpenings, DatasetRecord, DigestBytes, LayerSummary,
    ModelRecord, SubmittedLog, SubmittedOpenings,
};

/// Longest text of a record that is read, in bytes.
pub const MAX_RECORD: usize = 1 << 20;

/// Reads the text of a dataset's record.
pub fn parse_dataset(text: &[u8]) -> Result<DatasetRecord, AuditError> {
    let fields = Fields::parse("dataset's record", text)?;
    let record = DatasetRecord {
        digest: fields.get("digest", digest)?,
        owner: fields.get("owner", principal)?,
        name: fields.get("name", string)?,
        version: fields.get("version", string)?,
        manifest: fields.get("manifest", digest)?,
        encoding: fields.get("encoding", digest)?,
        rows: fields.get("rows", number)?,
        columns: fields.get("columns", number)?,
        bytes: fields.get("bytes", number)?,
        header_bytes: fields.get("headerBytes", number)?,
        registered_at_ns: fields.get("registeredAt", decimal)?,
    };
    fields.same(text, dataset_json(&record)?)?;
    Ok(record)
}

/// Reads the text of a model's record.
pub fn parse_model(text: &[u8]) -> Result<ModelRecord, AuditError> {
    let fields = Fields::parse("model's record", text)?;
    let record = ModelRecord {
        digest: fields.get("digest", digest)?,
        owner: fields.get("owner", principal)?,
        name: fields.get("name", string)?,
        source: fields.find("source", digest)?,
        commitment: fields.find("commitment", digest)?,
        logged: fields.find("logged", Value::as_bool)?.unwrap_or_default(),
        encoding: fields.get("encoding", digest)?,
        classes: fields.get("classes", number)?,
        inputs: fields.get("inputs", number)?,
        parameters: fields.get("parameters", number)?,
        layers: fields.get("layers", |layers| list(layers, layer))?,
        bytes: fields.get("bytes", number)?,
        registered_at_ns: fields.get("registeredAt", decimal)?,
        audits: fields.get("audits", number)?,
    };
    fields.same(text, model_json(&record)?)?;
    Ok(record)
}

/// Reads the text of an audit's record.
pub fn parse_audit(text: &[u8]) -> Result<AuditRecord, AuditError> {
    let fields = Fields::parse("audit's record", text)?;
    let record = AuditRecord {
        id: fields.get("id", number)?,
        model: fields.get("model", digest)?,
        dataset: fields.get("dataset", digest)?,
        owner: fields.get("owner", principal)?,
        requester: fields.get("requester", principal)?,
        policy: fields.get("policy", digest)?,
        policy_name: fields.get("policyName", string)?,
        sample_size: fields.get("sampleSize", number)?,
        valid_for_s: fields.find("validFor", decimal)?,
        supersedes: fields.find("supersedes", number)?,
        audit_of_model: fields.get("auditOfModel", number)?,
        audit_of_owner: fields.get("auditOfOwner", number)?,
        audits_of_model: fields.get("auditsOfModel", number)?,
        audits_of_owner: fields.get("auditsOfOwner", number)?,
        requested_at_ns: fields.get("requestedAt", decimal)?,
        seed: fields.find("seed", digest)?,
        drawn_at_ns: fields.find("drawnAt", decimal)?,
        ended_at_ns: fields.find("endedAt", decimal)?,
        state: fields.get("state", state)?,
        replay_messages: fields.get("replayMessages", number)?,
        replay_instructions: fields.get("replayInstructions", decimal)?,
        proofs: fields.find("proofs", |proofs| list(proofs, digest))?.unwrap_or_default(),
        log: fields.find("log", log)?,
    };
    fields.same(text, audit_json(&record)?)?;
    Ok(record)
}

fn state(value: &Value) -> Option<AuditState> {
    let (done, of) = (value.get("done").and_then(number), value.get("of").and_then(number));
    let reason = value.get("reason").and_then(string);
    let openings = value.get("openings").and_then(number);
    Some(match value.get("kind")?.as_str()? {
        "requested" => AuditState::Requested,
        "running" => AuditState::Running { done: done?, of: of? },
        "awaiting proof" => AuditState::AwaitingProof { done: done?, of: of? },
        "awaiting log" => AuditState::AwaitingLog { of: of? },
        "counted" => AuditState::Counted { openings: openings? },
        "awaiting openings" => AuditState::AwaitingOpenings { openings: openings? },
        "awaiting auditor" => AuditState::AwaitingAuditor { openings: openings? },
        "completed" => AuditState::Completed { certificate: value.get("certificate").and_then(number)? },
        "refused" => AuditState::Refused { reason: reason? },
        "abandoned" => AuditState::Abandoned { reason: reason?, by: value.get("by").and_then(principal)? },
        _ => return None,
    })
}

fn log(value: &Value) -> Option<AuditLog> {
    let submitted = |value: &Value| {
        Some(SubmittedLog {
            content: digest(value.get("content")?)?,
            statement: digest(value.get("statement")?)?,
            root: digest(value.get("root")?)?,
            signer: digest(value.get("signer")?)?,
            at_ns: decimal(value.get("at")?)?,
        })
    };
    let opened = |value: &Value| {
        Some(SubmittedOpenings { content: digest(value.get("content")?)?, at_ns: decimal(value.get("at")?)? })
    };
    let checked = |value: &Value| {
        Some(CheckedOpenings { by: principal(value.get("by")?)?, at_ns: decimal(value.get("at")?)? })
    };
    Some(AuditLog {
        openings: number(value.get("openings")?)?,
        // What is not read as it was written differs when it is written again.
        submitted: value.get("submitted").and_then(submitted),
        seed: value.get("seed").and_then(digest),
        drawn_at_ns: value.get("drawnAt").and_then(decimal),
        opened: value.get("opened").and_then(opened),
        checked: value.get("checked").and_then(checked),
    })
}

fn layer(value: &Value) -> Option<LayerSummary> {
    Some(LayerSummary {
        inputs: value.get("inputs").and_then(number)?,
        units: value.get("units").and_then(number)?,
        shift: value.get("shift").and_then(number)?,
        activation: value.get("activation").and_then(string)?,
    })
}

/// The members of a record's text.
struct Fields {
    what: &'static str,
    members: Map<String, Value>,
}

impl Fields {
    fn parse(what: &'static str, text: &[u8]) -> Result<Self, AuditError> {
        Ok(Self { what, members: from_json(what, MAX_RECORD, text)? })
    }

    fn get<T>(&self, name: &str, read: impl FnOnce(&Value) -> Option<T>) -> Result<T, AuditError> {
        self.find(name, read)?.ok_or_else(|| self.wrong(name))
    }

    /// A member that may be absent.
    fn find<T>(&self, name: &str, read: impl FnOnce(&Value) -> Option<T>) -> Result<Option<T>, AuditError> {
        let found = self.members.get(name).map(|value| read(value).ok_or_else(|| self.wrong(name)));
        found.transpose()
    }

    fn wrong(&self, name: &str) -> AuditError {
        AuditError::Json { what: self.what, cause: format!("`{name}` is missing or of another type") }
    }

    fn same(&self, text: &[u8], written: Vec<u8>) -> Result<(), AuditError> {
        if written == text { Ok(()) } else { Err(AuditError::NotCanonical { what: self.what }) }
    }
}

fn string(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn number<T: TryFrom<u64>>(value: &Value) -> Option<T> {
    value.as_u64().and_then(|number| number.try_into().ok())
}

/// A number that is written as text, since JSON does not hold all of 64 bits.
fn decimal(value: &Value) -> Option<u64> {
    value.as_str()?.parse().ok()
}

fn digest(value: &Value) -> Option<DigestBytes> {
    value.as_str()?.parse().ok().map(|digest: Digest| digest.into())
}

fn principal(value: &Value) -> Option<Principal> {
    Principal::from_text(value.as_str()?).ok()
}

fn list<T>(value: &Value, read: fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audits() -> Vec<AuditRecord> {
        let (zero, owner) = (DigestBytes([0; 32]), Principal::management_canister());
        let open = AuditRecord {
            id: 1,
            model: zero,
            dataset: DigestBytes([1; 32]),
            owner,
            requester: Principal::anonymous(),
            policy: zero,
            policy_name: "p".to_owned(),
            sample_size: 10,
            valid_for_s: None,
            supersedes: None,
            audit_of_model: 1,
            audit_of_owner: 1,
            audits_of_model: 2,
            audits_of_owner: 3,
            requested_at_ns: u64::MAX,
            seed: None,
            drawn_at_ns: None,
            ended_at_ns: None,
            state: AuditState::Requested,
            replay_messages: 1,
            replay_instructions: 2,
            proofs: Vec::new(),
            log: None,
        };
        let asked = AuditLog {
            openings: 30,
            submitted: None,
            seed: None,
            drawn_at_ns: None,
            opened: None,
            checked: None,
        };
        let content = DigestBytes([4; 32]);
        let log = AuditLog {
            submitted: Some(SubmittedLog {
                content,
                statement: DigestBytes([5; 32]),
                root: DigestBytes([6; 32]),
                signer: DigestBytes([7; 32]),
                at_ns: u64::MAX,
            }),
            seed: Some(zero),
            drawn_at_ns: Some(11),
            opened: Some(SubmittedOpenings { content, at_ns: 12 }),
            checked: Some(CheckedOpenings { by: owner, at_ns: 13 }),
            ..asked.clone()
        };
        let full = AuditRecord {
            valid_for_s: Some(5),
            supersedes: Some(4),
            seed: Some(DigestBytes([7; 32])),
            drawn_at_ns: Some(8),
            ended_at_ns: Some(9),
            proofs: vec![DigestBytes([2; 32]), DigestBytes([3; 32])],
            ..open.clone()
        };
        let reason = "a \"reason\"".to_owned();
        let states = [
            AuditState::Running { done: 3, of: 10 },
            AuditState::AwaitingProof { done: 0, of: 10 },
            AuditState::AwaitingLog { of: 10 },
            AuditState::Counted { openings: 30 },
            AuditState::AwaitingOpenings { openings: 30 },
            AuditState::AwaitingAuditor { openings: 30 },
            AuditState::Completed { certificate: 7 },
            AuditState::Refused { reason: reason.clone() },
            AuditState::Abandoned { reason, by: owner },
        ];
        let logged = [asked, log].map(|log| AuditRecord { log: Some(log), ..full.clone() });
        let rest = states.into_iter().map(|state| AuditRecord { state, ..full.clone() });
        [open].into_iter().chain(rest).chain(logged).collect()
    }

    fn model() -> ModelRecord {
        let layer = LayerSummary { inputs: 2, units: 1, shift: 3, activation: "step".to_owned() };
        ModelRecord {
            digest: DigestBytes([1; 32]),
            owner: Principal::management_canister(),
            name: "line".to_owned(),
            source: Some(DigestBytes([2; 32])),
            commitment: None,
            logged: false,
            encoding: DigestBytes([3; 32]),
            classes: 2,
            inputs: 2,
            parameters: 3,
            layers: vec![layer.clone(), layer],
            bytes: 99,
            registered_at_ns: 5,
            audits: 1,
        }
    }

    fn dataset() -> DatasetRecord {
        DatasetRecord {
            digest: DigestBytes([1; 32]),
            owner: Principal::management_canister(),
            name: "small".to_owned(),
            version: "1 \u{fc}".to_owned(),
            manifest: DigestBytes([2; 32]),
            encoding: DigestBytes([3; 32]),
            rows: 60,
            columns: 2,
            bytes: 500,
            header_bytes: 100,
            registered_at_ns: u64::MAX,
        }
    }

    #[test]
    fn every_record_is_read_back() {
        for audit in audits() {
            assert_eq!(parse_audit(&audit_json(&audit).unwrap()).unwrap(), audit);
        }
        let private = ModelRecord { source: None, commitment: Some(DigestBytes([9; 32])), ..model() };
        let logged = ModelRecord { logged: true, layers: Vec::new(), ..model() };
        for model in [model(), private, logged] {
            assert_eq!(parse_model(&model_json(&model).unwrap()).unwrap(), model);
        }
        assert_eq!(parse_dataset(&dataset_json(&dataset()).unwrap()).unwrap(), dataset());
    }

    #[test]
    fn every_changed_byte_is_refused_or_read_as_it_is_written() {
        let texts = [
            audit_json(audits().last().unwrap()).unwrap(),
            model_json(&model()).unwrap(),
            dataset_json(&dataset()).unwrap(),
        ];
        let mut read = 0;
        for (kind, text) in texts.iter().enumerate() {
            for bit in 0..text.len() * 8 {
                let mut changed = text.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let again = match kind {
                    0 => parse_audit(&changed).and_then(|record| audit_json(&record)),
                    1 => parse_model(&changed).and_then(|record| model_json(&record)),
                    _ => parse_dataset(&changed).and_then(|record| dataset_json(&record)),
                };
                if let Ok(again) = again {
                    assert_eq!(again, changed, "bit {bit}");
                    read += 1;
                }
            }
        }
        assert!(read > 100, "digits of a number or a digest may change: {read}");
    }

    #[test]
    fn other_members_and_spellings_are_refused() {
        let text = String::from_utf8(dataset_json(&dataset()).unwrap()).unwrap();
        for changed in [
            text.replacen('{', "{\"a\":1,", 1),
            text.replacen("\"rows\":60", "\"rows\":60,\"rows\":60", 1),
            text.replacen("\"rows\":60,", "", 1),
            text.replacen("\"rows\":60", "\"rows\":\"60\"", 1),
            text.replacen("\"rows\":60", "\"rows\":4294967356", 1),
            text.replacen(':', ": ", 1),
            text.replacen("aaaaa-aa", "AAAAA-AA", 1),
            text.clone() + "\n",
            " ".repeat(MAX_RECORD + 1),
        ] {
            assert!(parse_dataset(changed.as_bytes()).is_err(), "{changed:.100}");
        }
    }
}
