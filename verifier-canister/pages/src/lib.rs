//! What people see of the verifier canister: pure functions from records to HTML, SVG and JSON.
//!
//! Nothing here decides anything, reads a clock or keeps state: the same records give the same bytes, so that a page
//! can be certified when its records change and made again when it is asked for. Numbers are shown as the certificate
//! states them; coordinates of charts are whole numbers. All text of others is escaped by the template macro.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

mod about;
mod answers;
pub mod assets;
mod assurance;
mod badge;
mod certificate;
mod chart;
mod comparisons;
mod dataset;
mod figures;
mod list;
mod logged;
mod manifest;
pub mod measure;
mod model;
mod notice;
mod path;
mod ranking;
mod report;
mod search;
mod shell;
mod standing;
mod start;
mod text;

pub use about::about;
pub use badge::badge;
pub use certificate::certificate;
pub use dataset::dataset;
pub use list::{certificates, rows_per_page};
pub use measure::{Measure, Score, Scores};
pub use model::{ModelView, model};
pub use notice::{Notice, notice};
pub use path::Page;
pub use ranking::{Entry, ranking};
pub use report::{Check, Inequality, Report, report};
pub use search::{Found, search};
pub use shell::{Origins, Site};
pub use standing::Standing;
pub use start::{Start, start};
pub use text::over;
