use std::path::{Path, PathBuf};

use audit::{
    Dataset, Digest,
    log::{MAX_ENVELOPE, MAX_OPENINGS_FILE, MAX_RECORDS, Openings, Record, Signed, odds},
};
use candid::Principal;
use certifier::{
    dataset,
    language::Items,
    log::{Difference, principal, rerun},
};
use clap::Args;
use serde_json::json;

use super::{RuntimeArguments, read};
use crate::{
    commands::{language::open_local, model::read_onnx},
    failure::{Exit, Failure, Result},
    output::Output,
    show,
    time::utc,
};

#[derive(Args)]
pub struct CheckArguments {
    /// Signed statement
    statement: PathBuf,
    /// Openings
    openings: Option<PathBuf>,
    /// Principal that must have signed (`assay identity show`); without, the statement's own key is only shown
    #[arg(long, value_name = "PRINCIPAL")]
    signer: Option<Principal>,
    /// All records of the log (records.bin)
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
    /// Seed that must have drawn what is opened
    #[arg(long, value_name = "HEX", requires = "openings")]
    seed: Option<Digest>,
    /// Dataset folder: the rows must be the dataset's
    #[arg(long, value_name = "FOLDER")]
    dataset: Option<PathBuf>,
    /// ONNX file: opened rows are run again
    #[arg(long, value_name = "FILE", requires = "dataset", requires = "openings")]
    model: Option<PathBuf>,
    /// tokenizer.json of a local language model; beside the ONNX file or one folder above by default
    #[arg(long, value_name = "FILE", requires = "model")]
    tokenizer: Option<PathBuf>,
    /// Largest difference of a score, or of a likelihood
    #[arg(long, default_value_t = 1e-4)]
    tolerance: f64,
    #[command(flatten)]
    runtime: RuntimeArguments,
}

/// A check that failed.
fn refused(what: impl std::fmt::Display, hint: &str) -> Failure {
    Failure { exit: Exit::Mismatch, ..Failure::new(what, hint) }
}

pub fn run(arguments: &CheckArguments, output: Output) -> Result<Exit> {
    let signed = Signed::verify(&read(&arguments.statement, MAX_ENVELOPE)?)?;
    let predicate = &signed.statement().predicate;
    let signer = principal(&predicate.signer);
    if let Some(expected) = arguments.signer.filter(|&expected| expected != signer) {
        return Err(refused(
            format!("the statement is signed by {signer}, not by {expected}"),
            "ask whoever should have signed it for their principal",
        ));
    }
    if let Some(path) = &arguments.records {
        signed.check_records(&read(path, MAX_RECORDS as usize * Record::LEN)?)?;
    }
    let dataset = arguments.dataset.as_deref().map(dataset::read).transpose()?;
    if let Some(dataset) = dataset.as_ref().filter(|dataset| dataset.digest() != signed.statement().dataset())
    {
        return Err(refused(
            format!(
                "the statement is about dataset {}, not {}",
                signed.statement().dataset(),
                dataset.digest()
            ),
            "pass the folder of the dataset that the statement names",
        ));
    }
    let openings = match &arguments.openings {
        Some(path) => Some(opened(arguments, &signed, &read(path, MAX_OPENINGS_FILE)?, dataset.as_ref())?),
        None => None,
    };
    let transcripts = match (&predicate.language, &arguments.dataset, &openings) {
        (Some(_), Some(items), Some(openings)) => {
            if let Some(wrong) = Items::of(items, signed.statement())?.check(openings).first() {
                return Err(refused(
                    &wrong.cause,
                    "the transcript is not one of this item: do not rely on the log",
                ));
            }
            Some(openings.openings.len())
        }
        _ => None,
    };
    let again = match (&arguments.model, &openings) {
        (Some(model), Some(openings)) => run_again(arguments, &signed, model, dataset.as_ref(), openings)?,
        _ => None,
    };
    report(arguments, &signed, signer, openings.as_ref(), again.as_ref(), transcripts, output)?;
    let differs = again.is_some_and(|(differences, _)| !differences.is_empty());
    Ok(if differs { Exit::Mismatch } else { Exit::Ok })
}

/// Openings that are in the log, drawn by the seed if one was named, and about the dataset's rows if it is there.
fn opened(
    arguments: &CheckArguments,
    signed: &Signed,
    bytes: &[u8],
    dataset: Option<&Dataset>,
) -> Result<Openings> {
    let openings = Openings::parse(bytes)?;
    openings.verify(signed.statement())?;
    let drawn = openings.draw.as_ref().map(|draw| draw.seed);
    if arguments.seed.is_some() && arguments.seed != drawn {
        return Err(refused(
            "the openings were not drawn by this seed",
            "ask for openings with `assay log open --seed` and this seed",
        ));
    }
    if let Some(dataset) = dataset {
        openings.check_inputs(dataset)?;
    }
    Ok(openings)
}

/// Runs the model on what was opened; nothing without the dataset.
fn run_again(
    arguments: &CheckArguments,
    signed: &Signed,
    model: &Path,
    dataset: Option<&Dataset>,
    openings: &Openings,
) -> Result<Option<(Vec<Difference>, f64)>> {
    let (statement, tolerance) = (signed.statement(), arguments.tolerance);
    if let (Some(facts), Some(items)) = (&statement.predicate.language, &arguments.dataset) {
        let local = open_local(facts, model, arguments.tokenizer.as_deref(), &arguments.runtime)?;
        let found = Items::of(items, statement)?.asked().rerun(&local, openings, tolerance)?;
        return Ok(Some((found.differences, found.largest)));
    }
    let Some(dataset) = dataset else { return Ok(None) };
    let onnx = read_onnx(model)?;
    if Digest::of(&onnx) != statement.model() {
        let what = format!("the statement is about model {}", statement.model());
        return Err(refused(what, "pass the ONNX file that was run"));
    }
    Ok(Some(rerun(&onnx, dataset, statement, openings, &arguments.runtime.request(), tolerance)?))
}

fn report(
    arguments: &CheckArguments,
    signed: &Signed,
    signer: Principal,
    openings: Option<&Openings>,
    again: Option<&(Vec<Difference>, f64)>,
    transcripts: Option<usize>,
    output: Output,
) -> Result<()> {
    let predicate = &signed.statement().predicate;
    let (log, count) = (&predicate.log, openings.map_or(0, |openings| openings.openings.len() as u32));
    let lies = log.size.div_ceil(100);
    // Only a seed that the checker named leaves the owner no choice of what is opened. What an endpoint said cannot be
    // had again, so an opened lie about it is not found.
    let odds = (count > 0 && arguments.seed.is_some() && !predicate.is_endpoint())
        .then(|| odds::detection(log.size, lies, count).ok())
        .flatten();
    let differences: Vec<_> = again
        .map_or(&[][..], |(found, _)| found)
        .iter()
        .map(|difference| {
            json!({ "row": difference.row, "logged": difference.logged, "class": difference.class,
            "score_difference": difference.score.is_finite().then_some(difference.score) })
        })
        .collect();
    let document = json!({
        "statement": signed.digest(), "signer": signer.to_text(), "model": signed.statement().model(),
        "dataset": signed.statement().dataset(), "root": log.root, "size": log.size,
        "created": utc(predicate.created_at.0), "runtime": predicate.runtime,
        "language": predicate.language, "transcripts_checked": transcripts,
        "records_checked": arguments.records.is_some(), "openings": count,
        "detection": odds.as_ref().map(|odds| json!({
            "lies": lies, "probability": odds::floor(odds, 6) })),
        "rerun": again.map(|(_, largest)| json!({ "largest_score_difference": largest, "differences": differences })),
    });
    output.result(&document, || {
        let runtime = &predicate.runtime;
        let mut text = format!(
            "signed by {signer}, {}\n{} predictions of model {}\non dataset {}\nby {} {} on {}{}\n",
            utc(predicate.created_at.0),
            log.size,
            signed.statement().model(),
            signed.statement().dataset(),
            runtime.name,
            runtime.version,
            runtime.provider,
            if runtime.fallback { ", parts perhaps on the CPU" } else { "" },
        );
        if let Some(language) = &predicate.language {
            let word = if predicate.is_endpoint() { "; that is its operator's word" } else { "" };
            text.push_str(&format!(
                "asked: language model {}{word}\n",
                show::language_model(&language.model)
            ));
        }
        if arguments.records.is_some() {
            text.push_str("all records are those of the log\n");
        }
        if count > 0 {
            text.push_str(&format!("{count} openings are in the log\n"));
            text.push_str(match arguments.seed {
                Some(_) => "they are those that the seed draws which you named\n",
                None => "no seed was named: whoever signed may have chosen what is opened\n",
            });
        } else {
            text.push_str("nothing was opened\n");
        }
        if let Some(transcripts) = transcripts {
            text.push_str(&format!(
                "{transcripts} transcripts: prompts are the item set's, classes follow from answers\n"
            ));
        }
        if let Some(odds) = &odds {
            let odds = odds::floor(odds, 6);
            text.push_str(&format!(
                "had 1 % of the predictions ({lies}) been lies, one would be opened with probability {odds}\n"
            ));
        }
        if let Some((differences, largest)) = again {
            text.push_str(&format!(
                "run again: {} of {count} differ, scores by at most {largest:e}\n",
                differences.len()
            ));
            for difference in differences.iter().take(20) {
                let Difference { row, logged, class, score } = difference;
                text.push_str(&format!(
                    "row {row}: logged {logged}, the model decides {class}; score {score:e}\n"
                ));
            }
        }
        text
    })
}
