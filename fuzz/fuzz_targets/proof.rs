//! Proofs of an audit: arbitrary bytes are refused without a panic, at their own length and at a proof's; what is
//! read as a submission encodes to the same bytes.
#![no_main]

#[path = "../fixture/mod.rs"]
mod fixture;

use fixture::FIXTURE;
use libfuzzer_sys::fuzz_target;
use verifier::Submission;

fuzz_target!(|bytes: &[u8]| {
    let refused = |proof: &[u8]| assert!(FIXTURE.verify(proof).is_err() || proof == FIXTURE.proof);
    refused(bytes);
    let mut whole = bytes.to_vec();
    whole.resize(FIXTURE.proof.len(), 0);
    refused(&whole);
    if let Ok(submission) = Submission::parse(bytes) {
        assert_eq!(submission.to_bytes(), bytes);
    }
});
