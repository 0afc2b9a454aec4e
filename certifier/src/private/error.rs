use std::{io, path::PathBuf};

use check::proof::ProofError;
use prover::ProveError;
use verifier::VerifyError;

/// Why a private model or a proof cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// A file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// A file cannot be made.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// Not a secret that `assay model register --private` made.
    #[error("{} holds no model secret", .0.display())]
    NotASecret(PathBuf),
    /// Others than the owner may read the secret.
    #[error("{} is readable by others (mode {mode:03o})", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Weights and secret do not open the registered commitment.
    #[error("this model with this secret is not the registered one")]
    OtherModel,
    /// The audit cannot be proved (yet).
    #[error("audit {id} is {state}")]
    NotAwaiting {
        /// The audit.
        id: u64,
        /// Its state.
        state: &'static str,
    },
    /// A package or a proof does not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// No proof could be made.
    #[error(transparent)]
    Prove(#[from] ProveError),
}

impl From<VerifyError> for PrivateError {
    fn from(cause: VerifyError) -> Self {
        Self::Proof(cause.into())
    }
}

impl PrivateError {
    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Read { .. } => "`assay model register --private` writes secret and package beside the model, `assay infer --prove -o` a \
                 prediction"
                    .to_owned(),
            Self::Write { cause, .. } if cause.kind() == io::ErrorKind::AlreadyExists => {
                "a secret is never overwritten: choose another --secret, or use the existing one".to_owned()
            }
            Self::Write { .. } => "check that the folder exists and is writable".to_owned(),
            Self::NotASecret(_) => "`assay model register --private` makes one".to_owned(),
            Self::Exposed { path, .. } => {
                format!("`chmod 600 {}`: with weights and secret, anyone can make proofs", path.display())
            }
            Self::Proof(ProofError::NotAPrediction(_)) => "`assay infer --prove` makes one".to_owned(),
            Self::Proof(ProofError::NotAProof(_)) => "`assay prove` makes one".to_owned(),
            Self::OtherModel => "pass --model and --secret of this very registration".to_owned(),
            Self::NotAwaiting { id, .. } | Self::Proof(ProofError::NoSample { id, .. }) => format!("`assay audit status {id}` says how it stands"),
            Self::Proof(_) => "do not rely on it".to_owned(),
            Self::Prove(ProveError::Sample { .. }) => {
                "a value left its table: import the model with a larger --margin or more --activation-bits"
                    .to_owned()
            }
            Self::Prove(_) => "check that model and secret are those of the registration".to_owned(),
        }
    }
}
