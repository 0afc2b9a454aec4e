use std::path::PathBuf;

use check::check;
use clap::Args;

use super::{
    certificate::{accepted, fetch},
    expected::{Expected, exit_of},
    export::written,
};
use crate::{
    arguments::Global,
    failure::{Exit, Result},
    output::Output,
    session, show,
};

#[derive(Args)]
#[command(after_help = "Examples:\n  \
        assay report certificate.json --network ic --canister ID -o report.html\n  \
        assay report 1 -o report.html\n\n\
        The certificate is checked first, as by `assay certificate check`; without an authentic one there \
        is no report. The file loads nothing and runs nothing; a browser prints it. Exit codes are those of \
        the check.")]
pub struct ReportArguments {
    /// Exported certificate, or a number
    certificate: String,
    /// File to write; stdout by default
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    expected: Expected,
}

pub async fn run(global: &Global, arguments: ReportArguments, output: Output) -> Result<Exit> {
    let file = fetch(global, &arguments.certificate, output).await?;
    // The canister that was asked is the one to be trusted; a file's own word is not enough.
    let asked = arguments.certificate.parse::<u64>().is_ok();
    let trust = session::trust_in(
        global,
        asked.then_some(file.canister).or(global.canister),
        arguments.expected.max_age,
    )?;
    let check = check(&file, &trust);
    let authentic = accepted(&check)?;
    arguments.expected.check(&authentic.certificate)?;
    let standing = show::standing_text(&authentic.standing);
    let html = certifier::report::report(&file, &check, authentic, &trust, standing);
    written(&html, arguments.output.as_deref(), &file, output)?;
    Ok(exit_of(&check, arguments.expected.require_pass))
}
