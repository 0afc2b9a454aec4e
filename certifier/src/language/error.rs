use std::{path::PathBuf, time::Duration};

use audit::{AuditError, Digest, language::LanguageError, log::LogError};
use runtime::RuntimeError;

use crate::{dataset::DatasetError, log::LogRunError};

/// Why a language model cannot be asked, or a log of one not be made or checked.
#[derive(Debug, thiserror::Error)]
pub enum LanguageRunError {
    /// The item set's dataset cannot be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The item set is wrong.
    #[error("{}: {cause}", folder.display())]
    Items {
        /// Its folder.
        folder: PathBuf,
        /// What is wrong.
        cause: LanguageError,
    },
    /// The log's folder cannot be used.
    #[error(transparent)]
    Log(#[from] LogRunError),
    /// A statement is refused.
    #[error(transparent)]
    Statement(#[from] LogError),
    /// Facts, a transcript or figures are refused.
    #[error(transparent)]
    Language(#[from] LanguageError),
    /// The base URL cannot be used.
    #[error("{url:?} is no base URL: {problem}")]
    BaseUrl {
        /// What was given.
        url: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The variable with the key is not set.
    #[error("the environment variable {0} holds no key")]
    NoKey(String),
    /// The key has characters that no header can carry.
    #[error("the key has line breaks or other characters that no header can carry")]
    KeyForm,
    /// The key would be readable on the way.
    #[error("the key would travel in the clear to {0}")]
    ClearText(String),
    /// No connection can be made at all.
    #[error("no HTTP client: {0}")]
    Client(String),
    /// The endpoint refuses every request.
    #[error("the endpoint refuses: status {status}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
    /// Calls fail one after the other.
    #[error("{calls} calls in a row got no answer; the last: {last}")]
    Unreachable {
        /// How many.
        calls: u32,
        /// What went wrong last.
        last: String,
    },
    /// The endpoint wants a longer pause than is waited here.
    #[error("the endpoint asks for a pause of {} s", .0.as_secs())]
    Pause(Duration),
    /// The folder's log is of a classifier.
    #[error("{} is no log of a language model", .0.display())]
    NotLanguage(PathBuf),
    /// A local model cannot be run.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// An item that has an answer in the log cannot be run here.
    #[error("item {row} has an answer in the log, and cannot be run here: {cause}")]
    NotRun {
        /// Row of the dataset.
        row: u32,
        /// Why not.
        cause: String,
    },
    /// A file of a local model cannot be read.
    #[error(transparent)]
    LocalFile(DatasetError),
    /// A file of a local model is another than the one that is meant.
    #[error("the {what} has SHA-256 {got}, expected {expected}")]
    OtherFile {
        /// Which file.
        what: &'static str,
        /// SHA-256 that it must have.
        expected: Digest,
        /// SHA-256 of what was given.
        got: Digest,
    },
    /// A task was lost.
    #[error("a call ended without a result: {0}")]
    Task(String),
}

impl LanguageRunError {
    /// What the user can do about it.
    pub fn hint(&self) -> String {
        let hint = match self {
            Self::Dataset(cause) => return cause.hint(),
            Self::Log(cause) => return cause.hint(),
            Self::Runtime(cause) => cause.hint(),
            Self::NotRun { .. } => {
                "that says nothing about the log: run it where there is more memory, or on the device that the log names"
            }
            Self::LocalFile(_) => {
                "name the ONNX file, and --tokenizer where tokenizer.json is neither beside it nor one folder above"
            }
            Self::OtherFile { .. } => {
                "pass the file that was registered or logged; its owner must give it to you"
            }
            Self::Items { .. } => {
                "datasets/README.md describes item sets; datasets/language/prepare.py makes those that come with Assay"
            }
            Self::Statement(_) | Self::Language(_) => {
                "docs/language.md describes transcripts and what a statement says about them"
            }
            Self::BaseUrl { .. } => {
                "it is what /chat/completions is appended to, e.g. http://127.0.0.1:8000/v1"
            }
            Self::KeyForm => "check the value of the environment variable: a key is one line",
            Self::NoKey(_) => {
                "set it, name another with --key-env, or pass --key-env '' where no key is needed"
            }
            Self::ClearText(_) => "use https, pass --key-env '' where no key is needed, or --insecure-http",
            Self::Client(_) => "check the certificates and proxies of this computer",
            Self::Refused { status: 401..=403, .. } => {
                "check key, account and model; what was answered is kept: repeat the command to go on"
            }
            Self::Refused { .. } => {
                "check --base-url and --model; what was answered is kept: repeat the command to go on"
            }
            Self::Unreachable { last, .. } if last.contains("max_completion_tokens") => {
                "pass --max-completion-tokens: this endpoint calls the limit of an answer so; begin a new folder"
            }
            Self::Unreachable { last, .. } if last.starts_with("status 4") => {
                "the endpoint refuses what it is asked: look at its words, and at the parameters; docs/language.md says what is sent"
            }
            Self::Unreachable { .. } => {
                "what was answered is kept; repeat the command with --retry-failed when the endpoint works again"
            }
            Self::Pause(_) => "what was answered is kept: repeat the command after the pause to go on",
            Self::NotLanguage(_) => "`assay language run` makes one",
            Self::Task(_) => "what was answered is kept: repeat the command to go on",
        };
        hint.to_owned()
    }
}

impl From<AuditError> for LanguageRunError {
    fn from(cause: AuditError) -> Self {
        Self::Language(cause.into())
    }
}
