use check::rerun::{Comparison, WrongPrediction};
use serde_json::Value;

use crate::table::Table;

/// Differences that are shown; all are counted, and `--json` has them all.
const SHOWN: usize = 20;

fn logged_text(comparison: &Comparison) -> String {
    let Some(logged) = &comparison.logged else { return String::new() };
    let mut text = format!("{} predictions counted, {} openings hold\n", comparison.samples, logged.openings);
    text.push_str(&match logged.ran {
        false => "the model was not run: --model FILE does that, with the file from its owner, unless it is \
                  behind an endpoint\n"
            .to_owned(),
        true => format!("the model was run: it does not make {} of them\n", logged.wrong.len()),
    });
    for WrongPrediction { index, row, logged, decided } in logged.wrong.iter().take(SHOWN) {
        let decided = decided.map_or("nothing: it cannot be run on it".to_owned(), |class| class.to_string());
        text.push_str(&format!(
            "prediction {index}, row {row}: logged {logged}, the model decides {decided}\n"
        ));
    }
    text.push('\n');
    text
}

/// A rerun, one line for each part of the certificate.
pub fn rerun_text(comparison: &Comparison) -> String {
    let mut table = Table::new(&["part", ">values", ">different"]);
    for (name, section) in &comparison.sections {
        table.row([name.clone(), section.values.to_string(), section.differences.len().to_string()]);
    }
    let differences: usize = comparison.sections.values().map(|section| section.differences.len()).sum();
    table.row(["all".to_owned(), comparison.values().to_string(), differences.to_string()]);
    let Comparison { samples, parameters, proofs, logged, .. } = comparison;
    let mut text = match proofs {
        _ if logged.is_some() => logged_text(comparison),
        0 => format!("{samples} samples run on {parameters} parameters\n\n"),
        proofs => format!("proofs verified: the weights' range, and {proofs} about {samples} samples\n\n"),
    };
    text.push_str(&table.render(0));
    if differences > 0 {
        let shown = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
        let mut table = Table::new(&["different value", "rerun", "certificate"]);
        for difference in comparison.differences().take(SHOWN) {
            table.row([difference.path.clone(), shown(&difference.rerun), shown(&difference.certificate)]);
        }
        text.push('\n');
        text.push_str(&table.render(0));
        if differences > SHOWN {
            text.push_str(&format!("and {} more\n", differences - SHOWN));
        }
    }
    let (equal, digest) = (comparison.is_equal(), comparison.rerun_digest);
    let unrun = comparison.logged.as_ref().is_some_and(|logged| !logged.ran);
    text.push_str(&if equal && unrun {
        format!("\ncounted, NOT RUN: the log gives the certificate's bytes, SHA-256 {digest}\n")
    } else if equal {
        format!("\nequal: the rebuilt certificate has the same bytes, SHA-256 {digest}\n")
    } else {
        format!(
            "\nDIFFERENT: the rebuilt certificate has SHA-256 {digest}, not {}\n",
            comparison.certificate_digest
        )
    });
    text
}
