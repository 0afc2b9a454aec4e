//! Damaged files: whatever is done to the bytes of a model, the importer returns, and never panics.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use import::{Options, import};
use support::files;

/// A small generator with a fixed seed, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }

    /// Damages a file in one of the ways that files are damaged, or attacked.
    fn damage(&mut self, file: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = file.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(8) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, self.below(256) as u8),
                2 if !bytes.is_empty() => drop(bytes.remove(at)),
                3 => {
                    let end = (at + self.below(24)).min(bytes.len());
                    bytes.splice(at..end, other.iter().copied().skip(self.below(other.len())).take(24));
                }
                4 if !bytes.is_empty() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                5 if !bytes.is_empty() => bytes[at] = bytes[at].wrapping_add(1),
                _ if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                _ => {}
            }
        }
        bytes
    }
}

#[test]
fn damaged_files_never_panic() {
    let all: Vec<(String, Vec<u8>)> =
        ["accepted", "extra", "unsupported", "broken"].into_iter().flat_map(files).collect();
    let (schema, rows) = support::columns(6);
    let mut random = Random(0x5eed_2026_1122);
    let options = Options { bound: 0.0, ..Options::default() };
    let (mut imported, mut refused) = (0, 0);
    for (name, file) in &all {
        for round in 0..6 {
            let other = &all[random.below(all.len())].1;
            let bytes = random.damage(file, other);
            match catch_unwind(AssertUnwindSafe(|| import(&bytes, &schema, &rows, &options))) {
                Ok(Ok(found)) => {
                    // Whatever was made must be a model of the format.
                    assert_eq!(audit::Model::parse(&found.model.to_bytes()).as_ref(), Ok(&found.model));
                    imported += 1;
                }
                Ok(Err(_)) => refused += 1,
                Err(_) => panic!("{name}, round {round}: the importer panicked"),
            }
        }
    }
    assert!(imported > 100 && refused > 1000, "{imported} imported, {refused} refused");
}
