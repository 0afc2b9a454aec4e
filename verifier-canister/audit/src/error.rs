use crate::Digest;

/// Why bytes, a model, a dataset or a request cannot be used. Nothing has changed when one is returned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// The input ends before `what` is complete.
    #[error("truncated: {what} needs {expected} bytes, {got} are left")]
    Truncated {
        /// The field being read.
        what: &'static str,
        /// Bytes the field needs.
        expected: u64,
        /// Bytes that are left.
        got: u64,
    },
    /// Bytes follow where the encoding ends.
    #[error("{got} trailing bytes after {what}")]
    Trailing {
        /// What was read completely.
        what: &'static str,
        /// Bytes left over.
        got: u64,
    },
    /// The first eight bytes name another format or version.
    #[error("not {what}: the first 8 bytes are {got:?}, expected {expected:?}")]
    WrongMagic {
        /// The format expected here.
        what: &'static str,
        /// Its magic.
        expected: [u8; 8],
        /// What stands there.
        got: [u8; 8],
    },
    /// A value lies outside its allowed range.
    #[error("{what} is {got}, allowed are {min} to {max}")]
    OutOfRange {
        /// The value's name.
        what: &'static str,
        /// Smallest allowed value.
        min: i64,
        /// Largest allowed value.
        max: i64,
        /// The value.
        got: i64,
    },
    /// A text is empty or too long.
    #[error("{what} has {got} bytes, allowed are 1 to {max}")]
    TextLength {
        /// The text's name.
        what: &'static str,
        /// Largest allowed length.
        max: u64,
        /// The length.
        got: u64,
    },
    /// A text is not UTF-8, or holds characters that are not seen or not what they look like.
    #[error("{what} is not printable UTF-8 text")]
    NotText {
        /// The text's name.
        what: &'static str,
    },
    /// Two entries that must differ have the same name.
    #[error("{what} {name:?} appears twice")]
    Duplicate {
        /// The kind of entry.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Two shapes that must agree do not.
    #[error("{what}: expected {expected}, got {got}")]
    Mismatch {
        /// What is compared.
        what: &'static str,
        /// The expected value.
        expected: u64,
        /// The value found.
        got: u64,
    },
    /// The model was made for another feature encoding or other classes than the dataset's.
    #[error("the model expects feature encoding {expected}, the dataset has {got}")]
    WrongEncoding {
        /// The encoding the model was imported for.
        expected: Digest,
        /// The dataset's encoding.
        got: Digest,
    },
    /// A decimal number is malformed or has too many digits.
    #[error("{0:?} is not a decimal number with at most 9 digits on either side of the point")]
    NotDecimal(String),
    /// A pre-activation left the activation's table; see [`crate::engine::OutOfTable`].
    #[error("sample {sample}: {cause}")]
    OutOfTable {
        /// Row of the dataset.
        sample: u32,
        /// Layer, unit and value.
        cause: crate::engine::OutOfTable,
    },
    /// A fraction is malformed, too long or has denominator zero.
    #[error("{0:?} is not a fraction: write 4/5, 0.8 or 1")]
    NotFraction(String),
    /// No metric has this id.
    #[error("no metric is called {0:?}; docs/metrics.md lists them")]
    UnknownMetric(String),
    /// A JSON text is malformed, or lacks a field, or has one that it must not have.
    #[error("{what}: {cause}")]
    Json {
        /// What the text should be.
        what: &'static str,
        /// The reader's message.
        cause: String,
    },
    /// A JSON text says the right thing in another spelling than the canonical one, so its digest differs.
    #[error("{what} is not in canonical form")]
    NotCanonical {
        /// What the text should be.
        what: &'static str,
    },
    /// A name refers to nothing.
    #[error("there is no {what} {name:?}")]
    Unknown {
        /// What the name should name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A certificate holds something that does not follow from its own counts, policy and facts.
    #[error("the certificate says {got} at {path}, its counts give {expected}")]
    Differs {
        /// Where in the JSON, e.g. `predicate.criteria[0].value`.
        path: String,
        /// What follows from the counts.
        expected: String,
        /// What it says.
        got: String,
    },
    /// A policy or a metric's arguments do not fit the dataset.
    #[error("{0}")]
    Policy(String),
}
