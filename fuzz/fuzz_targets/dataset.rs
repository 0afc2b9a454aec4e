//! Datasets: whatever parses is canonical, and each row can be read.
#![no_main]

use audit::{Dataset, DatasetHeader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let header = DatasetHeader::parse(bytes);
    let Ok(dataset) = Dataset::parse(bytes.to_vec()) else { return };
    assert_eq!(Ok(dataset.header()), header.as_ref());
    assert_eq!(dataset.bytes(), bytes);
    assert!((0..dataset.rows()).all(|row| dataset.row(row).is_some()));
});
