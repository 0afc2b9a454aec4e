use std::{fmt::Write as _, path::PathBuf};

use audit::log::{MAX_ENVELOPE, Signed};
use certifier::language::{Conversation, Report, report_folder, report_statement};
use clap::Args;
use serde_json::{Value, json};

use crate::{
    commands::log,
    failure::{Exit, Result},
    output::Output,
    show,
};

#[derive(Args)]
pub struct ReportArguments {
    /// Folder of a complete log, or a signed statement
    log: PathBuf,
}

pub fn run(arguments: &ReportArguments, output: Output) -> Result<Exit> {
    let path = &arguments.log;
    let report = if path.is_dir() {
        report_folder(path)?
    } else {
        report_statement(path, &Signed::verify(&log::read(path, MAX_ENVELOPE)?)?)?
    };
    output.result(&document(&report), || text(&report))?;
    Ok(Exit::Ok)
}

fn document(report: &Report) -> Value {
    let conversation = report.conversation.as_ref().map(|found| {
        let Conversation { calls, failed_attempts, invalid, positions, models, favourable_when_changed } = found;
        json!({ "calls": calls, "failed_attempts": failed_attempts, "invalid": invalid, "positions": positions,
            "models": models, "favourable_when_changed": favourable_when_changed })
    });
    json!({
        "language": report.language, "dataset": report.dataset, "size": report.size,
        "measures": report.measures, "conversation": conversation,
    })
}

fn text(report: &Report) -> String {
    let model = show::language_model(&report.language.model);
    let mut text = format!("{} items of {}, asked of {model}\n\n", report.size, report.dataset);
    text.push_str(&show::measures_table(&report.measures, 0));
    if let Some(found) = &report.conversation {
        let _ = write!(text, "\n{} calls, {} failed attempts", found.calls, found.failed_attempts);
        let list = |text: &mut String, label: &str, entries: Vec<String>| {
            if !entries.is_empty() {
                let _ = write!(text, "\n{label}: {}", entries.join(", "));
            }
        };
        let pairs = |entries: Vec<(String, u64)>| {
            entries.into_iter().map(|(name, count)| format!("{name} {count}")).collect()
        };
        list(&mut text, "invalid answers", pairs(found.invalid.clone().into_iter().collect()));
        let letters = found.positions.iter().map(|(letter, count)| (letter.to_string(), *count)).collect();
        list(&mut text, "positions chosen", pairs(letters));
        list(
            &mut text,
            "models that answered, by the endpoint's word",
            pairs(found.models.clone().into_iter().collect()),
        );
        let changed = found.favourable_when_changed.iter().map(u64::to_string).collect();
        list(&mut text, "favourable answers by variant, where they changed", changed);
        text.push('\n');
    }
    text
}
