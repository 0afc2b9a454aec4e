//! Openings: single records of a log, shown to whoever has its statement.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{LogError, Record, Salt, Statement, output_digest, tree};
use crate::{Dataset, Digest, SAMPLE_RULE, canonical::from_json, codec, draw_sample, language::Transcript};

/// Id of the file's form.
pub const OPENINGS_FORMAT: &str = "assay openings 1";
/// Most openings of one file.
pub const MAX_OPENINGS: u32 = 4096;
/// Longest file, in bytes.
pub const MAX_OPENINGS_FILE: usize = 16 << 20;
/// Longest path: a log has at most 2^20 records.
const MAX_PATH: i64 = 20;

/// A file of openings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Openings {
    /// [`OPENINGS_FORMAT`].
    pub format: String,
    /// Root of the log.
    pub root: Digest,
    /// How the places were drawn; without, somebody chose them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draw: Option<Draw>,
    /// The opened records, by increasing place.
    pub openings: Vec<Opening>,
}

/// Places drawn by a seed: `draw_sample(seed, size of the log, number of openings)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// [`SAMPLE_RULE`].
    pub rule: String,
    /// The seed.
    pub seed: Digest,
}

/// One opened record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Place in the log.
    pub index: u32,
    /// Row of the dataset.
    pub row: u32,
    /// SHA-256 of the row's bytes.
    pub input: Digest,
    /// Class decided.
    pub class: u8,
    /// What hid the scores.
    #[serde(serialize_with = "to_hex", deserialize_with = "salt_from_hex")]
    pub salt: Salt,
    /// The scores, each a little-endian single-precision number; of a language model the transcript.
    #[serde(serialize_with = "to_hex", deserialize_with = "from_hex")]
    pub output: Vec<u8>,
    /// From the record's sibling to the root.
    pub path: Vec<Digest>,
}

impl Opening {
    /// The record that salt and output give.
    pub fn record(&self) -> Record {
        let output = output_digest(&self.salt, &self.output);
        Record { row: self.row, input: self.input, output, class: self.class }
    }

    /// Fails unless the record is about a row with these bytes.
    pub fn check_input(&self, row: Option<&[u8]>) -> Result<(), LogError> {
        if row.map(Digest::of) == Some(self.input) {
            return Ok(());
        }
        Err(LogError::OtherInput { index: self.index, row: self.row })
    }

    fn verify(&self, statement: &Statement) -> Result<(), LogError> {
        let log = &statement.predicate.log;
        codec::in_range("path length", 0, MAX_PATH, self.path.len() as i64)?;
        match &statement.predicate.language {
            None if self.output.len() as u64 == 4 * u64::from(log.scores) => {}
            None => return Err(LogError::OtherOutput { index: self.index }),
            // Whether prompts and outcomes are right, only who has the items can tell.
            Some(language) => {
                let classes = statement.predicate.classes.len();
                Transcript::parse(&self.output)?.check_record(language, classes, self.row, self.class)?;
            }
        }
        let leaf = self.record().leaf();
        if !tree::is_included(leaf, self.index, log.size, &self.path, log.root) {
            return Err(LogError::NotInLog { index: self.index });
        }
        Ok(())
    }
}

impl Openings {
    /// Reads a file of at most [`MAX_OPENINGS_FILE`] bytes; nothing is verified yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, LogError> {
        let read: Self = from_json("openings", MAX_OPENINGS_FILE, bytes)?;
        if read.format != OPENINGS_FORMAT {
            return Err(LogError::Kind { what: "format", expected: OPENINGS_FORMAT, got: read.format });
        }
        codec::in_range("number of openings", 1, MAX_OPENINGS.into(), read.openings.len() as i64)?;
        Ok(read)
    }

    /// Fails unless every record is in the statement's log, with this salt and these scores, and the places are those
    /// that the seed draws, if there is one.
    pub fn verify(&self, statement: &Statement) -> Result<(), LogError> {
        let log = &statement.predicate.log;
        if self.root != log.root {
            return Err(LogError::OtherLog { expected: log.root, got: self.root });
        }
        let places = || self.openings.iter().map(|opening| opening.index);
        if !places().is_sorted_by(|left, right| left < right) {
            return Err(LogError::OtherPlaces("distinct and in order"));
        }
        if let Some(draw) = &self.draw {
            let drawn = || draw_sample(&draw.seed.0, log.size, self.openings.len() as u32);
            if draw.rule != SAMPLE_RULE || !places().eq(drawn()) {
                return Err(LogError::OtherPlaces("those that the seed draws"));
            }
        }
        self.openings.iter().try_for_each(|opening| opening.verify(statement))
    }

    /// Fails unless these are the openings that an audit drew of the statement's log: this seed, so many.
    pub fn verify_drawn(&self, statement: &Statement, seed: Digest, count: u32) -> Result<(), LogError> {
        let drawn = self.draw.as_ref().map(|draw| draw.seed);
        if drawn != Some(seed) || self.openings.len() as u64 != u64::from(count) {
            return Err(LogError::OtherPlaces("those that the audit drew"));
        }
        self.verify(statement)
    }

    /// Fails unless each record is about its row of this dataset. Call it with the statement's dataset.
    pub fn check_inputs(&self, dataset: &Dataset) -> Result<(), LogError> {
        self.openings.iter().try_for_each(|opening| opening.check_input(dataset.record(opening.row)))
    }
}

fn to_hex<S: Serializer>(bytes: impl AsRef<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes))
}

fn from_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    hex::decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn salt_from_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Salt, D::Error> {
    from_hex(deserializer)?.try_into().map_err(|_| D::Error::custom("a salt has 16 bytes"))
}
