use std::{
    fmt::Display,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use audit::{Certificate, Digest, Verdict};
use candid::Principal;
use check::{Report, Standing, check};
use clap::{Args, Subcommand};
use interface::{
    CertificateId, CertificateSummary, CertificatesRequest, RevokeCertificate,
    export::{CertificateFile, MAX_FILE},
};
use serde_json::json;

use super::{policy, reference};
use crate::{
    arguments::Global,
    failure::{Exit, Failure, Result},
    output::Output,
    session, show,
    table::Table,
    time::{parse_duration_s, utc},
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
        Nothing is asked of any network. The root key comes from --root-key, from `--network ic`, or from the\n\
        embedded node's status file. Exit codes: 0 authentic and stands, 3 a step failed, 4 not passed, 5 does not stand.")]
    Check(CheckArguments),
    /// Write a certificate, with all that its check needs, to one file
    Export {
        /// Its number
        id: CertificateId,
        /// File to write; stdout by default
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
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
    /// Oldest signature accepted, e.g. 24h: how current the word on revocation must be
    #[arg(long, value_name = "TIME", value_parser = parse_duration_s)]
    max_age: Option<u64>,
    /// Exit with 4 unless the verdict is `pass`
    #[arg(long)]
    require_pass: bool,
    /// Exit with 3 unless it is about this policy: a verdict is worth what was asked for
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Exit with 3 unless it is about the dataset with this SHA-256
    #[arg(long, value_name = "DIGEST")]
    dataset: Option<Digest>,
    /// Exit with 3 unless it is about the model with this SHA-256
    #[arg(long, value_name = "DIGEST")]
    model: Option<Digest>,
    /// Exit with 3 unless at least so many rows were drawn
    #[arg(long, value_name = "ROWS")]
    min_sample: Option<u32>,
}

impl CheckArguments {
    /// Fails unless an authentic certificate is about what it should be about.
    fn expected(&self, certificate: &Certificate) -> Result<()> {
        let predicate = &certificate.predicate;
        let other = |what: &str, wanted: &dyn Display, got: &dyn Display| {
            let error = format!("the certificate is about {what} {got}, not {wanted}");
            Err(Failure {
                exit: Exit::Mismatch,
                ..Failure::new(error, "ask for the certificate that you need")
            })
        };
        if let Some(path) = &self.policy {
            let wanted = policy::read(path)?.digest().map_err(anyhow::Error::from)?;
            if wanted != predicate.policy_digest {
                return other("policy", &wanted, &predicate.policy_digest);
            }
        }
        for (what, wanted, got) in [
            ("dataset", self.dataset, predicate.dataset.digest),
            ("model", self.model, predicate.model.digest),
        ] {
            if let Some(wanted) = wanted.filter(|wanted| *wanted != got) {
                return other(what, &wanted, &got);
            }
        }
        match self.min_sample {
            Some(least) if predicate.sample.size < least => {
                other("a sample of", &format!("{least} or more"), &predicate.sample.size)
            }
            _ => Ok(()),
        }
    }
}

pub async fn run(global: &Global, command: CertificateCommand, output: Output) -> Result<Exit> {
    match command {
        CertificateCommand::List(arguments) => list(global, arguments, output).await?,
        CertificateCommand::Show { certificate, body, full } => {
            return shown(global, &certificate, body, full, output).await;
        }
        CertificateCommand::Check(arguments) => return checked(global, &arguments, output),
        CertificateCommand::Export { id, output: file } => {
            export(global, id, file.as_deref(), output).await?
        }
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
    let trust = session::trust(global, arguments.max_age)?;
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
        arguments.expected(&authentic.certificate)?;
    }
    Ok(exit_of(&report, arguments.require_pass))
}

/// What a check comes to.
pub fn exit_of(report: &Report, require_pass: bool) -> Exit {
    match &report.authentic {
        None => Exit::Mismatch,
        Some(authentic) if authentic.standing != Standing::Stands => Exit::NotStanding,
        Some(authentic) if require_pass && authentic.certificate.predicate.verdict != Verdict::Pass => {
            Exit::NotPassed
        }
        Some(_) => Exit::Ok,
    }
}

async fn shown(global: &Global, certificate: &str, body: bool, full: bool, output: Output) -> Result<Exit> {
    let file = match certificate.parse() {
        Ok(id) => session::client(global, output).await?.certificate(id).await?,
        Err(_) => read_file(Path::new(certificate))?,
    };
    let report = check(&file, &session::trust(global, None)?);
    let Some(authentic) = &report.authentic else {
        eprint!("{}", show::check_text(&report));
        let failure = report.failure().map(|failure| (failure.to_string(), failure.hint()));
        let (what, hint) = failure.unwrap_or_default();
        return Err(Failure { exit: Exit::Mismatch, ..Failure::new(what, hint) });
    };
    let document = json!({ "check": show::check_document(&report), "certificate": authentic.certificate });
    if body {
        output.result(&authentic.certificate, || String::from_utf8_lossy(&file.body).into_owned())?;
    } else {
        output.result(&document, || {
            format!("{}\n{}", show::certificate_text(&authentic.certificate, full), show::check_text(&report))
        })?;
    }
    Ok(exit_of(&report, false))
}

async fn export(global: &Global, id: CertificateId, path: Option<&Path>, output: Output) -> Result<()> {
    let client = session::client(global, output).await?;
    let file = client.certificate(id).await?;
    // What leaves here is checked first, so that a bad export is noticed by whoever can still repeat it.
    let report = check(&file, &session_trust(global, client.canister())?);
    if let Some(failure) = report.failure() {
        return Err(Failure { exit: Exit::Mismatch, ..Failure::new(failure, failure.hint()) });
    }
    let Some(path) = path else {
        return output
            .result(&serde_json::to_value(&file)?, || String::from_utf8_lossy(&file.to_json()).into_owned());
    };
    std::fs::write(path, file.to_json()).map_err(|cause| {
        Failure::new(format!("cannot write {}: {cause}", path.display()), "choose another --output")
    })?;
    output.result(&json!({ "file": path, "certificate": id, "canister": file.canister.to_text() }), || {
        path.display().to_string()
    })
}

fn session_trust(global: &Global, canister: Principal) -> Result<check::Trust> {
    session::trust_in(global, Some(canister), None)
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

/// The parsed body of a certificate that passed its check.
pub fn authentic(report: Report) -> Result<Certificate> {
    match report.authentic {
        Some(authentic) => Ok(authentic.certificate),
        None => {
            let failure = report.failure().map(|failure| (failure.to_string(), failure.hint()));
            let (what, hint) = failure.unwrap_or_default();
            Err(Failure { exit: Exit::Mismatch, ..Failure::new(what, hint) })
        }
    }
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
