use crate::{AuditError, Digest};

/// Why an item set cannot be used, or a transcript does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LanguageError {
    /// A part is malformed, too long or out of range.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The manifest is not that of an item set.
    #[error("the manifest is not that of an item set: {0}")]
    Manifest(&'static str),
    /// A file is not the one that the manifest names.
    #[error("{file} has SHA-256 {got}, the manifest says {expected}")]
    OtherFile {
        /// The file.
        file: String,
        /// In the manifest.
        expected: Digest,
        /// Of the bytes.
        got: Digest,
    },
    /// A template cannot be used.
    #[error("template {name}: {problem}")]
    Template {
        /// The template's name or id.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// An item cannot be used.
    #[error("item {item}: {problem}")]
    Item {
        /// Row of the dataset, line of the items' file, from 0.
        item: u32,
        /// What is wrong.
        problem: String,
    },
    /// The dataset's classes, labels or column are not those of an item set of its kind.
    #[error("the dataset does not fit the items: {0}")]
    Dataset(&'static str),
    /// What a statement says about how the items were asked is not what this version does, or not this item set.
    #[error("{what} is {got}, expected {expected}")]
    Facts {
        /// The field.
        what: &'static str,
        /// From the item set or this version.
        expected: String,
        /// In the statement.
        got: String,
    },
    /// A transcript is not one of its item, or does not give its class.
    #[error("transcript of item {item}: {problem}")]
    Transcript {
        /// The item.
        item: u32,
        /// What is wrong.
        problem: String,
    },
}
