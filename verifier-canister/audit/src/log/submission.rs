//! What an owner hands in: the signed statement, and of every record what others cannot compute.

use super::{LogError, MAX_ENVELOPE, MAX_RECORDS, Record, Signed};
use crate::{
    AuditError, Digest,
    codec::{self, Reader},
    schema::MAX_CLASSES,
};

/// First eight bytes of a log that is handed in.
pub const SUBMISSION_MAGIC: &[u8; 8] = b"ASSAYLG\x01";
/// Most bytes of one.
pub const MAX_SUBMISSION: u64 = SubmissionHeader::MAX_LEN + MAX_RECORDS as u64 * Entry::LEN as u64;

/// What is handed in of one record; the row and its digest follow from sample and dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Index of the class decided.
    pub class: u8,
    /// SHA-256 of salt and output.
    pub output: Digest,
}

impl Entry {
    /// Length of the encoding in bytes.
    pub const LEN: usize = 33;

    /// Reads exactly [`Entry::LEN`] bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, AuditError> {
        let mut reader = Reader::new(bytes);
        let class = reader.u8_in("class", 0, MAX_CLASSES - 1)?;
        let output = Digest(reader.array("output digest")?);
        reader.end("entry of a log")?;
        Ok(Self { class, output })
    }

    /// The record about `row`, whose bytes are `input`.
    pub fn record(self, row: u32, input: &[u8]) -> Record {
        Record { row, input: Digest::of(input), output: self.output, class: self.class }
    }
}

/// Everything of a log that is handed in but its entries, and where they start.
///
/// Bytes: magic `ASSAYLG` 01, `envelope: u32 length, bytes`, then per record `class: u8`, `output: 32 bytes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionHeader {
    /// The statement, its signature verified.
    pub signed: Signed,
    /// Bytes before the first entry.
    pub len: u64,
}

impl SubmissionHeader {
    /// Most bytes before the first entry.
    pub const MAX_LEN: u64 = 12 + MAX_ENVELOPE as u64;

    /// Reads the header from the start of the bytes; `prefix` may end anywhere after it.
    pub fn parse(prefix: &[u8]) -> Result<Self, LogError> {
        let mut reader = Reader::new(prefix);
        reader.magic("a log", SUBMISSION_MAGIC)?;
        let length = reader.u32_in("length of the envelope", 1, MAX_ENVELOPE as u32)?;
        let signed = Signed::verify(reader.take("envelope", length as usize)?)?;
        Ok(Self { signed, len: reader.position() as u64 })
    }

    /// Where the entry of record `index` starts.
    pub fn entry_offset(&self, index: u32) -> u64 {
        self.len + u64::from(index) * Entry::LEN as u64
    }

    /// Fails unless `got` is the length of all of it.
    pub fn check_len(&self, got: u64) -> Result<(), LogError> {
        let expected = self.entry_offset(self.signed.statement().predicate.log.size);
        let range = |length: u64| i64::try_from(length).unwrap_or(i64::MAX);
        codec::in_range("length of the log", range(expected), range(expected), range(got))?;
        Ok(())
    }

    /// All entries, out of all bytes that were handed in.
    pub fn entries(&self, bytes: &[u8]) -> Result<Vec<Entry>, LogError> {
        self.check_len(bytes.len() as u64)?;
        let entries = bytes.get(self.len as usize..).unwrap_or_default().chunks_exact(Entry::LEN);
        Ok(entries.map(Entry::parse).collect::<Result<_, _>>()?)
    }
}

/// The bytes to hand in: an envelope, and the log's records.
pub fn submission(envelope: &[u8], records: &[Record]) -> Vec<u8> {
    let mut out = SUBMISSION_MAGIC.to_vec();
    out.extend_from_slice(&(envelope.len() as u32).to_le_bytes());
    out.extend_from_slice(envelope);
    for record in records {
        out.push(record.class);
        out.extend_from_slice(&record.output.0);
    }
    out
}
