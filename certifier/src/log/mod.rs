//! Prediction logs on their owner's side: made batch by batch in a folder, signed, opened, and run again.
//!
//! A folder has `run.json` (what was asked for), `secret` (what the salts come from, for the owner's eyes only),
//! `records.bin` and `outputs.bin` (both only ever appended to), and `counters.json` once it is complete. The log of a
//! language model ([`crate::language`]) has transcripts in the place of `outputs.bin`. `docs/log.md` specifies the
//! files. What is decided about a log is `audit::log`'s.

mod error;
pub(crate) mod folder;
mod rerun;
mod run;
mod runner;
mod sign;

use audit::{
    Digest,
    certificate::AttributeRecord,
    language::LanguageFacts,
    log::{DecisionFacts, Rows, RuntimeFacts},
};
use serde::{Deserialize, Serialize};

pub use error::LogRunError;
pub use folder::{Changed, first_change};
pub use rerun::{Difference, decide, rerun};
pub use run::{FORMAT, Finished, Job, run};
pub(crate) use runner::runtime_facts;
pub use runner::{Source, decision, options};
pub use sign::{Places, open, openings_bytes, principal, public_key, sign, submission};

/// Everything that two runs must have in common to be one: what `run.json` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct Parameters {
    /// Id of the folder's form.
    pub format: String,
    /// The model file's name and SHA-256; of a language model the endpoint's digest.
    pub model: Named,
    /// The dataset's name and digest.
    pub dataset: Named,
    /// Number of rows of the dataset.
    pub dataset_rows: u32,
    /// Rows to run.
    pub rows: Rows,
    /// Class names.
    pub classes: Vec<String>,
    /// The favourable class.
    pub favourable: String,
    /// Protected attributes.
    pub attributes: Vec<AttributeRecord>,
    /// Scores of each prediction.
    pub scores: u32,
    /// How the class follows from the outputs.
    pub decision: DecisionFacts,
    /// What runs the model.
    pub runtime: RuntimeFacts,
    /// How a language model is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<LanguageFacts>,
}

/// A name with a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The name.
    pub name: String,
    /// SHA-256 of the bytes.
    pub digest: Digest,
}
