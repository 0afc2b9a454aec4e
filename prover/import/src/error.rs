use crate::Report;

/// Why an ONNX file could not become an integer model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ImportError {
    /// The file ends inside a field.
    #[error("the ONNX file is truncated: at byte {offset} a field needs {expected} bytes, {got} are left")]
    Truncated {
        /// Where the field starts.
        offset: u64,
        /// Bytes the field needs.
        expected: u64,
        /// Bytes that are left.
        got: u64,
    },
    /// The bytes are not an ONNX model.
    #[error("not an ONNX model: {cause}")]
    Malformed {
        /// What was found.
        cause: String,
    },
    /// A size is above what an integer model or the importer allows.
    #[error("{what}: {got}, at most {max} are allowed")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// The largest allowed number.
        max: u64,
        /// The number found.
        got: u64,
    },
    /// A tensor's values lie in another file.
    #[error(
        "tensor {tensor:?} keeps its values in an external file; save the model with all weights in one file"
    )]
    ExternalData {
        /// The tensor's name.
        tensor: String,
    },
    /// A tensor's type, shape or amount of data is wrong.
    #[error("tensor {tensor:?}: {cause}")]
    BadTensor {
        /// The tensor's name.
        tensor: String,
        /// What is wrong.
        cause: String,
    },
    /// A weight is infinite or not a number.
    #[error("{place} holds a value that is infinite or not a number")]
    NonFinite {
        /// The tensor, node or layer.
        place: String,
    },
    /// The model was exported for an operator set that the importer does not know.
    #[error("operator set {domain} {version} is not supported; supported are {min} to {max}")]
    UnsupportedOpset {
        /// The operator set's domain.
        domain: String,
        /// The version asked for.
        version: i64,
        /// First supported version.
        min: i64,
        /// Last supported version.
        max: i64,
    },
    /// A node's operator is not supported.
    #[error(
        "node {index} ({name:?}): operator {operator} of {domain} is not supported; supported are {supported}"
    )]
    UnsupportedOperator {
        /// The node's position in the file, from 0.
        index: usize,
        /// The node's name.
        name: String,
        /// The operator.
        operator: String,
        /// The operator's domain.
        domain: String,
        /// All operators that are.
        supported: String,
    },
    /// A node's operator is supported, but not as it is used here.
    #[error("node {index} ({name:?}), operator {operator}: {reason}")]
    UnsupportedUse {
        /// The node's position in the file, from 0.
        index: usize,
        /// The node's name.
        name: String,
        /// The operator.
        operator: String,
        /// What is not supported, or wrong.
        reason: String,
    },
    /// A value is used that no input, initializer or earlier node makes.
    #[error("{user} reads {value:?}, which nothing before it makes")]
    Undefined {
        /// The node or output that reads it.
        user: String,
        /// The value's name.
        value: String,
    },
    /// The model does not have exactly one input.
    #[error("the model must have one input with all features; it has {}: {}", .names.len(), .names.join(", "))]
    Inputs {
        /// The inputs' names.
        names: Vec<String>,
    },
    /// The input's type or shape cannot hold rows of numbers.
    #[error("input {input:?}: {cause}")]
    BadInput {
        /// The input's name.
        input: String,
        /// What is wrong.
        cause: String,
    },
    /// The model reads another number of features than the dataset has.
    #[error("the model reads {model} features, the dataset has {dataset} feature columns")]
    InputWidth {
        /// Features the model reads.
        model: u64,
        /// Feature columns of the dataset.
        dataset: u64,
    },
    /// The calibration rows belong to another encoding than the schema.
    #[error("the calibration rows have another feature encoding than the schema")]
    WrongCalibration,
    /// No output of the model is a decision.
    #[error("no decision: {cause}")]
    NoDecision {
        /// What the outputs are.
        cause: String,
    },
    /// The model's labels are not the dataset's classes.
    #[error("the model's labels are [{}], the dataset's classes are [{}]: {cause}", .labels.join(", "), .classes.join(", "))]
    Classes {
        /// Labels of the model, in its order.
        labels: Vec<String>,
        /// Classes of the dataset, in index order.
        classes: Vec<String>,
        /// What does not fit.
        cause: String,
    },
    /// An option has a value outside its range.
    #[error("option {option}: {cause}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// The float model could not be run for comparison.
    #[error("the float model could not be run on row {row}: {cause}")]
    Oracle {
        /// Row of the dataset.
        row: u32,
        /// What the runtime said.
        cause: String,
    },
    /// The integer model decides too many rows unlike the float model.
    #[error(
        "the integer model agrees with the float model on {} of {} rows ({:.4} %), the bound is {:.4} %{}",
        .report.equal_decisions, .report.rows, 100.0 * .report.share_equal(), 100.0 * .bound, .report.hint()
    )]
    BelowBound {
        /// The smallest share that is accepted.
        bound: f64,
        /// All figures.
        report: Box<Report>,
    },
    /// The model breaks a rule of the integer format.
    #[error(transparent)]
    Audit(#[from] audit::AuditError),
}
