use std::path::PathBuf;

use certifier::identity;
use clap::Subcommand;
use serde_json::json;

use crate::{
    arguments::Global,
    failure::{Exit, Failure, Result},
    output::Output,
    session,
};

#[derive(Subcommand)]
pub enum IdentityCommand {
    /// Make an Ed25519 key in a new PEM file that only you can read
    #[command(after_help = "Example:\n  assay identity new ~/.config/assay.pem")]
    New {
        /// File to make; an existing one is never overwritten
        file: PathBuf,
    },
    /// Show the principal of a key
    Show {
        /// PEM file; by default the key that calls are signed with
        file: Option<PathBuf>,
    },
}

pub fn run(global: &Global, command: IdentityCommand, output: Output) -> Result<Exit> {
    let (identity, file) = match command {
        IdentityCommand::New { file } => {
            let identity = identity::create(&file)?;
            output.note(format!("made {}; whoever has this file is this principal", file.display()));
            (identity, Some(file))
        }
        IdentityCommand::Show { file: Some(file) } => (identity::load(&file)?, Some(file)),
        IdentityCommand::Show { file: None } => (session::caller(global)?, global.identity.clone()),
    };
    let principal = identity.sender().map_err(|cause| Failure::new(cause, "make a new key"))?.to_text();
    output.result(&json!({ "principal": principal, "file": file }), || principal.clone())?;
    Ok(Exit::Ok)
}
