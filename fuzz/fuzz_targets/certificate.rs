//! Certificate bodies: whatever parses has these very bytes, and recomputing it decides without a panic.
#![no_main]

use audit::{Certificate, recompute};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(certificate) = Certificate::parse(bytes) else { return };
    assert_eq!(certificate.to_json().as_deref(), Ok(bytes));
    let _ = recompute(&certificate);
});
