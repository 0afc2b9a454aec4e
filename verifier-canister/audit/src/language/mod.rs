//! Audits of language models: what is asked, what counts as an answer, and what the answers add up to.
//!
//! An item set is a dataset whose manifest names two kinds of files by digest: the items (texts and options, one per
//! row) and the prompt templates. [`ItemSet`] holds all of it, checked against each other. An endpoint is asked
//! [`ItemSet::prompt`]; [`answer::parse`] turns an answer into an option or says why it is none, or [`likelihood::choose`]
//! takes the option that a local model finds likeliest; [`Transcript`] keeps
//! every prompt, answer, outcome and error of an item. A transcript is the output of a record of a prediction log
//! ([`crate::log`]), its class the record's, and [`ItemSet::check_opening`] decides whether they belong together.
//!
//! Nothing is left out: the last two classes of an item set are [`INVALID`] and [`FAILED`], so an answer that cannot be
//! read and a question that got none are counted like any other. `docs/language.md` specifies every byte.

pub mod answer;
mod error;
mod facts;
mod items;
pub mod likelihood;
mod manifest;
mod measure;
mod shuffle;
mod template;
mod transcript;

pub use error::LanguageError;
pub use facts::{
    EndpointFacts, LanguageFacts, LanguageModel, LocalFacts, ShuffleFacts, TemplateFacts, TokenField,
    is_base_url,
};
pub use items::{Item, ItemSet};
pub use manifest::{FileFacts, Kind, Plan, Varied};
pub use measure::{Measure, Missing, NoValue, measures};
pub use shuffle::{SHUFFLE_RULE, order};
pub use template::{TEMPLATE_FORMAT, Template};
pub use transcript::{Answer, Call, Parsed, TRANSCRIPT_FORMAT, Transcript};

/// Name of the last class but one: an answer that is none of the options.
pub const INVALID: &str = "invalid";
/// Name of the last class: no answer after all attempts.
pub const FAILED: &str = "failed";

/// Index of the class of a counterfactual whose answers differ.
pub const CHANGED: u8 = 2;

/// Longest file of items, in bytes.
pub const MAX_ITEMS_FILE: usize = 32 << 20;
/// Longest template file, in bytes.
pub const MAX_TEMPLATE: usize = 8 << 10;
/// Longest prompt, in bytes.
pub const MAX_PROMPT: usize = 16 << 10;
/// Longest text before or behind every prompt of a local model, in bytes.
pub const MAX_AROUND: usize = 1 << 10;
/// Most bytes of an answer that are kept; a longer one is cut and counts as invalid.
pub const MAX_ANSWER: usize = 16 << 10;
/// Most values of a varied field: so often is an item asked.
pub const MAX_VARIANTS: usize = 8;
/// Most options of an item: one letter each.
pub const MAX_OPTIONS: usize = 26;
/// Most failed attempts that a call keeps.
pub const MAX_ERRORS: usize = 32;
/// Longest message of a failed attempt, in bytes.
pub const MAX_ERROR: usize = 256;
/// Longest transcript, in bytes: all prompts and answers with every byte escaped.
pub const MAX_TRANSCRIPT: usize = 2 << 20;
