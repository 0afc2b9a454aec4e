//! Whether a log is the one that an audit asked for.

use super::{Card, DecisionFacts, LogError, Predictions, Rows, Statement};
use crate::{Digest, SAMPLE_RULE, Schema, language::LanguageFacts};

/// What an audit asks a log for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What it must say about the model.
    pub model: &'a Named,
    /// SHA-256 of the dataset.
    pub dataset: Digest,
    /// The dataset's schema.
    pub schema: &'a Schema,
    /// Rows of the dataset.
    pub dataset_rows: u32,
    /// Seed of the sample.
    pub seed: [u8; 32],
    /// Rows drawn.
    pub size: u32,
}

/// The model that a log must name, and how it decides: fixed before the sample was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// SHA-256 of the model file.
    pub file: Digest,
    /// How the class follows from its outputs.
    pub decision: DecisionFacts,
    /// How a language model is asked.
    pub language: Option<LanguageFacts>,
}

impl Named {
    /// The model with this card.
    pub fn of_card(card: &Card) -> Self {
        let (decision, language) = (card.decision.clone(), card.language.clone());
        Self { file: card.source, decision, language }
    }

    /// The integer model with this digest.
    pub fn of_integer_model(digest: Digest) -> Self {
        Self { file: digest, decision: DecisionFacts::of_integer_model(), language: None }
    }
}

impl Statement {
    /// Fails unless this is about the predictions that an audit asks for: this model, this dataset with its classes and
    /// attributes, and the rows that its seed draws.
    pub fn check_asked(&self, asked: &Asked<'_>) -> Result<(), LogError> {
        let Predictions { rows, dataset_rows, classes, favourable, attributes, decision, language, .. } =
            &self.predicate;
        let Asked { model, dataset, schema, dataset_rows: expected_rows, seed, size, .. } = asked;
        let drawn = Rows::Drawn { rule: SAMPLE_RULE.to_owned(), seed: Digest(*seed), size: *size };
        let parts = [
            ("model", self.model() == model.file),
            ("dataset", self.dataset() == *dataset && dataset_rows == expected_rows),
            ("sample", *rows == drawn),
            ("decision", *decision == model.decision),
            ("language", *language == model.language),
            ("classes", *classes == schema.classes),
            ("favourable class", schema.classes.get(usize::from(schema.favourable)) == Some(favourable)),
            ("attributes", *attributes == Predictions::attributes_of(schema)),
        ];
        if let Some(language) = language {
            language.check_dataset(schema, *dataset)?;
        }
        match parts.into_iter().find(|(_, same)| !same) {
            Some((what, _)) => Err(LogError::OtherAudit(what)),
            None => Ok(()),
        }
    }
}
