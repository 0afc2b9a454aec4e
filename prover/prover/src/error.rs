use audit::engine::EngineError;
use verifier::VerifyError;

/// Why nothing was proved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    /// Statement or set-up.
    #[error(transparent)]
    Statement(#[from] VerifyError),
    /// The model cannot be run on a sample.
    #[error("sample {sample}: {cause}")]
    Sample {
        /// Position in the statement, from 0.
        sample: usize,
        /// What happened.
        cause: EngineError,
    },
    /// The weights are not those of the commitment, or the claim is false.
    #[error("{0}")]
    False(&'static str),
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness")]
    NoRandomness,
    /// The closing proof could not be made.
    #[error("the closing proof could not be made: {0}")]
    Closing(String),
}
