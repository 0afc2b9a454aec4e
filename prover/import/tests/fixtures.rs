//! The importer against models as people export them, with ONNX Runtime's answers; see `fixtures/README.md`.

mod support;

use import::{ImportError, Options, import};
use support::{Fixture, files};

#[test]
fn accepted_models_decide_like_onnx_runtime() {
    let mut failures = Vec::new();
    for (name, onnx) in files("accepted") {
        if let Err(failure) = Fixture::read("accepted", &name).check(&onnx, &Options::default()) {
            failures.push(format!("{name}: {failure}"));
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn extra_models_decide_like_onnx_runtime_or_are_unsupported() {
    let mut failures = Vec::new();
    let mut refused = Vec::new();
    for (name, onnx) in files("extra") {
        match Fixture::read("extra", &name).check(&onnx, &Options::default()) {
            Ok(()) => {}
            Err(failure) if failure.unsupported => refused.push(format!("{name}: {failure}")),
            Err(failure) => failures.push(format!("{name}: {failure}")),
        }
    }
    eprintln!("{} unsupported\n{}", refused.len(), refused.join("\n"));
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

/// Models that the fixtures do not ask for, but that the integer model can hold: products of one input with itself
/// become tables, and an image that is flattened first is a row.
const BEYOND: [&str; 3] = ["hand_image_input", "hand_square", "sklearn_gaussian_nb"];

#[test]
fn unsupported_models_are_refused_by_name() {
    let mut failures = Vec::new();
    for (name, onnx) in files("unsupported") {
        let operator = support::json("unsupported", &name)["operator"].as_str().map(str::to_owned);
        let (schema, rows) = support::columns(6);
        match import(&onnx, &schema, &rows, &Options { bound: 0.0, ..Options::default() }) {
            Ok(imported) if BEYOND.contains(&name.as_str()) && imported.report.share_equal() > 0.9 => {}
            Ok(imported) => failures.push(format!("{name}: it was imported {:#?}", imported.report)),
            Err(
                ImportError::UnsupportedOperator { operator: got, .. }
                | ImportError::UnsupportedUse { operator: got, .. },
            ) if operator.as_ref().is_none_or(|operator| *operator == got) => {}
            Err(error) if operator.is_none() && support::is_unsupported(&error) => {}
            Err(error) => failures.push(format!("{name}: expected {operator:?}, got {error}")),
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn broken_files_are_refused() {
    let mut failures = Vec::new();
    for (name, onnx) in files("broken") {
        let (schema, rows) = support::columns(6);
        match import(&onnx, &schema, &rows, &Options { bound: 0.0, ..Options::default() }) {
            Ok(_) => failures.push(format!("{name}: imported ({})", support::json("broken", &name)["about"])),
            Err(error) => eprintln!("{name}: {error}"),
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

/// The integers of three kinds of network, as made on the machine where they were first made. Another machine must
/// make the same bytes; a change of the importer that changes them changes what owners have registered.
#[test]
fn integers_are_the_same_on_every_machine() {
    let golden = [
        ("sklearn_logistic", "65100ec10224efd5eb695f6d7839fc4334386c82349fa99944d8d30a3af75456"),
        ("sklearn_mlp_tanh", "ffe1776529f8f104b21141b7a99b7338a85f19b5f4a3668173346058d258659b"),
        ("torch_sigmoid_legacy_opset17", "8f5e341f38616273e758909e4f90c6657ddbfa868036656c122ac70abbcb70d4"),
    ];
    for (name, digest) in golden {
        let (_, onnx) = files("accepted").into_iter().find(|(file, _)| file == name).unwrap();
        let imported = Fixture::read("accepted", name).import(&onnx, &Options::default()).unwrap();
        assert_eq!(imported.model.digest().to_string(), digest, "{name}");
    }
}
