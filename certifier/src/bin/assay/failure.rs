//! How the program ends: an exit code, and for an error what happened and what to do.

use std::{fmt, process::ExitCode};

use audit::log::LogError;
use certifier::{
    client::ClientError, dataset::DatasetError, export::dsse::EnvelopeError, identity::IdentityError,
    language::LanguageRunError, log::LogRunError, network::NetworkError, node::CanisterNodeError,
    private::PrivateError,
};
use check::{proof::ProofError, rerun::RerunError};
use import::ImportError;
use interface::export::FileError;

/// Exit codes; `assay --help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was done, and every check held.
    Ok = 0,
    /// Something could not be done.
    Error = 1,
    /// A check failed, or a rerun gives something else.
    Mismatch = 3,
    /// The verdict is not `pass`, and `--require-pass` was given.
    NotPassed = 4,
    /// The certificate is authentic, but expired, superseded, suspended or revoked.
    NotStanding = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        (exit as u8).into()
    }
}

/// An error with what to do about it.
#[derive(Debug)]
pub struct Failure {
    pub error: anyhow::Error,
    pub hint: Option<String>,
    pub exit: Exit,
}

pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// An error with a hint.
    pub fn new(error: impl fmt::Display, hint: impl Into<String>) -> Self {
        Self { error: anyhow::anyhow!("{error}"), hint: Some(hint.into()), exit: Exit::Error }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { error, hint: None, exit: Exit::Error }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        anyhow::Error::from(error).into()
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        anyhow::Error::from(error).into()
    }
}

/// Errors that bring their own hint.
macro_rules! hinted {
    ($($error:ty),+) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                let hint = error.hint().to_string();
                Self { error: error.into(), hint: Some(hint), exit: Exit::Error }
            }
        }
    )+};
}

hinted!(CanisterNodeError, ClientError, DatasetError, IdentityError, LogRunError, NetworkError);

impl From<LanguageRunError> for Failure {
    fn from(error: LanguageRunError) -> Self {
        let exit = match error {
            LanguageRunError::Language(_) | LanguageRunError::Statement(_) => Exit::Mismatch,
            _ => Exit::Error,
        };
        let hint = error.hint();
        Self { error: error.into(), hint: Some(hint), exit }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let hint = match error {
            FileError::Damaged { .. } => "the file was changed after it was written: export it again",
            _ => "make one with `assay certificate export ID -o FILE`",
        };
        Self { error: error.into(), hint: Some(hint.to_owned()), exit: Exit::Mismatch }
    }
}

impl From<EnvelopeError> for Failure {
    fn from(error: EnvelopeError) -> Self {
        let hint = Some(error.hint().to_owned());
        Self { error: error.into(), hint, exit: Exit::Mismatch }
    }
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        let hint =
            "the file was changed after it was made, or belongs to another log; docs/log.md describes both";
        Self { error: error.into(), hint: Some(hint.to_owned()), exit: Exit::Mismatch }
    }
}

impl From<PrivateError> for Failure {
    fn from(error: PrivateError) -> Self {
        let hint = error.hint();
        let exit = match error {
            PrivateError::Proof(ProofError::NoSample { .. }) => Exit::Error,
            PrivateError::Proof(_) => Exit::Mismatch,
            _ => Exit::Error,
        };
        Self { error: error.into(), hint: Some(hint), exit }
    }
}

impl From<ProofError> for Failure {
    fn from(error: ProofError) -> Self {
        PrivateError::from(error).into()
    }
}

impl From<RerunError> for Failure {
    fn from(error: RerunError) -> Self {
        let (hint, exit) = match error {
            RerunError::OtherPart { .. } => (
                "the canister or the node gave something else than the certificate names; do not trust it",
                Exit::Mismatch,
            ),
            RerunError::Proof(_) | RerunError::NoProof => {
                ("the proof behind the certificate does not hold; do not rely on it", Exit::Mismatch)
            }
            RerunError::Log(_) | RerunError::NoLog => {
                ("the log behind the certificate does not hold; do not rely on it", Exit::Mismatch)
            }
            RerunError::NoSeed(_) => ("only a completed audit can be run again", Exit::Error),
            RerunError::Audit { .. } => (
                "the same step succeeded in the canister: its code differs from this program's",
                Exit::Mismatch,
            ),
        };
        Self { error: error.into(), hint: Some(hint.to_owned()), exit }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        let hint = match error {
            ImportError::BelowBound { .. } => {
                "the integer model decides too often otherwise than the ONNX model; see also --bound and --margin"
            }
            _ => "docs/import.md lists what can be imported; `assay model import --help` the choices",
        };
        Self { error: error.into(), hint: Some(hint.to_owned()), exit: Exit::Error }
    }
}
