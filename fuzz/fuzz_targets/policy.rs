//! Policies: whatever parses has one canonical form.
#![no_main]

use audit::Policy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(policy) = Policy::from_json(bytes) else { return };
    let canonical = policy.to_json().expect("what was parsed can be written");
    let again = Policy::from_json(&canonical).expect("the canonical form parses");
    assert_eq!(again.to_json().as_ref(), Ok(&canonical));
});
