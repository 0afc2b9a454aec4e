//! Every limit of schema, dataset, model and replay, with the words in which it is refused; and every variant of
//! `AuditError` from real input.

mod fixture;

use std::collections::BTreeSet;

use audit::{
    Activation, AuditError, Certificate, Counts, Dataset, DatasetHeader, Decimal, Decision, Digest, Engine,
    Fraction, Layer, Metric, Model, Policy, Replay, Row, Schema, dataset::DatasetBuilder, recompute,
};

/// What is said, and what it is said of.
type Case<T> = (&'static str, fn(&mut T));

fn names(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("n{index}")).collect()
}

#[test]
fn every_limit_of_a_schema() {
    let attribute = |groups: &[&str], reference| fixture::attribute("sex", groups, reference);
    let cases: [Case<Schema>; 22] = [
        ("dataset name has 0 bytes, allowed are 1 to 128", |s| s.name.clear()),
        ("dataset name has 129 bytes, allowed are 1 to 128", |s| s.name = "x".repeat(129)),
        ("dataset version is not printable UTF-8 text", |s| s.version = "1\u{7f}".into()),
        ("manifest length is 262145, allowed are 0 to 262144", |s| s.manifest = vec![0; 262_145]),
        ("number of columns is 0, allowed are 1 to 4096", |s| s.columns.clear()),
        ("number of columns is 4097, allowed are 1 to 4096", |s| {
            s.columns = names(4097).iter().map(|name| fixture::column(name, "0", "1")).collect();
        }),
        ("column name has 0 bytes, allowed are 1 to 128", |s| s.columns[0].name.clear()),
        ("column scale is 0, allowed are 1 to 9223372036854775807", |s| s.columns[0].scale = Decimal(0)),
        ("column \"größe\" appears twice", |s| s.columns[0].name = "größe".into()),
        ("number of classes is 1, allowed are 2 to 64", |s| s.classes.truncate(1)),
        ("number of classes is 65, allowed are 2 to 64", |s| s.classes = names(65)),
        ("class name has 0 bytes, allowed are 1 to 128", |s| s.classes[2].clear()),
        ("class \"reject\" appears twice", |s| s.classes[2] = "reject".into()),
        ("favourable class is 3, allowed are 0 to 2", |s| s.favourable = 3),
        ("number of attributes is 5, allowed are 0 to 4", |s| {
            s.attributes = names(5).iter().map(|name| fixture::attribute(name, &["a", "b"], None)).collect();
        }),
        ("attribute \"region\" appears twice", |s| s.attributes[0].name = "region".into()),
        ("attribute name has 0 bytes, allowed are 1 to 128", |s| s.attributes[0].name.clear()),
        ("number of groups is 1, allowed are 2 to 64", |s| s.attributes[0].groups.truncate(1)),
        ("number of groups is 65, allowed are 2 to 64", |s| s.attributes[0].groups = names(65)),
        ("group name has 0 bytes, allowed are 1 to 128", |s| s.attributes[0].groups[1].clear()),
        ("group \"male\" appears twice", |s| s.attributes[0].groups[1] = "male".into()),
        ("number of counters is 73728, allowed are 1 to 65536", |s| {
            s.classes = names(32);
            s.attributes[0].groups = names(24);
        }),
    ];
    for (expected, change) in cases {
        let mut schema = fixture::schema();
        change(&mut schema);
        assert_eq!(schema.validate().unwrap_err().to_string(), expected);
        assert!(DatasetBuilder::new(schema).is_err());
    }
    let schema = Schema { attributes: vec![attribute(&["male", "female"], Some(2))], ..fixture::schema() };
    assert_eq!(schema.validate().unwrap_err().to_string(), "reference group is 2, allowed are 0 to 1");
}

#[test]
fn the_largest_header_still_fits() {
    let long = |index: usize| format!("{index:x>128}");
    let schema = Schema {
        name: long(0),
        version: long(0),
        manifest: vec![b' '; 256 << 10],
        columns: (0..4096).map(|index| fixture::column(&long(index), "0", "1")).collect(),
        classes: (0..64).map(long).collect(),
        attributes: vec![fixture::attribute(&long(0), &[&long(0), &long(1)], None)],
        ..fixture::schema()
    };
    let mut builder = DatasetBuilder::new(schema).unwrap();
    builder.push(&[0; 4096], 0, &[0]).unwrap();
    let dataset = builder.build().unwrap();
    assert!(dataset.header().len < audit::dataset::MAX_HEADER as u64);
}

#[test]
fn every_limit_of_a_row() {
    let mut builder = DatasetBuilder::new(fixture::schema()).unwrap();
    let mut push = |features: &[i16], label, groups: &[u8]| {
        builder.push(features, label, groups).unwrap_err().to_string()
    };
    assert_eq!(push(&[0; 2], 0, &[0, 0]), "features of a row: expected 3, got 2");
    assert_eq!(push(&[0; 4], 0, &[0, 0]), "features of a row: expected 3, got 4");
    assert_eq!(push(&[0; 3], 0, &[0]), "groups of a row: expected 2, got 1");
    assert_eq!(push(&[0; 3], 3, &[0, 0]), "label is 3, allowed are 0 to 2");
    assert_eq!(push(&[0; 3], 0, &[2, 0]), "group is 2, allowed are 0 to 1");
    assert_eq!(push(&[0, i16::MIN, 0], 0, &[0, 0]), "feature is -32768, allowed are -32767 to 32767");
    assert_eq!(builder.build().unwrap_err().to_string(), "number of rows is 0, allowed are 1 to 1048576");
    let schema = fixture::schema();
    assert_eq!(Row::parse(&schema, &[0; 10]).unwrap_err().to_string(), "1 trailing bytes after row");
    assert_eq!(
        Row::parse(&schema, &[0; 8]).unwrap_err().to_string(),
        "truncated: groups needs 2 bytes, 1 are left"
    );
}

#[test]
fn every_limit_of_a_dataset_s_bytes() {
    let dataset = fixture::dataset();
    let parse = |bytes: &[u8]| Dataset::parse(bytes.to_vec()).unwrap_err().to_string();
    let bytes = dataset.bytes();
    assert_eq!(parse(&[bytes, &[0]].concat()), "1 trailing bytes after rows");
    assert_eq!(parse(&bytes[..bytes.len() - 1]), "truncated: rows needs 2160 bytes, 2159 are left");
    assert!(
        parse(&[b"ASSAYDS\x02".as_slice(), &bytes[8..]].concat())
            .starts_with("not a dataset: the first 8 bytes")
    );
    let with_rows = |rows: u32| {
        let mut changed = bytes.to_vec();
        let start = dataset.header().len as usize - 4;
        changed[start..start + 4].copy_from_slice(&rows.to_le_bytes());
        changed
    };
    assert_eq!(parse(&with_rows(0)), "number of rows is 0, allowed are 1 to 1048576");
    assert_eq!(parse(&with_rows((1 << 20) + 1)), "number of rows is 1048577, allowed are 1 to 1048576");
    let header = DatasetHeader::parse(&with_rows(u32::MAX >> 12)).unwrap();
    assert_eq!(
        header.check_len(bytes.len() as u64).unwrap_err().to_string().split(':').next(),
        Some("truncated")
    );
}

#[test]
fn every_limit_of_a_model() {
    let cases: [Case<Model>; 21] = [
        ("model name has 0 bytes, allowed are 1 to 128", |m| m.name.clear()),
        ("number of classes is 1, allowed are 2 to 64", |m| m.classes = 1),
        ("activation bits is 17, allowed are 2 to 16", |m| m.activation_bits = 17),
        ("number of tables is 9, allowed are 0 to 8", |m| m.tables = vec![m.tables[0].clone(); 9]),
        ("number of layers is 0, allowed are 1 to 8", |m| m.layers.clear()),
        ("number of layers is 9, allowed are 1 to 8", |m| m.layers = vec![m.layers[0].clone(); 9]),
        ("table name has 0 bytes, allowed are 1 to 128", |m| m.tables[0].name.clear()),
        ("table length: expected 256, got 255", |m| m.tables[0].values.truncate(255)),
        ("table value is 128, allowed are -128 to 127", |m| m.tables[0].values[3] = 128),
        ("layer inputs: expected 4, got 5", |m| m.layers[1].inputs = 5),
        ("layer inputs is 0, allowed are 1 to 4096", |m| m.layers[0].inputs = 0),
        ("layer units is 0, allowed are 1 to 4096", |m| m.layers[0].units = 0),
        ("layer shift is 0, allowed are 1 to 16", |m| m.layers[0].shift = 0),
        ("layer shift is 17, allowed are 1 to 16", |m| m.layers[0].shift = 17),
        ("table index is 1, allowed are 0 to 0", |m| m.layers[0].activation = Activation::Table(1)),
        ("number of weights: expected 12, got 11", |m| m.layers[0].weights.truncate(11)),
        ("number of biases: expected 4, got 3", |m| m.layers[0].bias.truncate(3)),
        ("weight is -32768, allowed are -32767 to 32767", |m| m.layers[0].weights[0] = i16::MIN),
        ("bias is -2147483648, allowed are -2147450879 to 2147450879", |m| m.layers[0].bias[0] = i32::MIN),
        ("units of an arg-max decision: expected 2, got 3", |m| m.classes = 2),
        ("classes of a step decision: expected 2, got 3", |m| m.decision = Decision::Step),
    ];
    for (expected, change) in cases {
        let mut model = fixture::model();
        change(&mut model);
        assert_eq!(model.validate().unwrap_err().to_string(), expected);
        assert!(Model::parse(&model.to_bytes()).is_err(), "{expected}");
    }
}

#[test]
fn a_step_decision_needs_one_step_unit() {
    let layer = |units: u32, activation| Layer {
        inputs: 3,
        units,
        shift: 1,
        activation,
        weights: vec![0; 3 * units as usize],
        bias: vec![0; units as usize],
    };
    let model = |units, activation| Model {
        classes: 2,
        decision: Decision::Step,
        layers: vec![layer(units, activation)],
        ..fixture::model()
    };
    assert_eq!(model(1, Activation::Step).validate(), Ok(()));
    let refused = |model: Model| model.validate().unwrap_err().to_string();
    assert_eq!(refused(model(2, Activation::Step)), "units of a step decision: expected 1, got 2");
    assert_eq!(refused(model(1, Activation::Relu)), "last activation (step = 2) is 1, allowed are 2 to 2");
}

#[test]
fn a_model_may_not_have_more_parameters_than_an_audit_can_run() {
    let layer = Layer {
        inputs: 4096,
        units: 1025,
        shift: 1,
        activation: Activation::Relu,
        weights: vec![0; 4096 * 1025],
        bias: vec![0; 1025],
    };
    let model = Model { classes: 2, layers: vec![layer], ..fixture::model() };
    assert_eq!(model.validate().unwrap_err().to_string(), "parameters is 4199425, allowed are 1 to 4194304");
}

#[test]
fn a_replay_takes_only_what_belongs_together() {
    let schema = fixture::schema();
    let refused = |model: &Model| Replay::new(model, &schema).unwrap_err().to_string();
    let other = Model { encoding: Digest([0; 32]), ..fixture::model() };
    assert!(refused(&other).starts_with("the model expects feature encoding 0000"));
    let mut narrow = fixture::model();
    narrow.layers[0].inputs = 2;
    assert_eq!(refused(&narrow), "features of the model: expected 3, got 2");
    assert_eq!(refused(&Model { classes: 4, ..fixture::model() }), "classes of the model: expected 3, got 4");
    let smaller = Schema { attributes: vec![], ..fixture::schema() };
    let resumed = Replay::resume(&fixture::model(), &schema, Counts::new(&smaller));
    assert_eq!(resumed.unwrap_err().to_string(), "counters of the dataset: expected 54, got 9");
    let replay = Replay::new(&fixture::model(), &schema).unwrap();
    assert_eq!(replay.finish(1).unwrap_err().to_string(), "samples counted: expected 1, got 0");
}

#[test]
fn counts_take_only_what_fits_their_shape() {
    let schema = fixture::schema();
    let mut counts = Counts::new(&schema);
    assert_eq!(counts.record(&[0], 0, 0).unwrap_err().to_string(), "groups of a sample: expected 2, got 1");
    assert_eq!(counts.record(&[0, 3], 0, 0).unwrap_err().to_string(), "group is 3, allowed are 0 to 2");
    assert_eq!(counts.record(&[0, 0], 3, 0).unwrap_err().to_string(), "label is 3, allowed are 0 to 2");
    assert_eq!(counts.record(&[0, 0], 0, 3).unwrap_err().to_string(), "prediction is 3, allowed are 0 to 2");
    assert_eq!(counts, Counts::new(&schema));
    let of = |counters| Counts::from_counters(&schema, counters).unwrap_err().to_string();
    assert_eq!(of(vec![0; 53]), "number of counters: expected 54, got 53");
    assert_eq!(of(vec![u32::MAX; 54]), "samples counted is 231928233930, allowed are 0 to 1048576");
}

/// A value that leaves its table is an error that names sample, layer and unit; it is never cut off.
fn out_of_table() -> AuditError {
    let mut model = fixture::model();
    model.layers[1].bias[2] = 1 << 20;
    let dataset = fixture::dataset();
    let mut replay = Replay::new(&model, dataset.schema()).unwrap();
    replay.step(&mut Engine::new(&model), 17, dataset.row(17).unwrap()).unwrap_err()
}

#[test]
fn a_value_outside_its_table_is_an_error_with_sample_layer_and_unit() {
    let text = out_of_table().to_string();
    assert!(text.starts_with("sample 17: layer 2, unit 2: the value 327"), "{text}");
}

/// Exhaustive, so that a new variant does not compile without a line here and below.
fn kind(error: &AuditError) -> &'static str {
    match error {
        AuditError::Truncated { .. } => "Truncated",
        AuditError::Trailing { .. } => "Trailing",
        AuditError::WrongMagic { .. } => "WrongMagic",
        AuditError::OutOfRange { .. } => "OutOfRange",
        AuditError::TextLength { .. } => "TextLength",
        AuditError::NotText { .. } => "NotText",
        AuditError::Duplicate { .. } => "Duplicate",
        AuditError::Mismatch { .. } => "Mismatch",
        AuditError::WrongEncoding { .. } => "WrongEncoding",
        AuditError::NotDecimal(_) => "NotDecimal",
        AuditError::OutOfTable { .. } => "OutOfTable",
        AuditError::NotFraction(_) => "NotFraction",
        AuditError::UnknownMetric(_) => "UnknownMetric",
        AuditError::Json { .. } => "Json",
        AuditError::NotCanonical { .. } => "NotCanonical",
        AuditError::Unknown { .. } => "Unknown",
        AuditError::Differs { .. } => "Differs",
        AuditError::Policy(_) => "Policy",
    }
}

#[test]
fn every_variant_is_reached() {
    let model = fixture::model().to_bytes();
    let certificate = Certificate::parse(&fixture::body().json).unwrap();
    let mut other_verdict = certificate.clone();
    other_verdict.predicate.verdict = audit::Verdict::Pass;
    let mut other_class = certificate.clone();
    other_class.predicate.favourable = "none".into();
    let other_encoding = Model { encoding: Digest([0; 32]), ..fixture::model() };
    let mut control = fixture::schema();
    control.name = "a\tb".into();
    let mut twice = fixture::schema();
    twice.classes[0] = twice.classes[1].clone();
    let policy = br#"{"name": "n", "min_group_size": 1, "criteria":
        [{"metric": "recall", "class": "none", "comparator": ">=", "threshold": "1"}]}"#;
    let errors = [
        Model::parse(&model[..model.len() - 1]).unwrap_err(),
        Model::parse(&[model.as_slice(), &[0]].concat()).unwrap_err(),
        Model::parse(fixture::dataset().bytes()).unwrap_err(),
        Counts::new(&fixture::schema()).record(&[9, 9], 0, 0).unwrap_err(),
        Schema { name: String::new(), ..fixture::schema() }.validate().unwrap_err(),
        control.validate().unwrap_err(),
        twice.validate().unwrap_err(),
        Replay::new(&fixture::model(), &fixture::schema()).unwrap().finish(5).unwrap_err(),
        Replay::new(&other_encoding, &fixture::schema()).unwrap_err(),
        "1e5".parse::<Decimal>().unwrap_err(),
        out_of_table(),
        "1/0".parse::<Fraction>().unwrap_err(),
        "fairness".parse::<Metric>().unwrap_err(),
        Policy::from_json(b"{").unwrap_err(),
        Certificate::parse(&[fixture::body().json, b" ".to_vec()].concat()).unwrap_err(),
        recompute(&other_class).unwrap_err(),
        recompute(&other_verdict).unwrap_err(),
        Policy::from_json(policy).unwrap().check(&fixture::schema()).unwrap_err(),
    ];
    let kinds: BTreeSet<_> = errors.iter().map(kind).collect();
    assert_eq!(kinds.len(), errors.len(), "{kinds:?}");
    // As many as `kind` has arms.
    assert_eq!(kinds.len(), 18);
}
