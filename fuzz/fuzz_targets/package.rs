//! Private models: whatever parses encodes to the same bytes, and is verified or refused without a panic.
#![no_main]

#[path = "../fixture/mod.rs"]
mod fixture;

use fixture::FIXTURE;
use libfuzzer_sys::fuzz_target;
use verifier::{Architecture, ModelCommitment, Package};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(architecture) = Architecture::parse(bytes) {
        assert_eq!(architecture.to_bytes(), bytes);
    }
    let Ok(package) = Package::parse(bytes) else { return };
    let commitment = ModelCommitment::parse(package.architecture.clone(), package.owner, package.rows);
    if let Ok(commitment) = commitment {
        assert_eq!(Package::to_bytes(&commitment, package.proof), bytes);
    }
    let accepted = package.verify(&FIXTURE.setup.verifier).is_ok();
    assert!(!accepted || bytes == FIXTURE.package);
});
