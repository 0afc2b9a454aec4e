use std::path::Path;

use audit::{
    Dataset,
    language::{ItemSet, LanguageError, LanguageFacts},
    log::{Openings, Statement},
};

use super::{Asked, LanguageRunError, read_items};

/// A transcript that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongTranscript {
    /// Row of the dataset.
    pub row: u32,
    /// What is wrong.
    pub cause: LanguageError,
}

/// An item set that a statement is about.
pub struct Items<'a> {
    dataset: Dataset,
    set: ItemSet,
    facts: &'a LanguageFacts,
}

impl<'a> Items<'a> {
    /// Reads a folder; fails unless the statement is about just this item set.
    pub fn of(folder: &Path, statement: &'a Statement) -> Result<Self, LanguageRunError> {
        let (dataset, set) = read_items(folder)?;
        let Some(facts) = &statement.predicate.language else {
            return Err(LanguageRunError::NotLanguage(folder.to_owned()));
        };
        if dataset.digest() != statement.dataset() {
            let cause = LanguageError::Dataset("it is not the one that the statement is about");
            return Err(LanguageRunError::Items { folder: folder.to_owned(), cause });
        }
        facts.check_set(&set)?;
        Ok(Self { dataset, set, facts })
    }

    /// What is asked.
    pub fn asked(&self) -> Asked<'_> {
        Asked { set: &self.set, facts: self.facts, classes: self.dataset.schema().classes.len() }
    }

    /// Checks opened transcripts, of verified openings: that every prompt is the one that template, item and shuffle give,
    /// and that classes follow from the answers. Returns those that do not hold.
    pub fn check(&self, openings: &Openings) -> Vec<WrongTranscript> {
        let classes = self.asked().classes;
        let checked = openings.openings.iter().map(|opening| {
            let cause = self.set.check_opening(self.facts, classes, opening).err()?;
            Some(WrongTranscript { row: opening.row, cause })
        });
        checked.flatten().collect()
    }
}
