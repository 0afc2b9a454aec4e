//! Every reason for which an import fails, with what the message must say.

mod support;

use audit::Decimal;
use import::{ImportError, Options, import};
use support::onnx::{self, Message};

/// `y = MatMul(x, w)` for two columns, followed by `nodes` that turn `y` into the outputs.
fn linear(nodes: &[Message], outputs: &[&str]) -> Vec<u8> {
    let mut all = vec![onnx::node("MatMul", &["x", "w"], &["y"], &[])];
    all.extend(nodes.iter().cloned());
    onnx::model(2, &all, &[onnx::floats("w", &[2, 1], &[1.0, -2.0])], outputs)
}

fn refuse_with(onnx: &[u8], options: &Options) -> ImportError {
    let (schema, rows) = support::columns(2);
    match import(onnx, &schema, &rows, options) {
        Ok(imported) => panic!("it was imported: {:?}", imported.report),
        Err(error) => error,
    }
}

fn refuse(onnx: &[u8]) -> ImportError {
    refuse_with(onnx, &Options::default())
}

#[test]
fn a_linear_model_is_imported() {
    let (schema, rows) = support::columns(2);
    let imported = import(&linear(&[], &["y"]), &schema, &rows, &Options::default()).unwrap();
    assert_eq!((imported.report.equal_decisions, imported.report.threshold), (32, Some(0.0)));
    assert_eq!(imported.model.source, audit::Digest::of(&linear(&[], &["y"])));
    assert_eq!(imported.model.encoding, schema.encoding());
    let json = serde_json::to_string(&imported.report).unwrap();
    let read: import::Report = serde_json::from_str(&json).unwrap();
    assert_eq!((read.source, read.layers.len()), (imported.report.source, imported.report.layers.len()));
}

#[test]
fn damaged_bytes() {
    let whole = linear(&[], &["y"]);
    assert!(matches!(refuse(&whole[..whole.len() - 1]), ImportError::Truncated { .. }));
    assert!(matches!(refuse(b""), ImportError::Malformed { .. }));
    assert!(matches!(refuse(&[whole.clone(), vec![0xff; 12]].concat()), ImportError::Malformed { .. }));
    let twice = linear(&[onnx::node("Identity", &["x"], &["y"], &[])], &["y"]);
    assert!(refuse(&twice).to_string().contains("made twice"));
    let cycle = linear(
        &[onnx::node("Add", &["y", "b"], &["a"], &[]), onnx::node("Relu", &["a"], &["b"], &[])],
        &["b"],
    );
    assert!(refuse(&cycle).to_string().contains("waits for its own result"));
}

#[test]
fn sizes_above_the_limits() {
    let limit = |error: ImportError, expected: &str| match error {
        ImportError::Limit { what, max, got } => {
            assert_eq!(what, expected);
            assert!(got > max);
        }
        error => panic!("{error}"),
    };
    limit(refuse(&vec![0; (64 << 20) + 1]), "bytes of the ONNX file");
    let many: Vec<Message> = (0..10_001)
        .map(|at| onnx::node("Identity", &[&format!("v{at}")], &[&format!("v{}", at + 1)], &[]))
        .collect();
    limit(refuse(&linear(&many, &["y"])), "nodes");
    let deep: Vec<Message> = (0..8)
        .flat_map(|at| {
            let (from, to) =
                (if at == 0 { "y".to_owned() } else { format!("h{at}") }, format!("h{}", at + 1));
            let mid = format!("m{at}");
            [onnx::node("Relu", &[&from], &[&mid], &[]), onnx::node("MatMul", &[&mid, "one"], &[&to], &[])]
        })
        .collect();
    let mut nodes = vec![onnx::node("MatMul", &["x", "w"], &["y"], &[])];
    nodes.extend(deep);
    let tensors = [onnx::floats("w", &[2, 1], &[1.0, -2.0]), onnx::floats("one", &[1, 1], &[1.0])];
    limit(refuse(&onnx::model(2, &nodes, &tensors, &["h8"])), "layers");
    let wide = [
        onnx::node("MatMul", &["x", "w"], &["y"], &[]),
        onnx::node("Relu", &["y"], &["r"], &[]),
        onnx::node("ReduceSum", &["r", "axes"], &["s"], &[]),
    ];
    let weights = onnx::floats("w", &[2, 4097], &[0.5; 2 * 4097]);
    let axes = onnx::integers("axes", &[1], &[1]);
    limit(refuse(&onnx::model(2, &wide, &[weights, axes], &["s"])), "units of a layer");
}

#[test]
fn tensors_that_cannot_be_weights() {
    let with = |tensor: Message| {
        onnx::model(2, &[onnx::node("MatMul", &["x", "w"], &["y"], &[])], &[tensor], &["y"])
    };
    let location = Message::default().bytes(1, b"location").bytes(2, b"weights.bin");
    let external = onnx::tensor("w", &[2, 1], 1, b"").bytes(13, &location.0).int(14, 1);
    assert_eq!(refuse(&with(external)), ImportError::ExternalData { tensor: "w".to_owned() });
    let short = onnx::tensor("w", &[2, 1], 1, &[0; 4]);
    assert!(matches!(refuse(&with(short)), ImportError::BadTensor { tensor, .. } if tensor == "w"));
    for bad in [f32::NAN, f32::INFINITY] {
        assert!(matches!(
            refuse(&with(onnx::floats("w", &[2, 1], &[1.0, bad]))),
            ImportError::NonFinite { .. }
        ));
    }
}

#[test]
fn operators() {
    let error = refuse(&linear(&[onnx::node("Sin", &["y"], &["s"], &[])], &["s"]));
    let ImportError::UnsupportedOperator { index, name, operator, domain, supported } = &error else {
        panic!("{error}")
    };
    assert_eq!((*index, name.as_str(), operator.as_str(), domain.as_str()), (1, "Sin s", "Sin", "ai.onnx"));
    assert!(supported.contains("Gemm") && supported.contains("ai.onnx.ml.Scaler"));
    for known in import::supported_operators() {
        assert!(supported.contains(known));
    }
    let error = refuse(&linear(&[onnx::node("com.example.Magic", &["y"], &["s"], &[])], &["s"]));
    assert!(error.to_string().contains("operator Magic of com.example"));
    let error = refuse(&linear(&[onnx::node("Mul", &["y", "x"], &["s"], &[])], &["s"]));
    assert!(matches!(error, ImportError::UnsupportedUse { index: 1, .. }), "{error}");
    let error = refuse(&linear(&[onnx::node("Relu", &["nowhere"], &["s"], &[])], &["s"]));
    assert!(matches!(error, ImportError::Undefined { value, .. } if value == "nowhere"));
}

#[test]
fn an_operator_behind_the_decision_does_not_matter() {
    let (schema, rows) = support::columns(2);
    let model = linear(
        &[onnx::node("Greater", &["y", "zero"], &["label"], &[]), onnx::node("Sin", &["y"], &["s"], &[])],
        &["s", "label"],
    );
    assert!(matches!(refuse(&model), ImportError::Undefined { .. }), "zero is missing");
    let tensors = [onnx::floats("w", &[2, 1], &[1.0, -2.0]), onnx::floats("zero", &[1], &[0.0])];
    let nodes = [
        onnx::node("MatMul", &["x", "w"], &["y"], &[]),
        onnx::node("Greater", &["y", "zero"], &["label"], &[]),
        onnx::node("Sin", &["y"], &["s"], &[]),
    ];
    let model = onnx::model(2, &nodes, &tensors, &["s", "label"]);
    assert_eq!(import(&model, &schema, &rows, &Options::default()).unwrap().report.output, "label");
}

#[test]
fn operator_sets() {
    let nodes = [onnx::node("MatMul", &["x", "w"], &["y"], &[])];
    let weights = [onnx::floats("w", &[2, 1], &[1.0, -2.0])];
    let outputs = [Message::default().bytes(1, b"y")];
    for (opset, supported) in [(6, false), (7, true), (21, true), (99, false)] {
        let file = onnx::file(opset, &nodes, &weights, &[onnx::value("x", 1, &[0, 2])], &outputs);
        let (schema, rows) = support::columns(2);
        match import(&file, &schema, &rows, &Options::default()) {
            Ok(_) => assert!(supported, "{opset}"),
            Err(ImportError::UnsupportedOpset { version, .. }) => {
                assert_eq!((version, supported), (opset, false))
            }
            Err(error) => panic!("{opset}: {error}"),
        }
    }
}

#[test]
fn inputs() {
    let nodes = [onnx::node("MatMul", &["x", "w"], &["y"], &[])];
    let weights = [onnx::floats("w", &[2, 1], &[1.0, -2.0])];
    let outputs = [Message::default().bytes(1, b"y")];
    let with = |inputs: &[Message]| refuse(&onnx::file(17, &nodes, &weights, inputs, &outputs));
    let error = with(&[onnx::value("x", 1, &[0, 2]), onnx::value("age", 1, &[0, 1])]);
    assert_eq!(error.to_string(), "the model must have one input with all features; it has 2: x, age");
    assert!(matches!(with(&[onnx::value("x", 8, &[0, 2])]), ImportError::BadInput { .. }));
    assert_eq!(with(&[onnx::value("x", 1, &[0, 3])]), ImportError::InputWidth { model: 3, dataset: 2 });
    let (schema, _) = support::columns(2);
    let (_, other) = support::columns(3);
    let error = import(&linear(&[], &["y"]), &schema, &other, &Options::default()).unwrap_err();
    assert_eq!(error, ImportError::WrongCalibration);
}

#[test]
fn decisions() {
    let nothing = linear(&[onnx::node("Mul", &["y", "zero"], &["s"], &[])], &["s"]);
    assert!(matches!(refuse(&nothing), ImportError::Undefined { .. }));
    let constant = onnx::model(
        2,
        &[onnx::node("Identity", &["w"], &["y"], &[])],
        &[onnx::floats("w", &[1], &[1.0])],
        &["y"],
    );
    assert!(matches!(refuse(&constant), ImportError::NoDecision { .. }));
    let always = linear(&[onnx::node("Exp", &["y"], &["e"], &[])], &["e"]);
    assert!(refuse(&always).to_string().contains("on one side of the threshold 0"));
    let three = onnx::model(
        2,
        &[
            onnx::node("MatMul", &["x", "w"], &["y"], &[]),
            onnx::node("ArgMax", &["y"], &["c"], &[onnx::int_attribute("axis", 1)]),
        ],
        &[onnx::floats("w", &[2, 3], &[1.0, 2.0, 3.0, -1.0, 0.5, 0.25])],
        &["c"],
    );
    assert!(matches!(refuse(&three), ImportError::Classes { labels, .. } if labels == ["0", "1", "2"]));
}

#[test]
fn options() {
    let model = linear(&[], &["y"]);
    let default = Options::default;
    let wrong = [
        ("activation bits", Options { activation_bits: 7, ..default() }),
        ("activation bits", Options { activation_bits: 17, ..default() }),
        ("margin", Options { margin: 0.5, ..default() }),
        ("margin", Options { margin: f64::NAN, ..default() }),
        ("bound", Options { bound: 1.5, ..default() }),
        ("rows", Options { max_rows: 0, ..default() }),
        ("threshold", Options { threshold: Some(f64::INFINITY), ..default() }),
        ("output", Options { output: Some("z".to_owned()), ..default() }),
    ];
    for (expected, options) in wrong {
        assert!(
            matches!(refuse_with(&model, &options), ImportError::Option { option, .. } if option == expected)
        );
    }
    let name = Options { name: Some("tab\there".to_owned()), ..default() };
    assert!(matches!(refuse_with(&model, &name), ImportError::Audit(audit::AuditError::NotText { .. })));
}

#[test]
fn a_threshold_of_the_caller_moves_the_decision() {
    let (schema, rows) = support::columns(2);
    let model = linear(&[onnx::node("Sigmoid", &["y"], &["p"], &[])], &["p"]);
    let share = |threshold: Option<f64>| {
        let imported = import(&model, &schema, &rows, &Options { threshold, ..Options::default() }).unwrap();
        assert_eq!(imported.report.equal_decisions, imported.report.rows);
        let mut engine = audit::Engine::new(&imported.model);
        (0..rows.rows()).filter(|&row| engine.decide(rows.row(row).unwrap().features()) == Ok(1)).count()
    };
    assert!(share(Some(0.2)) > share(None) && share(None) > share(Some(0.8)));
}

#[test]
fn a_float_model_that_cannot_be_run() {
    // The cast value leaves 64 bits when it is multiplied; Scaler keeps the general runtime away.
    let nodes = [
        onnx::node("ai.onnx.ml.Scaler", &["x"], &["s"], &[]),
        onnx::node("Mul", &["s", "large"], &["l"], &[]),
        onnx::node("Cast", &["l"], &["i"], &[onnx::int_attribute("to", 7)]),
        onnx::node("Mul", &["i", "many"], &["m"], &[]),
        onnx::node("Cast", &["m"], &["f"], &[onnx::int_attribute("to", 1)]),
        onnx::node("MatMul", &["f", "w"], &["y"], &[]),
    ];
    let tensors = [
        onnx::floats("large", &[1], &[1e17]),
        onnx::integers("many", &[1], &[1_000_000]),
        onnx::floats("w", &[2, 1], &[1.0, -2.0]),
    ];
    let error = refuse(&onnx::model(2, &nodes, &tensors, &["y"]));
    assert!(matches!(error, ImportError::Oracle { .. }), "{error}");
}

#[test]
fn a_model_that_sixteen_bits_cannot_hold_is_refused_with_its_figures() {
    // A thousand times the same decision against a tiny one: tanh units of sizes that no common table resolves.
    let mut random = 7_u64;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 40) as f32 / 8_388_608.0 - 1.0
    };
    let weights: Vec<f32> = (0..2 * 8).map(|at| next() * if at % 8 < 4 { 1e6 } else { 1e-6 }).collect();
    let second: Vec<f32> = (0..8).map(|at| next() * if at < 4 { 1e-9 } else { 1e6 }).collect();
    let (first, mut tensors) = {
        let (nodes, tensors) = onnx::dense("x", "h", 2, &weights, &[0.0; 8]);
        (nodes, tensors.to_vec())
    };
    let (last, more) = onnx::dense("t", "y", 8, &second, &[0.0]);
    tensors.extend(more);
    let nodes = [first.to_vec(), vec![onnx::node("Tanh", &["h"], &["t"], &[])], last.to_vec()].concat();
    let error = refuse(&onnx::model(2, &nodes, &tensors, &["y"]));
    let ImportError::BelowBound { bound, report } = &error else { panic!("{error}") };
    assert_eq!(*bound, 0.99);
    assert!(report.share_equal() < 0.99 && report.rows == 32);
    assert!(error.to_string().contains(&format!("on {} of 32 rows", report.equal_decisions)));
}

#[test]
fn columns_of_very_different_sizes_are_widened_when_they_must() {
    // One column of 0 and 1, one of thousands; both weigh the same.
    let scales = [Decimal(Decimal::ONE), Decimal(4096 * Decimal::ONE)];
    let schema = support::schema(&[Decimal(0); 2], &scales, 2);
    let rows: Vec<Vec<i16>> = (0..300).map(|row| vec![row % 2, (row * 97) % 8192 - 4096]).collect();
    let data = support::dataset(&schema, &rows, &[0; 300]);
    let weights = [onnx::floats("w", &[2, 1], &[1.0, -0.01]), onnx::floats("b", &[1], &[-1.0])];
    let nodes = [onnx::node("Gemm", &["x", "w", "b"], &["y"], &[])];
    let model = onnx::model(2, &nodes, &weights, &["y"]);
    let plain = import(&model, &schema, &data, &Options { bound: 0.0, ..Options::default() }).unwrap();
    assert_eq!(plain.model.layers.len(), 1);
    assert_eq!(plain.report.coarse_columns, ["x0"]);
    let wide = import(&model, &schema, &data, &Options { bound: 1.0, ..Options::default() }).unwrap();
    assert_eq!((wide.model.layers.len(), wide.report.equal_decisions), (2, 300));
    assert!(plain.report.equal_decisions < 300);
}
