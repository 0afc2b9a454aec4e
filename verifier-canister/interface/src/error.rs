use audit::AuditError;
use candid::CandidType;
use serde::Deserialize;

use crate::DigestBytes;

/// Why a call was refused. The canister's state is as it was before the call.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, thiserror::Error)]
pub enum Error {
    /// The caller did not sign in.
    #[error("the anonymous caller may only read")]
    Anonymous,
    /// The caller lacks the role or is not the owner.
    #[error("not allowed: {needed} is needed")]
    NotAllowed {
        /// Who may do it.
        needed: String,
    },
    /// Nothing is stored under this name.
    #[error("there is no {what} {id}")]
    NotFound {
        /// Kind of thing.
        what: String,
        /// How it was named.
        id: String,
    },
    /// These bytes are registered already.
    #[error("{what} {digest} is registered already")]
    AlreadyRegistered {
        /// `dataset` or `model`.
        what: String,
        /// Digest of the bytes.
        digest: DigestBytes,
    },
    /// A quota of the caller, or of the whole canister, is used up; see `limits`.
    #[error("quota {quota} is used up: {used} of {limit}, {requested} more requested")]
    QuotaExceeded {
        /// Field of [`crate::Quotas`].
        quota: String,
        /// The quota.
        limit: u64,
        /// Used so far.
        used: u64,
        /// What the call would add.
        requested: u64,
    },
    /// Something is longer than a fixed limit.
    #[error("{what} is too large: {got}, allowed are {max}")]
    TooLarge {
        /// What was measured.
        what: String,
        /// The limit.
        max: u64,
        /// The size.
        got: u64,
    },
    /// A number lies outside its allowed range.
    #[error("{what} is {got}, allowed are {min} to {max}")]
    OutOfRange {
        /// The number's name.
        what: String,
        /// Smallest allowed value.
        min: u64,
        /// Largest allowed value.
        max: u64,
        /// The number.
        got: u64,
    },
    /// The request is not the Candid value that the method takes.
    #[error("malformed request: {message}")]
    Malformed {
        /// What is wrong.
        message: String,
    },
    /// A dataset, model or policy was read and refused by its own rules.
    #[error("invalid {what}: {message}")]
    Invalid {
        /// `dataset`, `model`, `policy` or `reason`.
        what: String,
        /// What is wrong, and where.
        message: String,
    },
    /// The uploaded bytes are not those that were announced; put the wrong chunks again, or abort.
    #[error("the uploaded bytes have digest {got}, announced was {expected}")]
    DigestMismatch {
        /// Announced with `begin_upload`.
        expected: DigestBytes,
        /// Computed from the bytes.
        got: DigestBytes,
    },
    /// A chunk has another length than its place demands.
    #[error("chunk {index} must have {expected} bytes, it has {got}")]
    WrongChunk {
        /// The chunk.
        index: u32,
        /// Bytes it must have.
        expected: u32,
        /// Bytes it has.
        got: u32,
    },
    /// Chunks are missing.
    #[error("{missing} chunks are missing, the first is {first}")]
    Incomplete {
        /// How many.
        missing: u32,
        /// Index of the first.
        first: u32,
    },
    /// The upload was begun with another size.
    #[error("this upload was begun with {expected} bytes, not {got}; abort it first")]
    WrongSize {
        /// Bytes announced.
        expected: u64,
        /// Bytes asked for now.
        got: u64,
    },
    /// The model was made for another feature encoding than the dataset's.
    #[error("the model expects feature encoding {expected}, the dataset has {got}")]
    WrongEncoding {
        /// The model's.
        expected: DigestBytes,
        /// The dataset's.
        got: DigestBytes,
    },
    /// The thing exists, but not in a state in which this can be done.
    #[error("{what} is {state}; it must be {needed}")]
    WrongState {
        /// The thing.
        what: String,
        /// Its state.
        state: String,
        /// The state needed.
        needed: String,
    },
    /// The canister cannot read its own memory; its controllers must look at it.
    #[error("the canister cannot read its own memory: {message}")]
    Internal {
        /// What failed.
        message: String,
    },
    /// A reason that this version of the interface does not name.
    #[error("{message} (code {code})")]
    Other {
        /// Number of the reason.
        code: u32,
        /// The reason.
        message: String,
    },
}

impl Error {
    /// `NotAllowed`, naming who may.
    pub fn not_allowed(needed: &str) -> Self {
        Self::NotAllowed { needed: needed.to_owned() }
    }

    /// `NotFound`.
    pub fn not_found(what: &str, id: impl ToString) -> Self {
        Self::NotFound { what: what.to_owned(), id: id.to_string() }
    }

    /// `Invalid`, from what `audit` says about `what`.
    pub fn invalid(what: &str, cause: &AuditError) -> Self {
        Self::Invalid { what: what.to_owned(), message: cause.to_string() }
    }

    /// `Internal`.
    pub fn internal(message: impl ToString) -> Self {
        Self::Internal { message: message.to_string() }
    }
}
