//! A dataset: a [`Schema`] and fixed-width rows. Its digest is the SHA-256 of its bytes.
//!
//! Bytes: magic `ASSAYDS` 01, the schema, `rows: u32`, then the rows, each `features: i16 × D`, `label: u8`,
//! `group: u8` per attribute. Integers are little-endian; `docs/formats.md` has the full table.

use crate::{
    AuditError, Digest, Schema,
    codec::{self, Reader},
};

/// First eight bytes of a dataset.
pub const DATASET_MAGIC: &[u8; 8] = b"ASSAYDS\x01";
/// Most rows of a dataset.
pub const MAX_ROWS: u32 = 1 << 20;
/// Longest encoding of everything before the rows.
pub const MAX_HEADER: usize = 1 << 20;
/// Largest absolute feature value; one less than `i16` allows, so that negation never overflows.
pub const MAX_FEATURE: i16 = i16::MAX;

/// Everything of a dataset but its rows, and where the rows start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetHeader {
    /// What the rows mean.
    pub schema: Schema,
    /// Number of rows.
    pub rows: u32,
    /// Bytes before the first row.
    pub len: u64,
}

impl DatasetHeader {
    /// Reads the header from the start of a dataset's bytes; `prefix` may end anywhere after it.
    pub fn parse(prefix: &[u8]) -> Result<Self, AuditError> {
        let mut reader = Reader::new(&prefix[..prefix.len().min(MAX_HEADER)]);
        reader.magic("a dataset", DATASET_MAGIC)?;
        let schema = Schema::read(&mut reader)?;
        let rows = reader.u32_in("number of rows", 1, MAX_ROWS)?;
        Ok(Self { schema, rows, len: reader.position() as u64 })
    }

    /// Length of the whole dataset in bytes.
    pub fn total_len(&self) -> u64 {
        self.row_offset(self.rows)
    }

    /// Fails unless `got` is the length of the whole dataset.
    pub fn check_len(&self, got: u64) -> Result<(), AuditError> {
        let expected = self.total_len();
        if got < expected {
            let (expected, got) = (expected - self.len, got.saturating_sub(self.len));
            return Err(AuditError::Truncated { what: "rows", expected, got });
        }
        if got > expected {
            return Err(AuditError::Trailing { what: "rows", got: got - expected });
        }
        Ok(())
    }

    /// Where row `index` starts.
    pub fn row_offset(&self, index: u32) -> u64 {
        self.len + u64::from(index) * self.schema.record_len() as u64
    }
}

/// One row, borrowed from its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    features: &'a [u8],
    /// Index of the true class.
    pub label: u8,
    /// Group index for each attribute.
    pub groups: &'a [u8],
}

impl<'a> Row<'a> {
    /// Reads one record of `schema.record_len()` bytes and checks label, groups and features.
    pub fn parse(schema: &Schema, record: &'a [u8]) -> Result<Self, AuditError> {
        let mut reader = Reader::new(record);
        let features = reader.take("features", 2 * schema.columns.len())?;
        let label = reader.u8_in("label", 0, schema.classes.len() as u8 - 1)?;
        let groups = reader.take("groups", schema.attributes.len())?;
        reader.end("row")?;
        for (attribute, &group) in schema.attributes.iter().zip(groups) {
            codec::in_range("group", 0, attribute.groups.len() as i64 - 1, group.into())?;
        }
        let row = Self { features, label, groups };
        // All are looked at, so that the loop has no branch and compiles to vector instructions.
        if row.features().fold(false, |found, value| found | (value == i16::MIN)) {
            return Err(AuditError::OutOfRange {
                what: "feature",
                min: (-MAX_FEATURE).into(),
                max: MAX_FEATURE.into(),
                got: i16::MIN.into(),
            });
        }
        Ok(row)
    }

    /// The feature values, in column order.
    pub fn features(&self) -> impl Iterator<Item = i16> + use<'a> {
        self.features.as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair))
    }
}

/// A whole dataset in memory, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    header: DatasetHeader,
    bytes: Vec<u8>,
}

impl Dataset {
    /// Parses and checks header and every row; trailing bytes are refused.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, AuditError> {
        let header = DatasetHeader::parse(&bytes)?;
        header.check_len(bytes.len() as u64)?;
        let dataset = Self { header, bytes };
        for record in dataset.bytes[dataset.header.len as usize..].chunks_exact(dataset.schema().record_len())
        {
            Row::parse(dataset.schema(), record)?;
        }
        Ok(dataset)
    }

    /// What the rows mean.
    pub fn schema(&self) -> &Schema {
        &self.header.schema
    }

    /// Schema, number of rows and where they start.
    pub fn header(&self) -> &DatasetHeader {
        &self.header
    }

    /// Number of rows.
    pub fn rows(&self) -> u32 {
        self.header.rows
    }

    /// Row `index`, or `None` behind the last.
    pub fn row(&self, index: u32) -> Option<Row<'_>> {
        Row::parse(self.schema(), self.record(index)?).ok()
    }

    /// The bytes of row `index`, or `None` behind the last.
    pub fn record(&self, index: u32) -> Option<&[u8]> {
        if index >= self.rows() {
            return None;
        }
        let start = self.header.row_offset(index) as usize;
        self.bytes.get(start..start + self.schema().record_len())
    }

    /// The bytes that the digest covers.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }
}

/// Builds a dataset row by row.
#[derive(Debug, Clone)]
pub struct DatasetBuilder {
    schema: Schema,
    records: Vec<u8>,
    rows: u32,
}

impl DatasetBuilder {
    /// Starts with a valid schema and no rows.
    pub fn new(schema: Schema) -> Result<Self, AuditError> {
        schema.validate()?;
        Ok(Self { schema, records: Vec::new(), rows: 0 })
    }

    /// Appends a row: `D` features, the label's class index, one group index per attribute.
    pub fn push(&mut self, features: &[i16], label: u8, groups: &[u8]) -> Result<(), AuditError> {
        codec::in_range("number of rows", 1, MAX_ROWS.into(), i64::from(self.rows) + 1)?;
        let widths = [
            ("features of a row", self.schema.columns.len(), features.len()),
            ("groups of a row", self.schema.attributes.len(), groups.len()),
        ];
        for (what, expected, got) in widths {
            if expected != got {
                return Err(AuditError::Mismatch { what, expected: expected as u64, got: got as u64 });
            }
        }
        let mut record = Vec::with_capacity(self.schema.record_len());
        features.iter().for_each(|value| record.extend_from_slice(&value.to_le_bytes()));
        record.push(label);
        record.extend_from_slice(groups);
        Row::parse(&self.schema, &record)?;
        self.records.extend_from_slice(&record);
        self.rows += 1;
        Ok(())
    }

    /// The finished dataset; at least one row is needed.
    pub fn build(self) -> Result<Dataset, AuditError> {
        codec::in_range("number of rows", 1, MAX_ROWS.into(), self.rows.into())?;
        let mut bytes = DATASET_MAGIC.to_vec();
        self.schema.put(&mut bytes);
        bytes.extend_from_slice(&self.rows.to_le_bytes());
        bytes.extend_from_slice(&self.records);
        Dataset::parse(bytes)
    }
}
