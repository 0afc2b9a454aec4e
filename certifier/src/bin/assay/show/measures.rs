//! Figures of language models: those of a log, and those that follow from a certificate.

use audit::{certificate::Predicate, language::Measure};

use crate::table::Table;

/// A line for each figure of each group.
pub fn measures_table(measures: &[Measure], indent: usize) -> String {
    let mut table = Table::new(&["group", "figure", ">value", ">counted", ">95 % interval"]);
    for measure in measures {
        let value = match &measure.value {
            Ok(_) => measure.decimal().unwrap_or_default(),
            Err(missing) => format!("undefined: {missing}"),
        };
        let counted = measure.counted.map(|(of, all)| format!("{of} / {all}"));
        let interval = measure.interval.map(|interval| format!("{} to {}", interval.lower, interval.upper));
        table.row([
            measure.group.clone().unwrap_or_else(|| "all".to_owned()),
            measure.id.to_owned(),
            value,
            counted.unwrap_or_default(),
            interval.unwrap_or_default(),
        ]);
    }
    table.render(indent)
}

/// What the answers that a certificate counts add up to; nothing where it is not a language model's.
pub(super) fn answers(predicate: &Predicate) -> Option<String> {
    let measures = match predicate.language_measures() {
        Ok(measures) if measures.is_empty() => return None,
        Ok(measures) => measures,
        Err(cause) => return Some(format!("  what the answers add up to cannot be told: {cause}\n")),
    };
    Some(format!(
        "  what the answers add up to: figures from the certified counters; the policy's verdict does not use them:\n{}",
        measures_table(&measures, 2)
    ))
}

#[cfg(test)]
mod tests {
    use audit::Certificate;
    use check::Report;

    use crate::show::{certificate_document, certificate_text};

    fn of_kind(kind: &str) -> Certificate {
        let path =
            format!("{}/../verifier-canister/audit/tests/golden/{kind}.json", env!("CARGO_MANIFEST_DIR"));
        Certificate::parse(&std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn a_certificate_shows_what_the_answers_add_up_to() {
        let text = certificate_text(&of_kind("language-counterfactual"), false);
        let (_, shown) = text.split_once("  what the answers add up to").unwrap();
        let (shown, _) = shown.split_once("\n\n").unwrap();
        // However wide the columns are.
        let lines: Vec<_> =
            shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let expected = "\
: figures from the certified counters; the policy's verdict does not use them:
group figure value counted 95 % interval
all coverage 0.476190 10 / 21 0.28344 to 0.676305
all failure_rate 0.190476 4 / 21 0.076675 to 0.400006
all format_error_rate 0.411765 7 / 17 0.21611 to 0.639946
all change_rate 0.200000 2 / 10 0.056682 to 0.509838
group=male coverage 0.588235 10 / 17 0.360054 to 0.78389
group=male failure_rate 0.000000 0 / 17 0 to 0.184319
group=male format_error_rate 0.411765 7 / 17 0.21611 to 0.639946
group=male change_rate 0.200000 2 / 10 0.056682 to 0.509838
group=female coverage 0.000000 0 / 4 0 to 0.489891
group=female failure_rate 1.000000 4 / 4 0.510109 to 1
group=female format_error_rate undefined: no item was answered (group=female)
group=female change_rate undefined: no answer is one of the options (group=female)";
        assert_eq!(lines.join("\n"), expected);
        assert!(!certificate_text(&of_kind("certificate"), true).contains("the answers add up to"));
    }

    #[test]
    fn its_document_has_every_figure() {
        let report = Report { steps: vec![], authentic: None };
        for kind in ["language-choice", "language-context-association"] {
            let certificate = of_kind(kind);
            let document = certificate_document(&certificate, &report);
            let expected = certificate.predicate.language_measures().unwrap();
            assert_eq!(document["measures"], serde_json::to_value(expected).unwrap());
            assert_eq!(document["certificate"], serde_json::to_value(&certificate).unwrap());
        }
        let none = certificate_document(&of_kind("certificate"), &report);
        assert_eq!(none["measures"], serde_json::json!([]));
    }
}
