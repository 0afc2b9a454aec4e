//! Statements of any sizes: what passes the check adds up, and has a layout or is refused.
#![no_main]

use audit::{Activation, Decision, Digest};
use libfuzzer_sys::fuzz_target;
use verifier::{Architecture, LayerShape, Layout, Parts, Statement, audit_proof};

// Widths, classes, whether there is one step unit, features, outputs, cell of each sample, cells, counts.
type Input = (Vec<u16>, u8, bool, Vec<i16>, Vec<i16>, Vec<u32>, usize, Vec<u32>);

fuzz_target!(|input: Input| {
    let (widths, classes, step, features, outputs, cell_of, cells, counts) = input;
    let layers = widths.windows(2).map(|pair| LayerShape {
        inputs: pair[0].into(),
        units: pair[1].into(),
        shift: 8,
        activation: if step { Activation::Step } else { Activation::Identity },
    });
    let architecture = Architecture {
        name: "fuzz".to_owned(),
        encoding: Digest([0; 32]),
        classes,
        activation_bits: 8,
        tables: Vec::new(),
        decision: if step { Decision::Step } else { Decision::ArgMax },
        layers: layers.collect(),
    };
    let statement = Statement {
        model: Digest([1; 32]),
        architecture: &architecture,
        context: Digest([2; 32]),
        features: &features,
        cell_of: &cell_of,
        cells,
        counts: &counts,
        outputs: &outputs,
    };
    let _ = statement.digest();
    if statement.check().is_err() {
        return;
    }
    let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    assert_eq!(total, cell_of.len() as u64);
    assert_eq!(features.len(), cell_of.len() * statement.inputs());
    assert!(outputs.is_empty() || outputs.len() == cell_of.len() * statement.units());
    if architecture.validate().is_ok() {
        let parts = Parts::new(&architecture, cell_of.len()).map(|parts| parts.range(0));
        assert!(parts.is_err() || parts.is_ok_and(|first| first.is_some_and(|first| !first.is_empty())));
        if let Ok(layout) = Layout::new(&architecture, cell_of.len()) {
            assert_eq!(audit_proof::proof_len(&layout) % 32, 0);
        }
    }
});
