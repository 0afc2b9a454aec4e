//! From a dataset and a model to a certificate's bytes, and what a changed certificate is caught by.

use audit::{
    Activation, Attribute, AuditError, Body, Certificate, Column, Dataset, Decision, Digest, Engine, Facts,
    Layer, Model, Policy, Replay, Schema, Verdict, Verified,
    certificate::{DatasetFacts, ModelFacts, Nanoseconds},
    certificate_body,
    dataset::DatasetBuilder,
    draw_sample, recompute,
};

fn schema() -> Schema {
    let column =
        |name: &str| Column { name: name.into(), offset: "0".parse().unwrap(), scale: "1".parse().unwrap() };
    let attribute = |name: &str, groups: [&str; 2]| Attribute {
        name: name.into(),
        groups: groups.map(String::from).to_vec(),
        reference: Some(0),
    };
    Schema {
        name: "toy".into(),
        version: "1".into(),
        manifest: b"{}".to_vec(),
        columns: vec![column("score"), column("noise")],
        classes: vec!["bad".into(), "good".into()],
        favourable: 1,
        attributes: vec![attribute("sex", ["male", "female"]), attribute("age", ["old", "young"])],
    }
}

fn dataset() -> Dataset {
    let mut builder = DatasetBuilder::new(schema()).unwrap();
    for row in 0..200_i16 {
        let groups = [(row % 3 == 0).into(), (row % 5 < 2).into()];
        let features = [row * 37 % 101 - 50 - 20 * i16::from(groups[0]), row % 7];
        builder.push(&features, (row * 37 % 101 > 45).into(), &groups).unwrap();
    }
    builder.build().unwrap()
}

fn model() -> Model {
    Model {
        name: "threshold".into(),
        encoding: schema().encoding(),
        source: Digest([7; 32]),
        classes: 2,
        activation_bits: 12,
        tables: vec![],
        decision: Decision::Step,
        layers: vec![Layer {
            inputs: 2,
            units: 1,
            shift: 1,
            activation: Activation::Step,
            weights: vec![2, 1],
            bias: vec![0],
        }],
    }
}

fn replay(sample: &[u32]) -> Verified {
    let (model, dataset) = (model(), dataset());
    let mut engine = Engine::new(&model);
    let mut replay = Replay::new(&model, dataset.schema()).unwrap();
    for &row in sample {
        replay.step(&mut engine, row, dataset.row(row).unwrap()).unwrap();
    }
    replay.finish(sample.len() as u32).unwrap()
}

fn facts(sample_size: u32) -> Facts {
    Facts {
        certificate: 1,
        audit: 3,
        canister: "aaaaa-aa".into(),
        runtime: "canister 0.1.0".into(),
        owner: "2vxsx-fae".into(),
        requester: "2vxsx-fae".into(),
        model: ModelFacts::new(&model(), model().digest(), Nanoseconds(10)),
        dataset: DatasetFacts {
            digest: dataset().digest(),
            rows: dataset().rows(),
            sealed_at: Nanoseconds(5),
        },
        seed: [9; 32],
        sample_size,
        requested_at: Nanoseconds(20),
        drawn_at: Nanoseconds(30),
        issued_at: Nanoseconds(40),
        valid_until: Some(Nanoseconds(1 << 60)),
        supersedes: None,
        audits_of_model: 1,
        audits_of_owner: 3,
    }
}

fn policy(min_group_size: u32) -> Policy {
    let json = format!(
        r#"{{"name": "toy", "min_group_size": {min_group_size}, "criteria": [
            {{"metric": "accuracy", "comparator": ">=", "threshold": "0.7"}},
            {{"metric": "aif360.disparate_impact", "attributes": ["sex"], "comparator": ">=", "threshold": "1/10"}},
            {{"metric": "recall", "attributes": ["sex", "age"], "group": ["female", "young"], "class": "bad",
              "comparator": ">", "threshold": "0.5"}}]}}"#
    );
    Policy::from_json(json.as_bytes()).unwrap()
}

fn body(policy: &Policy) -> Body {
    let sample = draw_sample(&[9; 32], 200, 150);
    certificate_body(&replay(&sample), &facts(150), &schema(), policy).unwrap()
}

#[test]
fn a_body_is_canonical_parses_and_follows_from_its_counts() {
    let body = body(&policy(1));
    let value: serde_json::Value = serde_json::from_slice(&body.json).unwrap();
    assert_eq!(serde_json_canonicalizer::to_vec(&value).unwrap(), body.json);
    let certificate = Certificate::parse(&body.json).unwrap();
    assert_eq!(certificate.to_json().unwrap(), body.json);
    assert_eq!(body.verdict, Verdict::Pass);
    recompute(&certificate).unwrap();
}

#[test]
fn any_change_of_a_number_is_found_and_named() {
    let original = Certificate::parse(&body(&policy(1)).json).unwrap();
    let mut changed = original.clone();
    changed.predicate.criteria[0].value.exact = Some("1".parse().unwrap());
    let error = recompute(&changed).unwrap_err();
    assert!(
        matches!(&error, AuditError::Differs { path, got, .. }
            if path == "predicate.criteria[0].value.exact" && got == "\"1\""),
        "{error}"
    );
}
