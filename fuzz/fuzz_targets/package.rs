//! Private models: whatever parses encodes to the same bytes, and is verified or refused without a panic.
//! The bytes are tried as they are, and laid over a valid package from the place that the first two say.
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
    check(bytes);
    if let Some((&[low, high], rest)) = bytes.split_first_chunk() {
        let mut package = FIXTURE.package.clone();
        let from = usize::from(u16::from_le_bytes([low, high])) % package.len();
        package[from..].iter_mut().zip(rest).for_each(|(byte, change)| *byte ^= change);
        check(&package);
    }
});

fn check(bytes: &[u8]) {
    let Ok(package) = Package::parse(bytes) else { return };
    let commitment = ModelCommitment::parse(package.architecture.clone(), package.owner, package.rows);
    if let Ok(commitment) = commitment {
        assert_eq!(Package::to_bytes(&commitment, package.proof), bytes);
    }
    let accepted = package.verify(&FIXTURE.setup.verifier).is_ok();
    assert!(!accepted || bytes == FIXTURE.package);
}
