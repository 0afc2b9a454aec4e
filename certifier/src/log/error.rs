use std::{
    io,
    path::{Path, PathBuf},
};

use audit::{AuditError, log::LogError};
use runtime::RuntimeError;

/// Why a log cannot be made, signed or opened.
#[derive(Debug, thiserror::Error)]
pub enum LogRunError {
    /// The model cannot be run.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A statement or an opening is refused.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// Another process writes to the folder.
    #[error("another process is running this log in {}", .0.display())]
    Busy(PathBuf),
    /// The folder holds something else.
    #[error("{} holds no prediction log", .0.display())]
    NotALog(PathBuf),
    /// The folder's run had another model, dataset or parameter.
    #[error("{} is a log of another run: {field} was {was}, now it is {now}", folder.display())]
    OtherRun {
        /// The folder.
        folder: PathBuf,
        /// What differs first.
        field: String,
        /// In the folder.
        was: String,
        /// Asked for.
        now: String,
    },
    /// What was written before is not what was written then.
    #[error("record {index} in {} was changed after it was written", folder.display())]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// The record.
        index: u32,
    },
    /// The run has not ended.
    #[error("the log in {} has {got} of {expected} predictions{}", folder.display(), of_calls(*calls))]
    Incomplete {
        /// The folder.
        folder: PathBuf,
        /// Predictions asked for.
        expected: u32,
        /// Predictions made.
        got: u32,
        /// Calls of a language model that are done; predictions are made of them at the end.
        calls: Option<u64>,
    },
    /// The log has no record of the row.
    #[error("the log has no prediction for row {0}")]
    NoRow(u32),
    /// The key cannot sign logs.
    #[error("the key cannot sign a log: {0}")]
    Key(String),
    /// The number cannot be written exactly.
    #[error("the threshold {0} cannot be written with 9 digits after the point")]
    Threshold(f64),
}

impl LogRunError {
    /// An error about one file.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::File { path, cause }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Runtime(cause) => cause.hint().to_owned(),
            Self::Log(_) => "docs/log.md describes statements and openings".to_owned(),
            Self::File { .. } => "check that it exists and that you may read and write it".to_owned(),
            Self::Busy(_) => "wait for it, or choose another folder".to_owned(),
            Self::NotALog(_) => {
                "`assay log run` makes one; for a new log, name a folder that is new or empty".to_owned()
            }
            Self::OtherRun { .. } => "repeat the command that began it, or choose another folder".to_owned(),
            Self::Damaged { .. } => {
                "nothing in the folder may be edited; run the log again in a new one".to_owned()
            }
            Self::Incomplete { .. } => {
                "repeat the command that began it: it goes on where it stopped".to_owned()
            }
            Self::NoRow(_) => {
                "rows are those of the dataset, from 0; only those that were run can be opened".to_owned()
            }
            Self::Key(_) => "make an Ed25519 key with `assay identity new FILE`".to_owned(),
            Self::Threshold(_) => "pass a --threshold with fewer digits".to_owned(),
        }
    }
}

impl From<AuditError> for LogRunError {
    fn from(cause: AuditError) -> Self {
        Self::Log(cause.into())
    }
}

fn of_calls(calls: Option<u64>) -> String {
    calls.map_or_else(String::new, |calls| format!(", and {calls} calls that they are made of"))
}
