use crate::{AuditError, Digest, language::LanguageError};

/// Why a log's statement or an opening is not to be believed, or cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// A part is malformed, too long or out of range.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// What is said about a language model is not what this version does.
    #[error(transparent)]
    Language(#[from] LanguageError),
    /// The statement is of another type or version.
    #[error("{what} is {got:?}, expected {expected:?}")]
    Kind {
        /// The field.
        what: &'static str,
        /// What this version writes.
        expected: &'static str,
        /// What stands there.
        got: String,
    },
    /// Two parts of a statement contradict each other.
    #[error("the statement contradicts itself: {0}")]
    Inconsistent(&'static str),
    /// No signature of the envelope is one of the statement by the key that it names.
    #[error("no signature is by the key that the statement names")]
    Signature,
    /// The statement is not about what an audit asked for.
    #[error("the log is not of the audit: it has another {0}")]
    OtherAudit(&'static str),
    /// The predictions do not add up to what was signed.
    #[error("the predictions do not give the {0} that was signed")]
    OtherSum(&'static str),
    /// The openings are for another log.
    #[error("the openings are for the log with root {got}, the statement is about {expected}")]
    OtherLog {
        /// The statement's root.
        expected: Digest,
        /// The openings' root.
        got: Digest,
    },
    /// The path does not lead from the record to the root.
    #[error("opening {index}: the record is not in the log at that place")]
    NotInLog {
        /// Place in the log.
        index: u32,
    },
    /// Salt and scores do not give the record's digest.
    #[error("opening {index}: salt and scores are not those that the record commits to")]
    OtherOutput {
        /// Place in the log.
        index: u32,
    },
    /// The openings are not the ones that their seed draws, not distinct, or not in order.
    #[error("the opened places are not {0}")]
    OtherPlaces(&'static str),
    /// The row was not that of the dataset.
    #[error("opening {index}: the record is not about row {row} of the dataset")]
    OtherInput {
        /// Place in the log.
        index: u32,
        /// The row it names.
        row: u32,
    },
}
