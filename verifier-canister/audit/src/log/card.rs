use serde::{Deserialize, Serialize};

use super::{DecisionFacts, LogError};
use crate::{
    AuditError, Digest,
    canonical::{from_canonical_json, to_canonical_json},
    codec,
    language::LanguageFacts,
    schema::{MAX_CLASSES, MAX_COLUMNS},
};

/// Id of the card's form.
pub const CARD_FORMAT: &str = "assay logged model 1";
/// Longest card, in bytes.
pub const MAX_CARD: usize = 16 << 10;

/// What is registered of a model that stays with its owner and is known by its predictions only: canonical JSON.
///
/// It fixes which file is meant and how its outputs decide, before a sample is drawn: a threshold that is chosen
/// afterwards could be chosen for the sample. Nothing shows that the file does what a log says; that is what openings
/// are for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// [`CARD_FORMAT`].
    pub format: String,
    /// Short name.
    pub name: String,
    /// SHA-256 of the model file: what logs name as their model. Of a language model its own
    /// digest, [`crate::language::LanguageModel::digest`].
    pub source: Digest,
    /// Digest of the feature encoding that it reads; see [`crate::Schema::encoding`].
    pub encoding: Digest,
    /// Number of classes.
    pub classes: u8,
    /// Number of features.
    pub inputs: u32,
    /// How the class follows from the file's outputs.
    pub decision: DecisionFacts,
    /// How a language model is asked; prompts and parameters could be chosen for a sample too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<LanguageFacts>,
}

impl Card {
    /// Reads and checks a card.
    pub fn parse(bytes: &[u8]) -> Result<Self, LogError> {
        let card: Self = from_canonical_json("logged model", MAX_CARD, bytes)?;
        card.check()?;
        Ok(card)
    }

    /// The canonical bytes; their SHA-256 is the model's digest.
    pub fn to_json(&self) -> Result<Vec<u8>, LogError> {
        self.check()?;
        Ok(to_canonical_json("logged model", self)?)
    }

    fn check(&self) -> Result<(), LogError> {
        if self.format != CARD_FORMAT {
            let name = self.format.chars().take(codec::MAX_TEXT).collect();
            return Err(AuditError::Unknown { what: "format of a logged model", name }.into());
        }
        codec::check_text("model name", &self.name)?;
        self.decision.check()?;
        codec::in_range("number of classes", 2, MAX_CLASSES.into(), self.classes.into())?;
        codec::in_range("number of inputs", 1, MAX_COLUMNS as i64, self.inputs.into())?;
        if let Some(language) = &self.language {
            language.check()?;
            if language.model.digest()? != self.source {
                return Err(LogError::Inconsistent("the model's digest is not that of the language model"));
            }
        }
        Ok(())
    }
}
