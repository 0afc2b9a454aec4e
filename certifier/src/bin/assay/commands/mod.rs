//! One module per command group.

pub mod attest;
pub mod audit;
pub mod certificate;
pub mod dataset;
pub mod demo;
pub mod dispute;
mod expected;
pub mod export;
pub mod identity;
pub mod infer;
pub mod key;
pub mod language;
mod limits;
pub mod localnet;
pub mod log;
pub mod model;
pub mod policy;
pub mod private;
pub mod prove;
mod reference;
pub mod report;
pub mod rerun;
pub mod role;
pub mod verify;

use crate::{
    arguments::{Command, Global},
    failure::{Exit, Result},
    output::Output,
};

/// Runs one command.
pub async fn run(global: &Global, command: Command, output: Output) -> Result<Exit> {
    match command {
        Command::Localnet(command) => localnet::run(global, command, output).await,
        Command::Dataset(command) => dataset::run(global, command, output).await,
        Command::Model(command) => model::run(global, command, output).await,
        Command::Audit(command) => audit::run(global, command, output).await,
        Command::Certificate(command) => certificate::run(global, command, output).await,
        Command::Report(arguments) => report::run(global, arguments, output).await,
        Command::Rerun(arguments) => rerun::run(global, arguments, output).await,
        Command::Attest(arguments) => attest::run(global, arguments, output).await,
        Command::Prove(arguments) => prove::run(global, arguments, output).await,
        Command::Infer(arguments) => infer::run(arguments, output),
        Command::Verify(arguments) => verify::run(global, arguments, output).await,
        Command::Log(command) => log::run(global, command, output).await,
        Command::Language(command) => language::run(global, command, output).await,
        Command::Key(command) => key::run(global, command, output).await,
        Command::Dispute(arguments) => dispute::run(global, arguments, output).await,
        Command::Policy(command) => policy::run(global, command, output).await,
        Command::Identity(command) => identity::run(global, command, output),
        Command::Role(command) => role::run(global, command, output).await,
        Command::Limits => limits::run(global, output).await,
        Command::Demo(arguments) => demo::run(global, arguments, output).await,
    }
}
