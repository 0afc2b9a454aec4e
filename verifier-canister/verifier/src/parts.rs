//! Audits too large for one proof: the sample is cut into parts, each with counts and a proof of its own.
//!
//! The cut follows from architecture and sample size alone, and every part's proof is bound to the audit, to its own
//! number and to the number of parts ([`AuditContext`]): no part can be left out, repeated or exchanged. The counts
//! of the audit are the sums of the parts' counts. Each part's counts can be read from what is handed in for it.

use std::ops::Range;

use audit::{AuditError, Digest, Row, Schema, codec::Reader};
use sha2::{Digest as _, Sha256};

use crate::{
    Architecture, Layout, RegisteredModel, Statement, VerifyError,
    error::in_range,
    layout::{MAX_SAMPLES, size},
    statement::MAX_COUNTERS,
};

/// First eight bytes of a submission.
pub const SUBMISSION_MAGIC: &[u8; 8] = b"ASSAYPF\x01";
/// Domain tag of an audit's context.
const AUDIT_MAGIC: &[u8; 8] = b"ASSAYAU\x01";
/// Most rows that one proof commits to: with a small model, what a canister verifies in a query.
pub const MAX_PART_ROWS: usize = 13 << 10;

/// How a sample is cut: as evenly as can be, so that no part is of a few samples only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    samples: usize,
    count: usize,
}

impl Parts {
    /// Halves the parts until one commits to at most [`MAX_PART_ROWS`] rows.
    pub fn new(architecture: &Architecture, samples: usize) -> Result<Self, VerifyError> {
        in_range("samples", 1, size(u32::MAX as usize), size(samples))?;
        let mut part = samples.min(MAX_SAMPLES);
        loop {
            match Layout::new(architecture, part) {
                Ok(layout) if layout.sent_rows() <= MAX_PART_ROWS => {
                    return Ok(Self { samples, count: samples.div_ceil(part) });
                }
                Ok(layout) if part == 1 => {
                    in_range("rows of one sample's proof", 1, size(MAX_PART_ROWS), size(layout.sent_rows()))?;
                }
                Err(cause) if part == 1 => return Err(cause),
                _ => part = part.div_ceil(2),
            }
        }
    }

    /// Number of parts, at least 1.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Positions in the sample that belong to a part.
    pub fn range(&self, part: usize) -> Option<Range<usize>> {
        (part < self.count).then(|| self.start(part)..self.start(part + 1))
    }

    /// The part that starts here.
    pub fn starting_at(&self, position: usize) -> Option<usize> {
        let part = (wide(position) * wide(self.count)).div_ceil(wide(self.samples));
        let part = usize::try_from(part).ok()?;
        self.range(part).filter(|range| range.start == position).map(|_| part)
    }

    fn start(&self, part: usize) -> usize {
        usize::try_from(wide(part) * wide(self.samples) / wide(self.count)).unwrap_or(self.samples)
    }
}

/// Products of two sizes need 64 bits where `usize` has 32.
fn wide(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// What binds proofs to one audit request: its number, the seed that its sample was drawn with after the request,
/// the dataset, the registered package and the canister that asked.
#[derive(Debug, Clone, Copy)]
pub struct AuditContext<'a> {
    /// The canister's principal.
    pub canister: &'a [u8],
    /// Number of the audit.
    pub audit: u64,
    /// Seed of the sample.
    pub seed: &'a [u8; 32],
    /// SHA-256 of the dataset's bytes.
    pub dataset: Digest,
    /// SHA-256 of the private model's package.
    pub package: Digest,
}

impl AuditContext<'_> {
    /// The context of one part's statement.
    pub fn of_part(&self, parts: &Parts, part: usize) -> Digest {
        let mut hash = Sha256::new();
        hash.update(AUDIT_MAGIC);
        hash.update(size(self.canister.len()).to_le_bytes());
        hash.update(self.canister);
        hash.update(self.audit.to_le_bytes());
        hash.update(self.seed);
        hash.update(self.dataset.0);
        hash.update(self.package.0);
        for number in [parts.samples, parts.count(), part] {
            hash.update(size(number).to_le_bytes());
        }
        Digest(hash.finalize().into())
    }
}

/// The rows that were drawn for an audit, in the order of the sample.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sampled {
    features: Vec<i16>,
    cell_of: Vec<u32>,
}

impl Sampled {
    /// Adds a row.
    pub fn push(&mut self, schema: &Schema, row: &Row<'_>) {
        self.features.extend(row.features());
        self.cell_of.push(schema.cell_of(row));
    }

    /// "The model makes these counts on these rows of a dataset with this schema", for one part of an audit.
    ///
    /// Whoever verifies or proves an audit gets the statement here, where the model is held against the dataset.
    pub fn statement<'a>(
        &'a self,
        model: &'a RegisteredModel,
        schema: &Schema,
        context: Digest,
        counts: &'a [u32],
    ) -> Result<Statement<'a>, VerifyError> {
        let architecture = &model.commitment().architecture;
        schema.check_model(architecture.encoding, architecture.inputs(), architecture.classes)?;
        let cells = usize::try_from(schema.cells()).unwrap_or(usize::MAX);
        Ok(Statement {
            model: model.id(),
            architecture,
            context,
            features: &self.features,
            cell_of: &self.cell_of,
            cells: cells.saturating_mul(schema.classes.len()),
            counts,
            outputs: &[],
        })
    }
}

/// What a model's owner hands in for one part: its number, its counts and its proof.
///
/// Bytes: magic `ASSAYPF` 01, `part: u32`, `counters: u32 length, u32 each`, the proof up to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission<'a> {
    /// Number of the part, from 0.
    pub part: u32,
    /// How often each class was decided in the part, in cell, label, prediction order.
    pub counters: Vec<u32>,
    /// The proof; its length is checked when it is verified.
    pub proof: &'a [u8],
}

impl<'a> Submission<'a> {
    /// Reads a submission.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, AuditError> {
        let mut reader = Reader::new(bytes);
        reader.magic("a proof of an audit", SUBMISSION_MAGIC)?;
        let part = reader.u32_in("part", 0, u32::MAX)?;
        let max = u32::try_from(MAX_COUNTERS).unwrap_or(u32::MAX);
        let count = reader.u32_in("number of counters", 1, max)?;
        let counters = reader.take("counters", (count as usize).saturating_mul(4))?;
        let counters = counters.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
        let proof = bytes.get(reader.position()..).unwrap_or_default();
        Ok(Self { part, counters, proof })
    }

    /// The bytes that [`Submission::parse`] reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        let count = u32::try_from(self.counters.len()).unwrap_or(u32::MAX);
        let mut out = SUBMISSION_MAGIC.to_vec();
        out.extend_from_slice(&self.part.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        self.counters.iter().for_each(|counter| out.extend_from_slice(&counter.to_le_bytes()));
        out.extend_from_slice(self.proof);
        out
    }
}

#[cfg(test)]
mod tests {
    use audit::{Activation, Decision};

    use super::*;
    use crate::LayerShape;

    fn architecture(widths: &[u32]) -> Architecture {
        let layers = widths.windows(2).map(|pair| LayerShape {
            inputs: pair[0],
            units: pair[1],
            shift: 12,
            activation: if pair[1] == 1 { Activation::Step } else { Activation::Relu },
        });
        let layers: Vec<_> = layers.collect();
        let (bits, decision) = (12, Decision::Step);
        let encoding = Digest([0; 32]);
        let name = "a".to_owned();
        Architecture { name, encoding, classes: 2, activation_bits: bits, tables: vec![], decision, layers }
    }

    #[test]
    fn parts_tile_the_sample() {
        for (widths, samples, count) in [
            (&[16, 32, 16, 1][..], 1024, 1),
            (&[16, 32, 16, 1], 16384, 1),
            (&[8, 1024, 1], 16384, 32),
            (&[8, 1024, 1], 2049, 4),
        ] {
            let architecture = architecture(widths);
            let parts = Parts::new(&architecture, samples).unwrap();
            assert_eq!(parts.count(), count, "{widths:?} x {samples}");
            let mut next = 0;
            for part in 0..parts.count() {
                let range = parts.range(part).unwrap();
                assert_eq!((range.start, parts.starting_at(range.start)), (next, Some(part)));
                assert!(range.len().abs_diff(samples / count) <= 1);
                assert!(Layout::new(&architecture, range.len()).unwrap().sent_rows() <= MAX_PART_ROWS);
                next = range.end;
            }
            assert_eq!(next, samples);
            assert_eq!((parts.range(count), parts.starting_at(samples)), (None, None));
            assert_eq!(parts.starting_at(1), None);
        }
    }

    #[test]
    fn every_part_of_every_audit_has_a_context_of_its_own() {
        let architecture = architecture(&[8, 1024, 1]);
        let parts = Parts::new(&architecture, 16384).unwrap();
        let (seed, other, digest) = ([1; 32], [2; 32], Digest([3; 32]));
        let context =
            AuditContext { canister: b"c", audit: 1, seed: &seed, dataset: digest, package: digest };
        let own = context.of_part(&parts, 0);
        let less = Parts::new(&architecture, 16383).unwrap();
        assert_ne!(own, context.of_part(&parts, 1));
        assert_ne!(own, context.of_part(&less, 0));
        for changed in [
            AuditContext { canister: b"d", ..context },
            AuditContext { audit: 2, ..context },
            AuditContext { seed: &other, ..context },
            AuditContext { dataset: Digest([4; 32]), ..context },
            AuditContext { package: Digest([4; 32]), ..context },
        ] {
            assert_ne!(own, changed.of_part(&parts, 0));
        }
    }

    #[test]
    fn submissions_are_read_as_written_and_never_beyond_their_end() {
        let submission = Submission { part: 3, counters: vec![1, 2, 70_000], proof: b"proof" };
        let bytes = submission.to_bytes();
        assert_eq!(Submission::parse(&bytes), Ok(submission));
        for end in 0..bytes.len() - 5 {
            assert!(Submission::parse(&bytes[..end]).is_err());
        }
        let mut huge = bytes.clone();
        huge[12..16].copy_from_slice(&[0xff; 4]);
        assert!(matches!(Submission::parse(&huge), Err(AuditError::OutOfRange { .. })));
    }
}
