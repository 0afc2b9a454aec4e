use std::path::{Path, PathBuf};

use audit::{
    Certificate, Dataset, Digest, draw_sample,
    log::{Openings, SubmissionHeader},
};
use certifier::{
    client::Client,
    language::{Decided, Items, WrongTranscript},
    log,
};
use check::{
    check, held,
    rerun::{Comparison, Evidence, RerunError, rerun},
};
use clap::Args;
use interface::{ArtefactKind, Attest, Finding, REASON_BYTES};

use super::{
    certificate::{accepted, read_file},
    language::open_local,
    log::RuntimeArguments,
    model::read_onnx,
};
use crate::{
    arguments::Global,
    failure::{Exit, Failure, Result},
    output::Output,
    session, show,
};

#[derive(Args)]
#[command(after_help = "Examples:\n  \
        assay rerun 1\n  \
        assay rerun 2 --model forest.onnx\n  \
        assay rerun 3 --items datasets/language/german-sex --model model.onnx \\\n      \
        --attest --identity auditor.pem\n\n\
        Downloads dataset, model, policy and the audit's record, checks their digests, draws the sample \
        again from the seed, runs the model on this computer, rebuilds the certificate and compares it byte \
        by byte and value by value. Of a private model, whose weights nobody else has, both zero-knowledge \
        proofs are verified instead. Of a prediction log, the predictions are counted again; those of a \
        public model, or with --model those of a model that stayed with its owner, are run too.\n\
        Exit codes: 0 equal, 3 different.\n\n\
        With --attest, the finding is put beside the certificate, signed by you.")]
pub struct RerunArguments {
    /// Number of the certificate, or an exported file
    certificate: String,
    /// ONNX file of a logged model, which its owner gave you: every prediction is run again
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Of a language model: tokenizer.json; beside the ONNX file or one folder above by default
    #[arg(long, value_name = "FILE", requires = "model")]
    tokenizer: Option<PathBuf>,
    /// Item set of a language model: prompts and classes of the opened transcripts are checked, and --model is run on it
    #[arg(long, value_name = "FOLDER")]
    items: Option<PathBuf>,
    /// Of a language model: options whose likelihoods differ by less are a tie, and either is right
    #[arg(long, default_value_t = 1e-4)]
    tolerance: f64,
    /// Tell the canister what came of it, for all to see; auditors only
    #[arg(long)]
    attest: bool,
    /// What ran, in a line; shown beside the finding
    #[arg(long, requires = "attest", default_value = "", hide_default_value = true)]
    note: String,
    #[command(flatten)]
    runtime: RuntimeArguments,
}

pub async fn run(global: &Global, arguments: RerunArguments, output: Output) -> Result<Exit> {
    let client = session::client(global, output).await?;
    let file = match arguments.certificate.parse() {
        Ok(id) => client.certificate(id).await?,
        Err(_) => read_file(Path::new(&arguments.certificate))?,
    };
    let report = check(&file, &session::trust(global, None)?);
    let certificate = &accepted(&report)?.certificate;
    let wrong = match &arguments.items {
        Some(items) => transcripts(&client, certificate, items, output).await?,
        None => Vec::new(),
    };
    let model = arguments.given();
    let comparison = run_again(&client, certificate, model, output).await?;
    let mut document = comparison.document();
    document["wrongTranscripts"] = wrong.iter().map(|one| one.cause.to_string()).collect();
    output.result(&document, || show::rerun_text(&comparison))?;
    if arguments.attest {
        if wrong.is_empty() && comparison.logged.as_ref().is_some_and(|logged| !logged.ran) {
            return Err(Failure::new(
                "the log was counted, but the model was not run: that is no finding",
                "pass --model with the file that its owner gave you, or `assay attest --not-reproduced`; an endpoint's \
                 answers cannot be had again",
            ));
        }
        client
            .attest(finding(certificate.predicate.certificate, &comparison, &wrong, arguments.note))
            .await?;
        output.note("the canister has recorded what you found");
    }
    Ok(if comparison.is_equal() && wrong.is_empty() { Exit::Ok } else { Exit::Mismatch })
}

/// What a rerun says of a certificate.
fn finding(
    certificate: u64,
    comparison: &Comparison,
    transcripts: &[WrongTranscript],
    note: String,
) -> Attest {
    let rerun = Some(comparison.rerun_digest.into());
    if comparison.is_equal() && transcripts.is_empty() {
        return Attest { certificate, finding: Finding::Agrees, rerun, note };
    }
    let paths: Vec<&str> = comparison.differences().map(|one| one.path.as_str()).take(3).collect();
    let mut parts: Vec<String> = transcripts.iter().take(3).map(|one| one.cause.to_string()).collect();
    if let Some(first) = comparison.logged.as_ref().and_then(|logged| logged.wrong.first()) {
        parts.push(format!("the model does not make prediction {}, of row {}", first.index, first.row));
    }
    if !paths.is_empty() {
        let count = comparison.differences().count();
        parts.push(format!("{count} values differ, first {}", paths.join(", ")));
    }
    if !note.is_empty() {
        parts.push(note);
    }
    let mut note = parts.join("; ");
    note.truncate(note.floor_char_boundary(REASON_BYTES as usize));
    Attest { certificate, finding: Finding::Disagrees, rerun, note }
}

/// A logged model's file, and what else running it takes.
pub struct Given<'a> {
    file: &'a Path,
    tokenizer: Option<&'a Path>,
    items: Option<&'a Path>,
    tolerance: f64,
    runtime: &'a RuntimeArguments,
}

impl RerunArguments {
    fn given(&self) -> Option<Given<'_>> {
        let file = self.model.as_deref()?;
        let (tokenizer, items) = (self.tokenizer.as_deref(), self.items.as_deref());
        Some(Given { file, tokenizer, items, tolerance: self.tolerance, runtime: &self.runtime })
    }
}

/// Downloads what a certificate was made of and makes it again.
pub async fn run_again(
    client: &Client,
    certificate: &Certificate,
    model: Option<Given<'_>>,
    output: Output,
) -> Result<Comparison> {
    let predicate = &certificate.predicate;
    let mut parts: Vec<_> = predicate.proofs.iter().map(|&digest| (ArtefactKind::Proof, digest)).collect();
    if let Some(log) = &predicate.log {
        let owner = predicate.owner.parse().map_err(anyhow::Error::from)?;
        let keys = client.keys(owner).await?;
        let refused = |cause: String| Failure {
            exit: Exit::Mismatch,
            ..Failure::new(cause, "the log is signed by a key that its owner did not have; do not rely on it")
        };
        let key = keys.iter().find(|key| key.key == log.signer.into());
        let key = key.ok_or_else(|| refused(format!("{} is no key of {}", log.signer, predicate.owner)))?;
        let found = held(key, log).map_err(|cause| refused(cause.to_string()))?;
        output.note(format!("key {found}"));
        parts.push((ArtefactKind::Log, log.content));
        parts.extend(log.openings.as_ref().map(|opened| (ArtefactKind::Openings, opened.content)));
    }
    let mut handed_in = Vec::new();
    for (kind, digest) in parts {
        handed_in.push(download(client, kind, digest, output).await?);
    }
    let mut evidence = Evidence {
        audit: client.audit(predicate.audit).await?,
        dataset: client.dataset(predicate.dataset.digest).await?.record,
        dataset_bytes: download(client, ArtefactKind::Dataset, predicate.dataset.digest, output).await?,
        model: client.model(predicate.model.digest).await?,
        model_bytes: download(client, ArtefactKind::Model, predicate.model.digest, output).await?,
        handed_in,
        classes: None,
        policy: client.policy(predicate.policy_digest).await?.into_bytes(),
    };
    if let Some(given) = model {
        evidence.classes = Some(decide(&evidence, &given, output)?);
    }
    let bar = output.bar("running again", false);
    let canister = client.canister().to_text();
    Ok(rerun(certificate, &canister, &evidence, &mut |done, total| bar.set(done, total))?)
}

/// Checks the opened transcripts of a language model's log; returns those that do not hold.
async fn transcripts(
    client: &Client,
    certificate: &Certificate,
    items: &Path,
    output: Output,
) -> Result<Vec<WrongTranscript>> {
    let log = certificate.predicate.log.as_ref().filter(|log| log.language.is_some());
    let log = log.ok_or_else(|| {
        Failure::new(
            "the certificate is of no language model",
            "leave --items out; logs of language models have transcripts",
        )
    })?;
    let Some(openings) = log.openings.as_ref().map(|openings| openings.content) else {
        output.note("nothing was opened: there are no transcripts to read");
        return Ok(Vec::new());
    };
    let log = log.content;
    let header = SubmissionHeader::parse(&download(client, ArtefactKind::Log, log, output).await?)?;
    let openings = Openings::parse(&download(client, ArtefactKind::Openings, openings, output).await?)?;
    openings.verify(header.signed.statement())?;
    let wrong = Items::of(items, header.signed.statement())?.check(&openings);
    match wrong.first() {
        None => output.note(format!(
            "{} transcripts ask what template, item and shuffle give, and give their classes",
            openings.openings.len()
        )),
        Some(first) => {
            output.warn(format!("{} transcripts do not hold; the first: {}", wrong.len(), first.cause))
        }
    }
    Ok(wrong)
}

/// Runs a logged model's file on the sample.
fn decide(evidence: &Evidence, given: &Given<'_>, output: Output) -> Result<Vec<u8>> {
    let (Some(bytes), Some(seed)) = (evidence.handed_in.first(), evidence.audit.seed) else {
        return Err(RerunError::NoLog.into());
    };
    let log = SubmissionHeader::parse(bytes)?;
    let statement = log.signed.statement();
    let dataset = Dataset::parse(evidence.dataset_bytes.clone()).map_err(anyhow::Error::from)?;
    let rows = draw_sample(&seed.0, dataset.rows(), evidence.audit.sample_size);
    let bar = output.bar("running the model", false);
    let progress = &mut |done, total| bar.set(done, total);
    if let Some(facts) = &statement.predicate.language {
        let items = given.items.ok_or_else(|| {
            Failure::new("the log is of a language model", "pass the folder of its item set with --items")
        })?;
        let items = Items::of(items, statement)?;
        let local = open_local(facts, given.file, given.tokenizer, given.runtime)?;
        let entries = log.entries(bytes)?;
        let decided: Vec<_> =
            rows.iter().zip(&entries).map(|(&row, entry)| Decided { row, class: entry.class }).collect();
        return Ok(items.asked().decide(&local, &decided, given.tolerance, progress)?);
    }
    let onnx = read_onnx(given.file)?;
    let source: Option<Digest> = evidence.model.source.map(Into::into).filter(|_| evidence.model.logged);
    if source != Some(Digest::of(&onnx)) {
        let what = format!("{} is not the file of the certificate's model", given.file.display());
        return Err(Failure::new(what, "--model is for logged models: pass the file that was logged"));
    }
    Ok(log::decide(&onnx, &dataset, statement, &rows, &given.runtime.request(), progress)?)
}

async fn download(client: &Client, kind: ArtefactKind, digest: Digest, output: Output) -> Result<Vec<u8>> {
    let bar = output.bar(&format!("downloading {kind}"), true);
    Ok(client.download(kind, digest, &mut |done, total| bar.set(done, total)).await?)
}
