//! Models: whatever parses encodes to the same bytes, and runs or refuses on any sample without a panic.
#![no_main]

use audit::{Engine, Model};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = Model::parse(bytes) else { return };
    assert_eq!(model.to_bytes(), bytes);
    let inputs = model.inputs() as usize;
    let mut engine = Engine::new(&model);
    for value in [0, 1, -1, i16::MAX, -i16::MAX] {
        if let Ok(class) = engine.decide(std::iter::repeat_n(value, inputs)) {
            assert!(class < model.classes);
        }
    }
});
