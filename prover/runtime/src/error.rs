use std::path::PathBuf;

use import::ImportError;

use crate::Device;

/// Why a model cannot be run, or not as asked.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// A device was asked for, but there is no ONNX Runtime.
    #[error("a device was asked for, but there is no ONNX Runtime library")]
    NoLibrary,
    /// The named library is not there or cannot be read.
    #[error("cannot read the library {}: {cause}", path.display())]
    Library {
        /// The path.
        path: PathBuf,
        /// What the operating system says.
        cause: std::io::Error,
    },
    /// The library is not a usable ONNX Runtime.
    #[error("{} is no ONNX Runtime that can be used: {cause}", path.display())]
    Load {
        /// The path.
        path: PathBuf,
        /// What went wrong.
        cause: String,
    },
    /// A process can load one library only.
    #[error("ONNX Runtime was loaded from {} before", .0.display())]
    OtherLibrary(PathBuf),
    /// The device cannot run the model, or is not there.
    #[error("{device} cannot run this model here: {cause}")]
    Device {
        /// The device.
        device: Device,
        /// What ONNX Runtime says.
        cause: String,
    },
    /// ONNX Runtime refuses the model or the rows.
    #[error("ONNX Runtime: {0}")]
    OnnxRuntime(String),
    /// The embedded runtime cannot run the model.
    #[error("the embedded runtime cannot run the model: {0}")]
    Embedded(String),
    /// The model's input is not one that rows fit in, or its labels are not the dataset's classes.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The model does not have one input of numbers.
    #[error("the model has {0}; one input of numbers is needed")]
    Input(String),
    /// The model takes whole numbers, and a row has another one.
    #[error("the model takes whole numbers of its type, and a row has {0}")]
    NotWhole(f32),
    /// The model's shape fixes the number of rows.
    #[error("the model takes exactly {got} rows at once")]
    FixedBatch {
        /// As many as its input says.
        got: u64,
    },
    /// A language model needs ONNX Runtime.
    #[error("language models are run by ONNX Runtime, and there is no library of it")]
    NoLanguageLibrary,
    /// The embedded runtime has no language models.
    #[error("the embedded runtime does not run language models")]
    EmbeddedLanguage,
    /// A text has too many tokens.
    #[error("a text of {got} tokens; at most {max} are run")]
    TooLong {
        /// The most.
        max: usize,
        /// How many it has.
        got: usize,
    },
    /// ONNX Runtime cannot run a text.
    #[error("a text of {tokens} tokens cannot be run: {cause}")]
    NotRun {
        /// Its length.
        tokens: usize,
        /// What ONNX Runtime says.
        cause: String,
    },
    /// The tokenizer's file cannot be read.
    #[error("the tokenizer: {0}")]
    Tokenizer(String),
    /// The model is not a causal language model as they are exported.
    #[error("no causal language model: {0}")]
    NotLanguage(String),
    /// The tokenizer does not tell endings apart.
    #[error("the tokenizer does not tell the letters behind a text apart: the tokens of one begin another's")]
    Endings,
    /// None of the outputs is a label or scores.
    #[error("none of the outputs decides: {0}")]
    NoDecision(String),
    /// The decision is one score, and it is not known what to compare it with.
    #[error("output {0:?} is a single score, and nothing says what it is compared with")]
    NoThreshold(String),
    /// An output has another size or type than it had for the first row.
    #[error("{what}: expected {expected}, got {got}")]
    Shape {
        /// What is wrong.
        what: &'static str,
        /// The expected number.
        expected: u64,
        /// The number found.
        got: u64,
    },
    /// A score is not a number.
    #[error("a score of row {0} of the batch is not a number")]
    NotANumber(usize),
}

impl RuntimeError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoLibrary => {
                "pass --runtime-library FILE, or fetch one with `cargo xtask onnx-runtime`; without --device the embedded runtime is used"
            }
            Self::Library { .. } | Self::Load { .. } | Self::OtherLibrary(_) => {
                "pass the path of libonnxruntime (version 1.21 or newer) with --runtime-library"
            }
            Self::Device { .. } => {
                "pass a library built for it with --runtime-library, or --allow-fallback to let the CPU compute what it cannot"
            }
            Self::EmbeddedLanguage => "leave --embedded out; `cargo xtask onnx-runtime` fetches ONNX Runtime",
            Self::NotRun { .. } => {
                "it may be longer than the model takes, or the tokenizer another model's, or the device out of memory"
            }
            Self::TooLong { .. } => "docs/language.md says how long a text may be",
            Self::NoLanguageLibrary => {
                "pass --runtime-library FILE, or fetch one with `cargo xtask onnx-runtime`"
            }
            Self::Tokenizer(_) => "pass the tokenizer.json that belongs to the model with --tokenizer",
            Self::NotLanguage(_) => {
                "export it with input_ids in and logits out, as for text generation; docs/language.md says which inputs are known"
            }
            Self::Endings => "end --after with a blank or a line break, or pass the model's own tokenizer",
            Self::FixedBatch { .. } => {
                "pass this number with --batch, and as many rows; or export the model with an open first dimension"
            }
            Self::NoThreshold(_) => "pass --threshold 0.5 for a probability, 0 for a margin",
            Self::NoDecision(_) => "name the output that decides with --decision",
            Self::Import(ImportError::ExternalData { .. }) => {
                "export the model into one file of at most 2 GiB, without external data: its digest must cover all weights"
            }
            Self::Import(_) => {
                "docs/log.md says which models fit; --label LABEL=CLASS maps labels to classes"
            }
            Self::Embedded(_) => "pass --runtime-library FILE: ONNX Runtime runs more models",
            Self::OnnxRuntime(_)
            | Self::Input(_)
            | Self::NotWhole(_)
            | Self::Shape { .. }
            | Self::NotANumber(_) => "docs/log.md says which models fit",
        }
    }
}
