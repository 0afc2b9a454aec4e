//! A prediction log: every prediction of a model is committed to before anyone says which will be checked.
//!
//! A [`Record`] binds a row of the dataset, what the model was given, what came out, and the class decided. What came
//! out is hidden by a salt until it is opened. The records are the leaves of a Merkle tree ([`tree`]); its root, with
//! what ran and what the decisions add up to, is a signed [`Statement`]. An [`Opening`] shows one record to whoever
//! has the statement.
//!
//! A log does not prove that the model made the predictions. It makes whoever signed it choose all of them at once:
//! [`odds::detection`] is the probability that openings drawn afterwards hit one that a rerun contradicts.
//! `docs/log.md` specifies every byte.

mod asked;
mod card;
mod error;
mod facts;
pub mod odds;
mod opening;
mod salt;
mod statement;
mod submission;
mod tally;
pub mod tree;

use crate::{
    AuditError, Digest,
    codec::{self, Reader},
    dataset::MAX_ROWS,
    schema::MAX_CLASSES,
};

pub use asked::{Asked, Named};
pub use card::{CARD_FORMAT, Card, MAX_CARD};
pub use error::LogError;
pub use facts::{DecisionFacts, RuntimeFacts};
pub use opening::{Draw, MAX_OPENINGS, MAX_OPENINGS_FILE, OPENINGS_FORMAT, Opening, Openings};
pub use salt::{Salt, salt};
pub use statement::{LogFacts, MAX_ENVELOPE, PREDICATE_TYPE, Predictions, Rows, Signed, Statement, frame};
pub use submission::{Entry, MAX_SUBMISSION, SUBMISSION_MAGIC, SubmissionHeader, submission};
pub use tally::Tally;
pub use tree::{Frontier, Tree};

/// Id of the rule that makes records and tree; the statement names it.
pub const LOG_RULE: &str = "assay log 1";
/// Most records of a log: as many as a dataset has rows.
pub const MAX_RECORDS: u32 = MAX_ROWS;
/// Most scores of one prediction.
pub const MAX_SCORES: u32 = MAX_CLASSES as u32;

/// One prediction: a leaf of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Row of the dataset.
    pub row: u32,
    /// SHA-256 of the row's bytes in the dataset; see [`crate::Dataset::record`].
    pub input: Digest,
    /// SHA-256 of salt and output; see [`output_digest`].
    pub output: Digest,
    /// Index of the class decided.
    pub class: u8,
}

impl Record {
    /// Length of the encoding in bytes.
    pub const LEN: usize = 69;

    /// `row: u32` little-endian, `input`, `output`, `class: u8`.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..4].copy_from_slice(&self.row.to_le_bytes());
        bytes[4..36].copy_from_slice(&self.input.0);
        bytes[36..68].copy_from_slice(&self.output.0);
        bytes[68] = self.class;
        bytes
    }

    /// Reads exactly [`Record::LEN`] bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, AuditError> {
        let mut reader = Reader::new(bytes);
        let row = reader.u32_in("row", 0, MAX_ROWS - 1)?;
        let input = Digest(reader.array("input digest")?);
        let output = Digest(reader.array("output digest")?);
        let class = reader.u8_in("class", 0, MAX_CLASSES - 1)?;
        reader.end("record")?;
        Ok(Self { row, input, output, class })
    }

    /// Reads records one after the other.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, AuditError> {
        codec::in_range(
            "bytes of records",
            0,
            i64::from(MAX_RECORDS) * Self::LEN as i64,
            bytes.len() as i64,
        )?;
        if !bytes.len().is_multiple_of(Self::LEN) {
            return Err(AuditError::Trailing { what: "records", got: (bytes.len() % Self::LEN) as u64 });
        }
        bytes.chunks_exact(Self::LEN).map(Self::parse).collect()
    }

    /// The record's leaf in the tree.
    pub fn leaf(self) -> Digest {
        tree::leaf(&self.to_bytes())
    }
}

/// SHA-256 of the salt and a prediction's output: its scores, each a little-endian single-precision number, or the
/// transcript of what a language model was asked.
pub fn output_digest(salt: &Salt, output: &[u8]) -> Digest {
    Digest::of_parts(&[salt, output])
}
