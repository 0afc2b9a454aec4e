//! What owners hand in for an audit by a log: statements, records, openings and cards are refused or read, never a panic.
#![no_main]

use audit::log::{Card, Openings, Record, Signed, SubmissionHeader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 5 {
        0 => drop(SubmissionHeader::parse(bytes)),
        1 => drop(Signed::verify(bytes)),
        2 => {
            if let Ok(openings) = Openings::parse(bytes) {
                assert!(!openings.openings.is_empty());
            }
        }
        3 => {
            if let Ok(records) = Record::parse_all(bytes) {
                let again: Vec<u8> = records.iter().flat_map(|record| record.to_bytes()).collect();
                assert_eq!(again, bytes);
            }
        }
        _ => {
            if let Ok(card) = Card::parse(bytes) {
                assert_eq!(card.to_json().as_deref(), Ok(bytes));
            }
        }
    }
});
