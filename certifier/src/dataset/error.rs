use std::{io, path::PathBuf};

use audit::{AuditError, Digest};

/// Why a dataset folder cannot be used. Names file, line and column, and [`DatasetError::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A file cannot be opened or read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// A file is larger than this program reads.
    #[error("{} has more than {max} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Most bytes allowed.
        max: u64,
    },
    /// The manifest is not JSON, or its `assay:audit` block has another shape than specified.
    #[error("{}: {cause}", path.display())]
    Json {
        /// The manifest.
        path: PathBuf,
        /// Line, column and problem.
        cause: serde_json::Error,
    },
    /// The manifest is well-formed but contradicts itself.
    #[error("{}, {place}: {problem}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// The entry, e.g. `attributes[0].groups[1]`.
        place: String,
        /// What is wrong with it.
        problem: ManifestProblem,
    },
    /// The table is not the one that the manifest describes.
    #[error("{} has SHA-256 {got}, the manifest says {expected}", path.display())]
    WrongDigest {
        /// The table.
        path: PathBuf,
        /// What the manifest says.
        expected: Digest,
        /// What was computed.
        got: Digest,
    },
    /// The table's header line lacks a column or repeats one.
    #[error("{}, line 1: {problem}", path.display())]
    Header {
        /// The table.
        path: PathBuf,
        /// What is wrong with it.
        problem: HeaderProblem,
    },
    /// A line of the table cannot be read as a row.
    #[error("{}, line {line}: {problem}", path.display())]
    Row {
        /// The table.
        path: PathBuf,
        /// Line, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A value does not fit the manifest.
    #[error("{}, line {line}, column {column:?}: {problem}", path.display())]
    Cell {
        /// The table.
        path: PathBuf,
        /// Line, counted from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// The value and what is wrong with it.
        problem: Box<CellProblem>,
    },
    /// The audit's own bounds.
    #[error("{}: {cause}", path.display())]
    Audit {
        /// The manifest.
        path: PathBuf,
        /// The bound.
        cause: AuditError,
    },
}

/// What is wrong with an entry of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestProblem {
    /// A version that this program does not know.
    #[error("version {0} is not supported, expected 1")]
    Version(u64),
    /// The file's name leads out of the folder.
    #[error("{0:?} is not the plain name of a file in the same folder")]
    NotAFileName(String),
    /// No digest to check the table with.
    #[error("no entry named {0:?} with a sha256")]
    NoDigest(String),
    /// A digest that is not 64 hex digits.
    #[error("sha256 {0:?} is not 64 hex digits")]
    NotADigest(String),
    /// Classes and raw values differ in number.
    #[error("{classes} classes, but {values} values")]
    ClassCount {
        /// Number of class names.
        classes: usize,
        /// Number of raw values.
        values: usize,
    },
    /// The favourable class is not a class.
    #[error("the favourable class {got:?} is not one of {classes:?}")]
    NotAClass {
        /// What the manifest names.
        got: String,
        /// The classes.
        classes: Vec<String>,
    },
    /// A group has no rule or several.
    #[error("a group needs exactly one of `values`, `from`/`below` and `other`, this one has {0}")]
    GroupRule(usize),
    /// A value, or a mark that only one entry may have, stands in two places.
    #[error("{0} appears more than once")]
    Twice(String),
    /// A feature has no encoding or two.
    #[error("a feature needs exactly one of `numeric` and `one_hot`, this one has {0}")]
    FeatureRule(usize),
    /// A field that does not belong to this kind of entry.
    #[error("`{field}` has no meaning {context}")]
    Meaningless {
        /// The field.
        field: &'static str,
        /// Where it stands.
        context: &'static str,
    },
    /// A range that is empty.
    #[error("the range from {from} to {to} is empty")]
    EmptyRange {
        /// Its start.
        from: String,
        /// Its end.
        to: String,
    },
    /// A scale that is not positive.
    #[error("the scale {0} is not positive")]
    Scale(String),
    /// A one-hot feature whose entry would not fit.
    #[error("the scale {0} is not a whole number from 1 to 32767")]
    OneHotScale(String),
    /// A list without entries.
    #[error("the list is empty")]
    Empty,
}

/// What is wrong with the table's header line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderProblem {
    /// A column that the manifest names is not there.
    #[error("no column {column:?}; the columns are {found:?}")]
    Missing {
        /// The column.
        column: String,
        /// What the line holds, at most the first 40.
        found: Vec<String>,
    },
    /// A column's name appears twice.
    #[error("the column {0:?} appears twice")]
    Twice(String),
}

/// What is wrong with one value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CellProblem {
    /// Not a decimal number.
    #[error("{0:?} is not a decimal number with at most 9 digits on either side of the point")]
    NotDecimal(String),
    /// The encoded number does not fit.
    #[error("{value} becomes {encoded} as ({value} - {offset}) * {scale}, outside -32767 to 32767")]
    OutOfRange {
        /// The raw value.
        value: String,
        /// The integer it would become.
        encoded: i128,
        /// The feature's offset.
        offset: String,
        /// The feature's scale.
        scale: String,
    },
    /// A value that the one-hot feature does not list.
    #[error("{value:?} is not one of the listed values {listed:?}")]
    NotListed {
        /// The raw value.
        value: String,
        /// What is listed, at most the first 40.
        listed: Vec<String>,
    },
    /// A label that belongs to no class.
    #[error("the label {value:?} is not one of {listed:?}")]
    NotALabel {
        /// The raw value.
        value: String,
        /// The raw values of the classes.
        listed: Vec<String>,
    },
    /// A value in no group or more than one.
    #[error("{value:?} is in {count} groups of the attribute {attribute:?}{}, expected exactly one", names(.groups))]
    Groups {
        /// The raw value.
        value: String,
        /// The attribute.
        attribute: String,
        /// How many groups claim it.
        count: usize,
        /// Their names.
        groups: Vec<String>,
    },
    /// Longer than any value may be.
    #[error("the value has {0} bytes, allowed are {max}", max = super::MAX_FIELD)]
    TooLong(usize),
}

fn names(groups: &[String]) -> String {
    if groups.is_empty() { String::new() } else { format!(" ({})", groups.join(", ")) }
}

impl DatasetError {
    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Read { cause, .. } if cause.kind() == io::ErrorKind::NotFound => {
                "a dataset is a folder with croissant.json and the table that its assay:audit block names"
                    .into()
            }
            Self::Read { .. } => "check that the path is right and the file readable".into(),
            Self::TooLarge { .. } => {
                "split the dataset, or keep only the columns that the manifest names".into()
            }
            Self::Json { .. } => {
                "datasets/README.md describes the assay:audit block; numbers are decimal strings".into()
            }
            Self::Manifest { problem, .. } => problem.hint().into(),
            Self::WrongDigest { .. } => {
                "the table was changed after the manifest was written: restore it, or update `sha256` under \
                 `distribution` if the change is meant"
                    .into()
            }
            Self::Header { problem: HeaderProblem::Missing { .. }, .. } => {
                "names are compared exactly; the first line of the table must be its header".into()
            }
            Self::Header { .. } => "rename one of the two".into(),
            Self::Row { .. } => {
                "tables are UTF-8, comma separated, with as many fields in each line as in the header".into()
            }
            Self::Cell { problem, .. } => problem.hint(),
            Self::Audit { .. } => "docs/formats.md lists the bounds of a dataset".into(),
        }
    }
}

impl ManifestProblem {
    fn hint(&self) -> &'static str {
        match self {
            Self::Version(_) => "use \"version\": 1, or a newer assay",
            Self::NotAFileName(_) => "put the table beside croissant.json and name it without a folder",
            Self::NoDigest(_) | Self::NotADigest(_) => {
                "add the table to `distribution` with its name and the sha256 that `sha256sum` prints"
            }
            Self::ClassCount { .. } => "`values` lists one raw value for each class, in the same order",
            Self::NotAClass { .. } => "`favourable` is one of the names in `classes`",
            Self::GroupRule(_) => "e.g. {\"name\": \"young\", \"below\": \"26\"}",
            Self::Twice(_) => {
                "each value belongs to one entry; at most one group is `reference`, one is `other`"
            }
            Self::FeatureRule(_) => "e.g. \"numeric\": {\"offset\": \"35.5\", \"scale\": \"360\"}",
            Self::Meaningless { .. } => "remove the field",
            Self::EmptyRange { .. } => "the first number must be smaller than the second",
            Self::Scale(_) => "a scale is the number of integer steps per raw unit, greater than 0",
            Self::OneHotScale(_) => {
                "a one-hot entry is 0 or the scale, which must be a whole number up to 32767"
            }
            Self::Empty => "add at least one entry",
        }
    }
}

impl CellProblem {
    fn hint(&self) -> String {
        match self {
            Self::NotDecimal(value) if value.trim().is_empty() => {
                "the cell is empty: fill it in, or drop the row and update the digest".into()
            }
            Self::NotDecimal(value) if value.trim() != value => "remove the blanks around the number".into(),
            Self::NotDecimal(_) => "write numbers as -12.5, without exponent or thousands separator".into(),
            Self::OutOfRange { .. } => "choose a smaller `scale`, or limit the raw value with `clamp`".into(),
            Self::NotListed { .. } => {
                "add the value to `one_hot`, or set \"other\": true so that it becomes all zeros".into()
            }
            Self::NotALabel { .. } => "each label must be one of the raw `values` of the label".into(),
            Self::Groups { count: 0, .. } => {
                "add the value to a group, or add a group with \"other\": true for everything else".into()
            }
            Self::Groups { .. } => "make the groups' rules exclude each other".into(),
            Self::TooLong(_) => "a quote may be missing, so that several lines read as one field".into(),
        }
    }
}
