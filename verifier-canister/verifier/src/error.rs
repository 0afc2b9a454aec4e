use std::fmt;

use audit::AuditError;

/// The step of verification that a proof did not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Lookup sumcheck: tables, requantization and activations.
    Lookups,
    /// Sample sumcheck: layer equations, decisions and counts.
    Samples,
    /// Contraction sumcheck: products of activations and weights.
    Contraction,
    /// Range of weights and bias limbs.
    WeightRange,
    /// Batch opening of all claims.
    Opening,
    /// The closing proof's first commitments are not the combined ones.
    ClosingCommitments,
    /// The closing proof itself.
    Closing,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lookups => "lookups (tables, requantization, activations)",
            Self::Samples => "samples (layer equations, decisions, counts)",
            Self::Contraction => "contraction (products of activations and weights)",
            Self::WeightRange => "range of weights",
            Self::Opening => "batch opening",
            Self::ClosingCommitments => "commitments of the closing proof",
            Self::Closing => "closing proof",
        })
    }
}

/// Why a statement or a proof is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A size or value of the public statement is outside its bounds.
    #[error("statement: {what} is {got}, allowed are {min} to {max}")]
    Statement {
        /// The value's name.
        what: &'static str,
        /// Smallest allowed value.
        min: i64,
        /// Largest allowed value.
        max: i64,
        /// The value.
        got: i64,
    },
    /// The model was not made for the dataset.
    #[error("the model does not fit the dataset: {0}")]
    Misfit(AuditError),
    /// The proof has another length than the statement gives it.
    #[error("the proof has {got} bytes, this statement's proof has {expected}")]
    Length {
        /// Bytes that a proof of this statement has.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// Bytes that are not a canonical point or scalar.
    #[error("the proof holds an invalid {what} at byte {at}")]
    Encoding {
        /// `point` or `scalar`.
        what: &'static str,
        /// Where it starts.
        at: usize,
    },
    /// A check failed.
    #[error("the proof does not hold: {0}")]
    Failed(Check),
    /// Generators or keys cannot be built; says nothing about the proof.
    #[error("set-up: {0}")]
    Setup(&'static str),
}

// Not by `#[from]`: the message says the cause already.
impl From<AuditError> for VerifyError {
    fn from(cause: AuditError) -> Self {
        Self::Misfit(cause)
    }
}

/// Fails unless `min <= got <= max`.
pub(crate) fn in_range(what: &'static str, min: i64, max: i64, got: i64) -> Result<(), VerifyError> {
    if got < min || got > max {
        return Err(VerifyError::Statement { what, min, max, got });
    }
    Ok(())
}
