//! The project's own commands: `cargo xtask demo | test | build-canister | build-web | onnx-runtime | bench | screenshots`.
//!
//! Each one does its whole set-up first, so that it works on a fresh clone.

mod canister;
mod checks;
mod clients;
mod command;
mod onnxruntime;
mod wasm;
mod web;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Build, test, show and measure Assay. Every command does its own set-up.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything and certify real models on real data on an embedded node, then check the certificates
    Demo {
        /// Arguments for `assay demo`, e.g. `--dataset adult` (see `cargo xtask demo -- --help`)
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run every check: format, lints, docs, the wasm build, all tests
    Test {
        /// Run only this step (may be repeated)
        #[arg(long, value_enum)]
        only: Vec<checks::Step>,
    },
    /// Build the canister to target/canister/verifier.wasm.gz
    BuildCanister,
    /// Build the checker for browsers and JavaScript to target/web: the pages' assets, and the npm package
    BuildWeb,
    /// Fetch ONNX Runtime to target/onnxruntime, where `assay log run` finds it; or a build for another device, to a folder
    /// whose name is printed
    OnnxRuntime {
        /// What it computes with
        #[arg(long, value_enum, default_value = "cpu")]
        device: onnxruntime::Build,
    },
    /// Print measured figures, one JSON line per case
    Bench {
        /// Cases to run; all without one
        cases: Vec<String>,
    },
    /// Take the pictures of the pages to docs/screenshots
    Screenshots,
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Demo { arguments } => {
            let wasm = canister::build()?;
            command::built("assay")?.args(["demo", "--wasm"]).arg(wasm).args(arguments).run()
        }
        Task::Test { only } => checks::run(&only),
        Task::BuildCanister => canister::build().map(drop),
        Task::BuildWeb => web::build().map(drop),
        Task::OnnxRuntime { device } => {
            onnxruntime::set_up(device).map(|folder| eprintln!("{}", folder.display()))
        }
        Task::Bench { cases } => {
            let wasm = canister::build()?;
            onnxruntime::set_up(onnxruntime::Build::Cpu)?;
            let mut bench = command::built("bench")?;
            if cases.is_empty() || cases.iter().any(|case| case == "pages-browser") {
                bench = clients::told(bench)?;
            }
            bench.args(cases).env("ASSAY_WASM", wasm).run()
        }
        Task::Screenshots => {
            let wasm = canister::build()?;
            clients::told(command::built("screenshots")?)?.env("ASSAY_WASM", wasm).run()
        }
    }
}
