//! Proofs that start as a valid one: the rest may be anything, and is refused without a panic.
#![no_main]

#[path = "../fixture/mod.rs"]
mod fixture;

use fixture::FIXTURE;
use libfuzzer_sys::fuzz_target;
use verifier::transcript::ELEMENT;

// How many elements are kept; whether the rest is replaced or changed by exclusive or; with what.
fuzz_target!(|input: (u16, bool, Vec<u8>)| {
    let (kept, replaced, rest) = input;
    let valid = &FIXTURE.proof;
    let kept = usize::from(kept) % (valid.len() / ELEMENT) * ELEMENT;
    let mut proof = valid.clone();
    if replaced {
        proof[kept..].fill(0);
    }
    proof[kept..].iter_mut().zip(rest).for_each(|(byte, change)| *byte ^= change);
    assert!(FIXTURE.verify(&proof).is_err() || &proof == valid);
});
