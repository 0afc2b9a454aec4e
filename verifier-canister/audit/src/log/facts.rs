//! What a statement says about how predictions were made.

use serde::{Deserialize, Serialize};

use crate::{AuditError, Decimal, Digest, codec};

/// Most labels that are said to be classes.
const MAX_LABELS: i64 = 1 << 10;

/// How the class follows from the model's outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionFacts {
    /// The output that decides.
    pub output: String,
    /// The output with the scores in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<String>,
    /// What a single score must be above for class 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Decimal>,
    /// Which class a label of the model is, `label=class`, where the caller said so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

impl DecisionFacts {
    /// How every integer model decides.
    pub fn of_integer_model() -> Self {
        Self { output: "class".to_owned(), scores: None, threshold: None, labels: Vec::new() }
    }

    pub(crate) fn check(&self) -> Result<(), AuditError> {
        let texts = [&self.output].into_iter().chain(&self.scores).chain(&self.labels);
        texts.into_iter().try_for_each(|text| codec::check_text("output or label", text))?;
        codec::in_range("labels", 0, MAX_LABELS, self.labels.len() as i64)
    }
}

/// What ran the model, as the signer's program found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeFacts {
    /// `onnxruntime`, or what is built in.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its library, where one was loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<Digest>,
    /// What computed: the execution provider.
    pub provider: String,
    /// Whether parts of the model may have run on the CPU instead.
    pub fallback: bool,
    /// Rows of one call.
    pub batch: u32,
    /// Threads of one operator; the runtime's choice without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u32>,
}
