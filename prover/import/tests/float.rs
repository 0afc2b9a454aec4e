//! The node-by-node evaluator against ONNX Runtime's answers in the fixtures: it is the oracle for files that the
//! general runtime cannot run, so it needs one of its own.

mod support;

use import::float;
use support::{Fixture, files};

#[test]
fn the_evaluator_computes_what_onnx_runtime_does() {
    let (mut failures, mut compared) = (Vec::new(), 0);
    for folder in ["accepted", "extra"] {
        for (name, onnx) in files(folder) {
            match check(&Fixture::read(folder, &name), &onnx) {
                Ok(count) => compared += count,
                // An operator that the importer refuses is no claim of the evaluator's.
                Err(failure) if folder == "extra" && failure.contains("is not supported") => {}
                Err(failure) => failures.push(format!("{name}: {failure}")),
            }
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
    assert!(compared > 10_000, "{compared} scores compared");
}

/// Compares all scores of a fixture; returns how many there are.
fn check(fixture: &Fixture, onnx: &[u8]) -> Result<usize, String> {
    let graph = import::parse(onnx).map_err(|error| error.to_string())?;
    let (schema, _) = fixture.dataset();
    let dims = graph.input.one_row(schema.columns.len()).map_err(|error| error.to_string())?;
    let position = usize::from(fixture.kind == "classifier");
    let slot = graph.outputs[position.min(graph.outputs.len() - 1)];
    let mut compared = 0;
    for (row, (raw, expected)) in fixture.raw().into_iter().zip(&fixture.scores).enumerate() {
        let input = graph.input.tensor(dims.clone(), raw);
        let outputs = float::run(&graph, input, &[slot]).map_err(|error| error.to_string())?;
        let got = outputs[0].numbers().ok_or("its scores are no numbers")?;
        let near = |(got, expected): (&f64, &f64)| (got - expected).abs() <= 2e-5 * (1.0 + expected.abs());
        if got.len() != expected.len() || !got.iter().zip(expected).all(near) {
            return Err(format!("row {row}: {got:?}, ONNX Runtime has {expected:?}"));
        }
        compared += got.len();
    }
    Ok(compared)
}
