//! `assay`: certify models on the verifier canister, check certificates offline, run audits again.
//!
//! Data go to stdout, everything else to stderr. With `--json`, stdout has one JSON document.
#![allow(clippy::print_stdout, reason = "the program's answers go to stdout")]

mod arguments;
mod commands;
mod failure;
mod output;
mod session;
mod show;
mod table;
mod time;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::Arguments;
use output::Output;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output { json: arguments.global.json, quiet: arguments.global.quiet };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(&arguments.global, arguments.command, output)),
        Err(cause) => Err(cause.into()),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output.failure(&failure);
            failure.exit.into()
        }
    }
}
