//! Statements of any sizes: what passes the check adds up, and has a layout or is refused.
#![no_main]

use audit::{Activation, Decision, Digest};
use libfuzzer_sys::fuzz_target;
use verifier::{Architecture, LayerShape, Layout, Statement, audit_proof};

// Widths, classes, whether there is one step unit, features, cells, counts.
fuzz_target!(|input: (Vec<u16>, u8, bool, Vec<i16>, Vec<u32>, Vec<u32>)| {
    let (widths, classes, step, features, cell_of, counts) = input;
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
        counts: &counts,
    };
    let _ = statement.digest();
    if statement.check().is_err() {
        return;
    }
    let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    assert_eq!(total, cell_of.len() as u64);
    assert_eq!(features.len(), cell_of.len() * statement.inputs());
    if architecture.validate().is_ok() {
        if let Ok(layout) = Layout::new(&architecture, cell_of.len()) {
            assert_eq!(audit_proof::proof_len(&layout) % 32, 0);
        }
    }
});
