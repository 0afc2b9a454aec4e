//! Language models: asks an OpenAI-compatible endpoint, or a model on this computer, every prompt of an item set, and
//! writes a prediction log.
//!
//! What is asked, what counts as an answer and what the answers add up to is `audit::language`'s. Here are the folder of
//! an item set ([`read_items`]), the endpoint with its limits, the [`Local`] model, a journal that survives a crash, and
//! [`run()`], which ends with a folder that [`crate::log`] signs and opens.

mod again;
mod ask;
mod calls;
mod check;
mod endpoint;
mod error;
mod items;
mod journal;
mod limits;
mod local;
mod reply;
mod report;
mod run;

pub use again::{Asked, Decided, Reran};
pub use calls::is_unlikely;
pub use check::{Items, WrongTranscript};
pub use endpoint::{Endpoint, EndpointOptions, MAX_BODY, checked};
pub use error::LanguageRunError;
pub use items::read_items;
pub use limits::{Limits, MAX_ATTEMPTS, MAX_CONCURRENCY};
pub use local::{Local, LocalFiles, NoAnswer};
pub use report::{Conversation, Report, report_folder, report_statement};
pub use run::{Ended, Job, Progress, Respondent, decision, run};
