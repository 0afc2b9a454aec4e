use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use check::{Authentic, Report, check};
use clap::{Args, Subcommand};
use interface::{
    CertificateId, CertificateSummary, CertificatesRequest, RevokeCertificate,
    export::{CertificateFile, MAX_FILE},
};
use serde_json::json;

use super::{
    expected::{Expected, exit_of},
    export::{self, ExportArguments},
    reference,
};
use crate::{
    arguments::Global,
    failure::{Exit, Failure, Result},
    output::Output,
    session, show,
    table::Table,
    time::utc,
};

#[derive(Subcommand)]
pub enum CertificateCommand {
    /// List certificates, newest first
    List(ListArguments),
    /// Check a certificate and show its report; by number, or offline from an exported file
    Show {
        /// Number or file
        certificate: String,
        /// Print the certified body instead: an in-toto statement in canonical JSON
        #[arg(long)]
        body: bool,
        /// Show every comparison of groups, not only the policy's criteria
        #[arg(long)]
        full: bool,
    },
    /// Check an exported certificate offline, step by step
    #[command(after_help = "Examples:\n  \
        assay certificate check certificate.json --network ic --canister ID\n  \
        assay certificate check certificate.json --root-key root.key --canister ID --max-age 24h\n\n\
        Nothing is asked of any network. The root key comes from --root-key, from `--network ic`, or from \
        the embedded node's status file. Exit codes: 0 authentic and stands, 3 a step failed, 4 not passed, \
        5 does not stand.")]
    Check(CheckArguments),
    /// Write a certificate, with all that its check needs, to one file; or in a form that other tools read
    Export(ExportArguments),
    /// Withdraw a certificate, for good and for all to see
    Revoke {
        /// Its number
        id: CertificateId,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

#[derive(Args)]
pub struct ListArguments {
    /// Only with this in the name of model, dataset or policy
    text: Option<String>,
    /// Only of this model (digest, file or name)
    #[arg(long)]
    model: Option<String>,
    /// Only those that stand and are not expired
    #[arg(long)]
    standing: bool,
    /// Most certificates to show
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

#[derive(Args)]
pub struct CheckArguments {
    /// Exported certificate
    file: PathBuf,
    #[command(flatten)]
    expected: Expected,
}

pub async fn run(global: &Global, command: CertificateCommand, output: Output) -> Result<Exit> {
    match command {
        CertificateCommand::List(arguments) => list(global, arguments, output).await?,
        CertificateCommand::Show { certificate, body, full } => {
            return shown(global, &certificate, body, full, output).await;
        }
        CertificateCommand::Check(arguments) => return checked(global, &arguments, output),
        CertificateCommand::Export(arguments) => export::run(global, &arguments, output).await?,
        CertificateCommand::Revoke { id, reason } => {
            let client = session::client(global, output).await?;
            client.revoke_certificate(RevokeCertificate { id, reason }).await?;
            output.result(&json!({ "certificate": id, "state": "revoked" }), || {
                format!("certificate {id} is revoked")
            })?;
        }
    }
    Ok(Exit::Ok)
}

fn checked(global: &Global, arguments: &CheckArguments, output: Output) -> Result<Exit> {
    let file = read_file(&arguments.file)?;
    let trust = session::trust(global, arguments.expected.max_age)?;
    let report = check(&file, &trust);
    output.result(&show::check_document(&report), || {
        let mut text = show::check_text(&report);
        if let Some(authentic) = &report.authentic {
            text.push_str(&show::verdict_line(&authentic.certificate));
        }
        text
    })?;
    if let Some(failure) = report.failure() {
        eprintln!("error: {}: {failure}", arguments.file.display());
        eprintln!("hint: {}", failure.hint());
    }
    if let Some(authentic) = &report.authentic {
        arguments.expected.check(&authentic.certificate)?;
    }
    Ok(exit_of(&report, arguments.expected.require_pass))
}

async fn shown(global: &Global, certificate: &str, body: bool, full: bool, output: Output) -> Result<Exit> {
    let file = fetch(global, certificate, output).await?;
    let report = check(&file, &session::trust(global, None)?);
    let authentic = accepted(&report)?;
    let document = show::certificate_document(&authentic.certificate, &report);
    if body {
        output.result(&authentic.certificate, || String::from_utf8_lossy(&file.body).into_owned())?;
    } else {
        output.result(&document, || {
            format!("{}\n{}", show::certificate_text(&authentic.certificate, full), show::check_text(&report))
        })?;
    }
    Ok(exit_of(&report, false))
}

/// The certificate with this number, or in this file.
pub async fn fetch(global: &Global, certificate: &str, output: Output) -> Result<CertificateFile> {
    match certificate.parse() {
        Ok(id) => Ok(session::client(global, output).await?.certificate(id).await?),
        Err(_) => read_file(Path::new(certificate)),
    }
}

/// Reads an exported certificate of bounded size.
pub fn read_file(path: &Path) -> Result<CertificateFile> {
    let failed = |cause: std::io::Error| {
        Failure::new(
            format!("cannot read {}: {cause}", path.display()),
            "`assay certificate export ID -o FILE` makes such a file",
        )
    };
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    CertificateFile::from_json(&bytes).map_err(|error| {
        let failure = Failure::from(error);
        Failure { error: failure.error.context(path.display().to_string()), ..failure }
    })
}

/// What a check accepted; otherwise its steps go to stderr, and the first that failed is the error.
pub fn accepted(report: &Report) -> Result<&Authentic> {
    report.authentic.as_ref().ok_or_else(|| {
        eprint!("{}", show::check_text(report));
        let failure = report.failure().map(|failure| (failure.to_string(), failure.hint()));
        let (what, hint) = failure.unwrap_or_default();
        Failure { exit: Exit::Mismatch, ..Failure::new(what, hint) }
    })
}

async fn list(global: &Global, arguments: ListArguments, output: Output) -> Result<()> {
    let client = session::client(global, output).await?;
    let model = match &arguments.model {
        Some(text) => Some(reference::model(&client, text).await?.digest),
        None => None,
    };
    let mut summaries: Vec<CertificateSummary> = Vec::new();
    let mut before = None;
    while summaries.len() < arguments.limit as usize {
        let (text, standing) = (arguments.text.clone(), arguments.standing.then_some(true));
        let request = CertificatesRequest { text, model, standing, before, ..Default::default() };
        let page = client.certificates(request).await?;
        summaries.extend(page.items);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    summaries.truncate(arguments.limit as usize);
    output.result(&summaries.iter().map(show::certificate_summary).collect::<Vec<_>>(), || {
        let mut table =
            Table::new(&[">id", "verdict", "state", "model", "dataset", ">samples", "policy", "issued"]);
        for summary in &summaries {
            table.row([
                summary.id.to_string(),
                show::verdict_word(summary.verdict).to_owned(),
                show::certificate_state_word(&summary.state),
                summary.model_name.clone(),
                format!("{} {}", summary.dataset_name, summary.dataset_version),
                summary.sample_size.to_string(),
                summary.policy_name.clone(),
                utc(summary.issued_at_ns),
            ]);
        }
        table.render(0)
    })
}
