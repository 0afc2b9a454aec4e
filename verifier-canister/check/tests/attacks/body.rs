//! A small audit: dataset, model, policy, certificate.

use audit::certificate::{DatasetFacts, Facts, ModelFacts, Nanoseconds};
use audit::{
    Activation, Attribute, Column, Dataset, Decimal, Decision, Digest, Engine, Layer, Model, Policy, Replay,
    Schema, certificate_body, dataset::DatasetBuilder, draw_sample,
};
use candid::Principal;
use check::rerun::Evidence;
use interface::{AuditRecord, AuditState, DatasetRecord, DigestBytes, LayerSummary, ModelRecord};

/// The canister in all tests.
pub fn canister() -> Principal {
    Principal::from_text("bkyz2-fmaaa-aaaaa-qaaaq-cai").unwrap()
}

/// Number of the certificate.
pub const CERTIFICATE: u64 = 7;
/// When it was issued, in nanoseconds since 1970.
pub const ISSUED_AT: u64 = 1_790_000_000_000_000_000;
/// When it ends to be valid.
pub const VALID_FOR_S: u64 = 86_400;

const SEED: [u8; 32] = [9; 32];
const ROWS: u32 = 60;
const SAMPLE: u32 = 40;

pub fn dataset() -> Dataset {
    let column = |name: &str| Column { name: name.into(), offset: Decimal(0), scale: Decimal(Decimal::ONE) };
    let schema = Schema {
        name: "small".into(),
        version: "1".into(),
        manifest: b"{}".to_vec(),
        columns: vec![column("a"), column("b")],
        classes: vec!["no".into(), "yes".into()],
        favourable: 1,
        attributes: vec![Attribute {
            name: "sex".into(),
            groups: vec!["male".into(), "female".into()],
            reference: Some(0),
        }],
    };
    let mut builder = DatasetBuilder::new(schema).unwrap();
    for row in 0..ROWS as i16 {
        let features = [row * 37 % 101 - 50, row * 53 % 89 - 40];
        builder.push(&features, u8::from(row % 3 == 0), &[u8::from(row % 2 == 0)]).unwrap();
    }
    builder.build().unwrap()
}

pub fn model() -> Model {
    Model {
        name: "line".into(),
        encoding: dataset().schema().encoding(),
        source: Digest([3; 32]),
        classes: 2,
        activation_bits: 12,
        tables: Vec::new(),
        decision: Decision::Step,
        layers: vec![Layer {
            inputs: 2,
            units: 1,
            shift: 1,
            activation: Activation::Step,
            weights: vec![2, -3],
            bias: vec![5],
        }],
    }
}

pub fn policy() -> Policy {
    let json = br#"{"name":"accurate","min_group_size":5,"criteria":[
        {"metric":"accuracy","comparator":">=","threshold":"1/3"},
        {"metric":"fairlearn.demographic_parity_difference","attributes":["sex"],"comparator":"<=","threshold":"1/2"}]}"#;
    Policy::from_json(json).unwrap()
}

pub fn facts() -> Facts {
    let (dataset, model) = (dataset(), model());
    Facts {
        certificate: CERTIFICATE,
        audit: 4,
        canister: canister().to_text(),
        runtime: "assay-canister test".into(),
        owner: "aaaaa-aa".into(),
        requester: "aaaaa-aa".into(),
        model: ModelFacts::new(&model, model.digest(), Nanoseconds(ISSUED_AT - 5)),
        dataset: DatasetFacts {
            digest: dataset.digest(),
            rows: dataset.rows(),
            sealed_at: Nanoseconds(ISSUED_AT - 6),
        },
        seed: SEED,
        sample_size: SAMPLE,
        requested_at: Nanoseconds(ISSUED_AT - 4),
        drawn_at: Nanoseconds(ISSUED_AT - 3),
        issued_at: Nanoseconds(ISSUED_AT),
        valid_until: Some(Nanoseconds(ISSUED_AT + VALID_FOR_S * 1_000_000_000)),
        supersedes: None,
        audits_of_model: 2,
        audits_of_owner: 3,
        proofs: Vec::new(),
        log: None,
    }
}

/// The certificate's body for these facts, with a decision for each sampled row changed by `decide`.
pub fn body_of(facts: &Facts, seed: [u8; 32]) -> Vec<u8> {
    let (dataset, model) = (dataset(), model());
    let mut replay = Replay::new(&model, dataset.schema()).unwrap();
    let mut engine = Engine::new(&model);
    for index in draw_sample(&seed, dataset.rows(), facts.sample_size) {
        replay.step(&mut engine, index, dataset.row(index).unwrap()).unwrap();
    }
    let verified = replay.finish(facts.sample_size).unwrap();
    certificate_body(&verified, facts, dataset.schema(), &policy()).unwrap().json
}

/// The honest body.
pub fn body() -> Vec<u8> {
    body_of(&facts(), SEED)
}

/// What the canister would hand to an auditor.
pub fn evidence() -> Evidence {
    let (dataset, model, facts) = (dataset(), model(), facts());
    let owner = Principal::management_canister();
    Evidence {
        audit: AuditRecord {
            id: facts.audit,
            model: model.digest().into(),
            dataset: dataset.digest().into(),
            owner,
            requester: owner,
            policy: policy().digest().unwrap().into(),
            policy_name: policy().name,
            sample_size: SAMPLE,
            valid_for_s: Some(VALID_FOR_S),
            supersedes: None,
            audit_of_model: facts.audits_of_model,
            audit_of_owner: facts.audits_of_owner,
            audits_of_model: facts.audits_of_model,
            audits_of_owner: facts.audits_of_owner,
            requested_at_ns: facts.requested_at.0,
            seed: Some(DigestBytes(SEED)),
            drawn_at_ns: Some(facts.drawn_at.0),
            ended_at_ns: Some(facts.issued_at.0),
            state: AuditState::Completed { certificate: CERTIFICATE },
            replay_messages: 1,
            replay_instructions: 1,
            proofs: Vec::new(),
            log: None,
        },
        dataset: DatasetRecord {
            digest: dataset.digest().into(),
            owner,
            name: dataset.schema().name.clone(),
            version: dataset.schema().version.clone(),
            manifest: Digest::of(&dataset.schema().manifest).into(),
            encoding: dataset.schema().encoding().into(),
            rows: dataset.rows(),
            columns: 2,
            bytes: dataset.bytes().len() as u64,
            header_bytes: dataset.header().len,
            registered_at_ns: facts.dataset.sealed_at.0,
        },
        dataset_bytes: dataset.bytes().to_vec(),
        model: ModelRecord {
            digest: model.digest().into(),
            owner,
            name: model.name.clone(),
            source: Some(model.source.into()),
            commitment: None,
            logged: false,
            encoding: model.encoding.into(),
            classes: model.classes,
            inputs: model.inputs(),
            parameters: model.parameters(),
            layers: LayerSummary::of(&model),
            bytes: model.to_bytes().len() as u64,
            registered_at_ns: facts.model.registered_at.0,
            audits: 2,
        },
        model_bytes: model.to_bytes(),
        handed_in: Vec::new(),
        classes: None,
        policy: policy().to_json().unwrap(),
    }
}
