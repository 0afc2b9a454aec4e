//! Transcripts have one spelling, and any answer is one option or none.
#![no_main]

use audit::language::{Transcript, answer};
use libfuzzer_sys::fuzz_target;

const OPTIONS: [&str; 4] = ["Rome", "Paris", "B", "or B"];

fuzz_target!(|bytes: &[u8]| {
    if let Ok(transcript) = Transcript::parse(bytes) {
        assert_eq!(transcript.to_json().as_deref(), Ok(bytes));
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(position) = answer::parse(&text, false, &OPTIONS) {
        assert!(position < OPTIONS.len());
        assert!(text.contains(char::from(b'A' + position as u8)));
    }
});
