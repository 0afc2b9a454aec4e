use audit::{
    Certificate, Metric, Verdict,
    certificate::{GroupRecord, Level, Logged, Measured, MetricRecord, Predicate},
    metrics::Rate,
};

use check::Report;
use serde_json::{Value, json};

use super::{check_document, language_model, measures, over_text};
use crate::{table::Table, time::utc};

/// The rates that a report shows of every group.
const SHOWN_RATES: [(Rate, &str); 6] = [
    (Rate::SelectionRate, ">selected"),
    (Rate::BaseRate, ">base rate"),
    (Rate::Accuracy, ">accuracy"),
    (Rate::Recall, ">recall"),
    (Rate::FalsePositiveRate, ">FPR"),
    (Rate::Precision, ">precision"),
];

/// A certificate with its check. `measures` is what a language model's answers add up to, which the body does not state.
pub fn certificate_document(certificate: &Certificate, report: &Report) -> Value {
    let measures = certificate.predicate.language_measures().ok();
    json!({ "check": check_document(report), "certificate": certificate, "measures": measures })
}

/// A certificate for people: verdict, criteria, groups, what is claimed and what is not; if `full`, every comparison
/// of groups too.
pub fn certificate_text(certificate: &Certificate, full: bool) -> String {
    let predicate = &certificate.predicate;
    let mut parts = vec![facts(predicate), criteria(predicate)];
    parts.extend(measures::answers(predicate));
    parts.push(groups(predicate));
    if full {
        parts.push(comparisons(predicate));
    }
    parts.extend(predicate.log.as_ref().map(|log| logged(log, predicate)));
    parts.push(assurance(predicate));
    format!("{}\n{}", verdict_line(certificate), parts.join("\n"))
}

/// `PASS  logistic on german-credit 1.0.0 by policy "…"`.
pub fn verdict_line(certificate: &Certificate) -> String {
    let predicate = &certificate.predicate;
    let held = predicate.criteria.iter().filter(|record| record.verdict == Verdict::Pass).count();
    format!(
        "{}  certificate {}: model {} on {} {}, {held} of {} criteria of policy {:?} hold\n",
        predicate.verdict.word().to_uppercase(),
        predicate.certificate,
        predicate.model.name,
        predicate.dataset.name,
        predicate.dataset.version,
        predicate.criteria.len(),
        predicate.policy.name,
    )
}

fn is_language(predicate: &Predicate) -> bool {
    predicate.log.as_ref().is_some_and(|log| log.language.is_some())
}

fn facts(predicate: &Predicate) -> String {
    let sample = &predicate.sample;
    let coverage =
        format!("{} of {} rows, drawn {}", sample.size, predicate.dataset.rows, utc(sample.drawn_at.0));
    let validity = predicate.valid_until.map_or("no end".to_owned(), |end| utc(end.0));
    let audits = format!(
        "{} of this model, {} of this owner, this one included",
        predicate.audits_of_model, predicate.audits_of_owner
    );
    let facts = [
        ("model", predicate.model.digest.to_string()),
        (
            match predicate.model.layers.is_empty() {
                // Of what it is, not of a file: where or in which files is told with the log.
                true if is_language(predicate) => "  named by",
                true => "  file",
                false => "  made from",
            },
            predicate.model.source.map_or_else(|| "not told".to_owned(), |source| source.to_string()),
        ),
        match predicate.model.layers.as_slice() {
            [] => ("  inside", "not told".to_owned()),
            layers => ("  layers", layers.join("; ")),
        },
        ("  fixed", utc(predicate.model.registered_at.0)),
        ("dataset", predicate.dataset.digest.to_string()),
        ("  fixed", utc(predicate.dataset.sealed_at.0)),
        ("policy", predicate.policy_digest.to_string()),
        ("sample", coverage),
        ("  seed", sample.seed.to_string()),
        ("owner", predicate.owner.clone()),
        ("audits", audits),
        ("canister", format!("{} ({})", predicate.canister, predicate.runtime)),
        ("issued", utc(predicate.issued_at.0)),
        ("valid until", validity),
    ];
    facts.iter().fold(String::new(), |text, (name, value)| format!("{text}  {name:<13}{value}\n"))
}

fn criteria(predicate: &Predicate) -> String {
    let mut table =
        Table::new(&["criterion", "over", ">value", "95 % interval", "", ">threshold", "verdict"]);
    for record in &predicate.criteria {
        let criterion = &record.criterion;
        let mut verdict = record.verdict.word().to_owned();
        for small in &record.small_groups {
            verdict.push_str(&format!("; {} has only {} samples", small.group, small.size));
        }
        table.row([
            criterion.metric.to_string(),
            over_text(&criterion.attributes, &criterion.group, criterion.class.as_deref()),
            value(&record.value),
            interval(&record.value),
            criterion.comparator.sign().to_owned(),
            criterion.threshold.to_string(),
            verdict,
        ]);
    }
    table.render(2)
}

fn groups(predicate: &Predicate) -> String {
    let mut header = vec!["group", ">n"];
    header.extend(SHOWN_RATES.map(|(_, name)| name));
    let mut table = Table::new(&header);
    let favourable = |group: &&GroupRecord| group.class == predicate.favourable;
    for group in predicate.groups.iter().filter(favourable) {
        let rate = |rate| find(&group.metrics, Metric::Rate(rate)).map_or_else(|| "-".to_owned(), value);
        let size = format!("{}{}", group.size, if group.small { "*" } else { "" });
        let mut cells = vec![over_text(&group.attributes, &group.group, None), size];
        cells.extend(SHOWN_RATES.map(|(name, _)| rate(name)));
        table.row(cells);
    }
    let any_small = predicate.groups.iter().any(|group| group.small);
    let smallest = predicate.policy.min_group_size;
    let note = if any_small {
        format!("  * fewer than {smallest} samples: the policy decides nothing by it\n")
    } else {
        String::new()
    };
    let title = match is_language(predicate) {
        false => format!("favourable class: {}", predicate.favourable),
        // Its own accuracy counts every class, and stands with what the answers add up to.
        true => format!(
            "class \"{}\" against all others, invalid and failed answers among them:",
            predicate.favourable
        ),
    };
    format!("  {title}\n{}{note}", table.render(2))
}

fn comparisons(predicate: &Predicate) -> String {
    let mut table = Table::new(&["comparison", "over", ">value", "95 % interval"]);
    for comparison in &predicate.comparisons {
        for record in &comparison.metrics {
            table.row([
                record.metric.to_string(),
                comparison.attributes.join(", "),
                value(&record.value),
                interval(&record.value),
            ]);
        }
    }
    table.render(2)
}

fn logged(log: &Logged, predicate: &Predicate) -> String {
    let runtime = &log.runtime;
    let mut text = format!(
        "  log of {} predictions, handed in {}, root {}\n  signed with {}\n  run by {} {} on {}, by the signer's word\n",
        predicate.sample.size,
        utc(log.submitted_at.0),
        log.root,
        log.signer,
        runtime.name,
        runtime.version,
        runtime.provider,
    );
    if let Some(language) = &log.language {
        text.push_str(&format!("  asked: language model {}\n", language_model(&language.model)));
    }
    if let Some(opened) = &log.openings {
        let checked = opened.checked.as_ref();
        let checked = checked.map(|one| format!("run again by {}, {}", one.by, utc(one.at.0)));
        text.push_str(&format!(
            "  {} predictions opened, drawn {} (draw {} of this model), {}\n",
            opened.count,
            utc(opened.drawn_at.0),
            opened.draws,
            checked.unwrap_or_else(|| "run again by nobody".to_owned()),
        ));
    }
    for odds in &predicate.odds {
        let (lies, share, detected) = (odds.lies, &odds.share, &odds.detected);
        let noun = if lies == 1 { "lie" } else { "lies" };
        text.push_str(&format!(
            "  {lies} {noun} ({share}) would have been found with probability {detected}\n"
        ));
    }
    text
}

fn assurance(predicate: &Predicate) -> String {
    let mut text = String::from(match predicate.level {
        Level::Attested => {
            "  level `attested`: the owner ran the model on rows that the canister drew, and signed every prediction at once.\n  \
             The canister counted them against its own labels and groups and computed everything above. Nobody has\n  \
             shown that the model makes them. It does not say:\n"
        }
        Level::SpotChecked => {
            "  level `spot-checked`: the owner ran the model on rows that the canister drew, and signed every prediction at\n  \
             once. The canister counted them, then drew some to be opened; those were run again without a difference.\n  \
             It does not say:\n"
        }
        Level::Replayed => {
            "  level `replayed`: the canister itself ran this model on every sampled row, after model and dataset were\n  \
             fixed, and computed everything above from the counts. It does not say:\n"
        }
        Level::Proved => {
            "  level `proved`: the weights are private. The canister drew the rows after the weights were committed to,\n  \
             verified a zero-knowledge proof that exactly the committed model makes exactly these counts on them,\n  \
             and computed everything above from the counts. It does not say:\n"
        }
    });
    for caveat in &predicate.caveats {
        text.push_str(&wrap(caveat, 108, "  - ", "    "));
    }
    text
}

fn wrap(text: &str, width: usize, first: &str, next: &str) -> String {
    let (mut out, mut line) = (String::new(), first.to_owned());
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > width && line.trim() != first.trim() {
            out.push_str(line.trim_end());
            out.push('\n');
            line = next.to_owned();
        }
        line.push_str(word);
        line.push(' ');
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

fn find(metrics: &[MetricRecord], metric: Metric) -> Option<&Measured> {
    metrics.iter().find(|record| record.metric == metric).map(|record| &record.value)
}

/// Four digits, or why there is no value.
fn value(measured: &Measured) -> String {
    match (&measured.decimal, &measured.undefined) {
        (Some(decimal), _) => match measured.exact.as_ref() {
            Some(exact) => exact.to_decimal(4),
            None => decimal.clone(),
        },
        (None, Some(undefined)) => format!("undefined: {}", undefined.reason.text()),
        (None, None) => "-".to_owned(),
    }
}

fn interval(measured: &Measured) -> String {
    let text = |interval: &audit::interval::Interval| format!("{} to {}", interval.lower, interval.upper);
    measured.interval.as_ref().map(text).unwrap_or_default()
}
