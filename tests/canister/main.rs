//! What the canister promises, through the public HTTP interface of an embedded node.

mod audits;
mod envelope;
mod findings;
mod gateway;
mod language;
mod local_model;
mod logs;
mod main_path;
mod private;
mod restarts;
mod rights;
mod uploads;
