//! `assay log`: predictions of any ONNX classifier, committed to before anyone says which will be checked.

mod check;
mod confirm;
mod open;
mod run;
mod sign;
mod submit;

use std::path::PathBuf;

use audit::{Digest, SAMPLE_RULE, log::Rows};
use certifier::{client::Client, private};
use clap::{Args, Subcommand};
use interface::{AuditId, AuditRecord, AuditState};
use runtime::{Choice, Device, Request};

use crate::{
    arguments::Global,
    commands::audit::wait,
    failure::{Exit, Failure, Result},
    output::Output,
    show,
};

#[derive(Subcommand)]
pub enum LogCommand {
    /// Run a model on rows of a dataset and write every prediction into a log
    #[command(after_help = "Examples:\n  \
        assay log run --model forest.onnx --dataset datasets/german -o forest.log\n  \
        assay log run --model forest.onnx --dataset datasets/german \\\n      \
        --device cuda --batch 4096 -o forest.log\n  \
        assay log run --model forest.onnx --audit 7 -o audit-7.log\n\n\
        ONNX Runtime is loaded from --runtime-library, or from a folder onnxruntime beside the program, \
        where `cargo xtask onnx-runtime` puts it; without it, and without --device, the embedded runtime is \
        used. The log says which it was. An integer model (.assay-model) is run as in the canister. With \
        --audit, dataset and rows are those that the canister drew. Interrupted, the same command goes on \
        where it stopped.")]
    Run(run::RunArguments),
    /// Sign a complete log: a statement with the root of all predictions and what they add up to
    #[command(after_help = "Example:\n  \
        assay log sign forest.log --identity me.pem\n\n\
        The statement is an in-toto Statement in a DSSE envelope, signed with an Ed25519 key (`assay \
        identity new`). Publish it before anyone chooses what to open.")]
    Sign(sign::SignArguments),
    /// Open predictions of a log: record, salt, scores, and the path to the root
    #[command(after_help = "Examples:\n  assay log open forest.log --rows 3,17 -o openings.json\n  \
        assay log open forest.log --seed HEX --count 200 -o openings.json\n\n\
        A seed that is drawn after the statement was published leaves no choice; one that the owner chose proves little.")]
    Open(open::OpenArguments),
    /// Hand a signed log in for an audit, and open what the canister draws then
    #[command(after_help = "Example:\n  \
        assay log submit audit-7.log --audit 7 --identity me.pem\n\n\
        The key that signed must be registered (`assay key add`). What is left of an interrupted audit is \
        done when this is repeated: keep the folder until the certificate is there, it has what openings \
        are made from.")]
    Submit(submit::SubmitArguments),
    /// Run the model on an audit's openings and tell the canister what came of it; auditors only
    #[command(after_help = "Examples:\n  \
        assay log confirm 7 --model forest.onnx --identity auditor.pem\n  \
        assay log confirm 8 --model model.onnx --items datasets/language/german-sex \\\n      \
        --identity auditor.pem\n\n\
        Downloads log, openings and dataset, checks them against the audit's record, and runs the model. If \
        every class is the log's, the certificate is `spot-checked` and names you; if not, the audit ends \
        as refused, with what differs. Scores that differ by more than --tolerance are told, and decide \
        nothing. Of a local language model, --items has what was asked: opened transcripts are checked too. \
        Exit code 3 when a class differs.")]
    Confirm(confirm::ConfirmArguments),
    /// Check a signed statement, openings, records, and opened rows against the model itself
    #[command(after_help = "Examples:\n  \
        assay log check statement.json --signer PRINCIPAL\n  \
        assay log check statement.json openings.json --seed HEX \\\n      \
        --dataset datasets/german --model forest.onnx\n\n\
        With --model, opened rows are run again: classes must be equal, scores within --tolerance. Of a \
        language model, --dataset with the item set checks opened transcripts: prompts and classes; --model \
        runs a local one again.\n\
        Exit code 3 when anything fails.")]
    Check(check::CheckArguments),
}

/// An audit that awaits a log, and the rows that the canister drew for it.
pub async fn awaited(client: &Client, id: AuditId, output: Output) -> Result<(AuditRecord, Rows)> {
    let record = wait(client, id, None, output).await?;
    let (AuditState::AwaitingLog { of: size }, Some(seed)) = (&record.state, record.seed) else {
        return Err(Failure::new(
            format!("audit {id} awaits no log: {}", show::state_text(&record.state)),
            "ask for one with `assay audit request --log`",
        ));
    };
    let rows = Rows::Drawn { rule: SAMPLE_RULE.to_owned(), seed: seed.into(), size: *size };
    Ok((record, rows))
}

/// Which rows to run.
#[derive(Args)]
pub struct RowArguments {
    /// Rows to run, from 0; all by default
    #[arg(long, value_name = "ROW", value_delimiter = ',', conflicts_with = "audit_seed")]
    rows: Vec<u32>,
    /// Seed that draws the rows, as of an audit: 64 hex digits
    #[arg(long, value_name = "HEX", requires = "sample")]
    audit_seed: Option<Digest>,
    /// How many rows the seed draws
    #[arg(long, value_name = "ROWS", requires = "audit_seed")]
    sample: Option<u32>,
}

impl RowArguments {
    pub fn rows(&self) -> Rows {
        match (&self.audit_seed, self.sample) {
            (Some(seed), Some(size)) => Rows::Drawn { rule: SAMPLE_RULE.to_owned(), seed: *seed, size },
            _ if self.rows.is_empty() => Rows::All {},
            _ => {
                let mut rows = self.rows.clone();
                rows.sort_unstable();
                rows.dedup();
                Rows::Listed { rows }
            }
        }
    }
}

/// What to run a model with.
#[derive(Args)]
#[command(next_help_heading = "What runs an ONNX file")]
pub struct RuntimeArguments {
    /// ONNX Runtime's library; one beside the program by default
    #[arg(long, value_name = "FILE", env = "ORT_DYLIB_PATH")]
    runtime_library: Option<PathBuf>,
    /// Use the embedded runtime, whatever else is there
    #[arg(long, conflicts_with_all = ["runtime_library", "device"])]
    embedded: bool,
    /// What computes: cpu, cuda, tensorrt, rocm, migraphx, openvino, coreml, directml or webgpu
    #[arg(long)]
    device: Option<Device>,
    /// Let the CPU compute what the device cannot; the log says so
    #[arg(long, requires = "device")]
    allow_fallback: bool,
    /// Threads of one operator; the runtime's choice by default
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1024))]
    threads: Option<u32>,
}

impl RuntimeArguments {
    fn device_name(&self) -> String {
        self.device.map_or_else(|| "the CPU".to_owned(), |device| device.to_string())
    }

    /// Whether anything was said about what runs an ONNX file; a library named by the environment aside.
    pub fn is_chosen(&self) -> bool {
        self.embedded || self.device.is_some() || self.threads.is_some()
    }

    pub fn request(&self) -> Request {
        let choice = match (&self.runtime_library, self.embedded) {
            (_, true) => Choice::Embedded,
            (Some(path), false) if !path.as_os_str().is_empty() => Choice::Library(path.clone()),
            _ => Choice::Found,
        };
        Request { choice, device: self.device, allow_fallback: self.allow_fallback, threads: self.threads }
    }
}

pub async fn run(global: &Global, command: LogCommand, output: Output) -> Result<Exit> {
    match command {
        LogCommand::Run(arguments) => run::run(global, &arguments, output).await,
        LogCommand::Sign(arguments) => sign::run(global, &arguments, output),
        LogCommand::Submit(arguments) => submit::run(global, &arguments, output).await,
        LogCommand::Confirm(arguments) => confirm::run(global, &arguments, output).await,
        LogCommand::Open(arguments) => open::run(&arguments, output),
        LogCommand::Check(arguments) => check::run(&arguments, output),
    }
}

/// Reads a file of a log.
pub fn read(path: &std::path::Path, max: usize) -> Result<Vec<u8>> {
    private::read(path, max as u64)
        .map_err(|cause| Failure::new(cause, "`assay log sign` and `assay log open` write the files"))
}
