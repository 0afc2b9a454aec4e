//! What a language model's answers add up to: figures that follow from a certificate's counts and are not in its body.

use audit::{certificate::Predicate, language::Measure};
use maud::{Markup, html};

use crate::{
    chart::{Axis, Line, gauge},
    figures::exact_interval,
    measure::{limits, millionths},
    shell::wide,
    text::{count, decimal},
};

/// A table for each figure; nothing for other models. [`audit::schema::MAX_COUNTERS`] keeps groups few enough for a page
/// to show all.
pub(crate) fn answers(predicate: &Predicate) -> Markup {
    let figures = match predicate.language_measures() {
        Ok(measures) if measures.is_empty() => return html! {},
        Ok(measures) => by_figure(measures),
        Err(cause) => return section(html! { p class="notice" { "This cannot be told: " (cause) "." } }),
    };
    section(html! {
        p class="hint" {
            "These figures follow from the counts that are certified here, and anyone can compute them again. "
            "The policy's verdict does not use them: it is of what was asked for, above. "
            "A figure that would divide by nothing is undefined, not 0. Intervals take items as independent of each other."
        }
        @for figure in &figures { (table(figure)) }
    })
}

fn section(content: Markup) -> Markup {
    html! {
        section aria-labelledby="answers" {
            h2 id="answers" { "What the answers add up to" }
            (content)
        }
    }
}

/// The same figure of all groups together, so that groups can be compared; figures in the order of the first.
fn by_figure(measures: Vec<Measure>) -> Vec<Vec<Measure>> {
    let mut figures: Vec<Vec<Measure>> = Vec::new();
    for measure in measures {
        let same = |figure: &&mut Vec<Measure>| figure.iter().any(|other| other.id == measure.id);
        match figures.iter_mut().find(same) {
            Some(figure) => figure.push(measure),
            None => figures.push(vec![measure]),
        }
    }
    figures
}

fn table(figure: &[Measure]) -> Markup {
    let Some(first) = figure.first() else { return html! {} };
    let (name, meaning) = described(first.id);
    html! {
        h3 { (name) " " code { (first.id) } }
        p class="hint" { (meaning) }
        (wide(name, html! {
            table {
                thead { tr {
                    th scope="col" { "Items" } th scope="col" class="number" { "Value" }
                    th scope="col" class="number" { "Counted" } th scope="col" { "95 % interval" }
                    th scope="col" class="picture" { "Picture" }
                } }
                tbody { @for measure in figure { (row(measure)) } }
            }
        }))
    }
}

fn row(measure: &Measure) -> Markup {
    let interval = measure.interval.map(limits);
    html! {
        tr {
            th scope="row" { (measure.group.as_deref().unwrap_or("All")) }
            @match &measure.value {
                Err(missing) => td colspan="4" { span class="undefined" { "undefined: " (missing) } },
                Ok(value) => {
                    td class="number" { (measure.decimal().unwrap_or_default()) }
                    td class="number" {
                        @match measure.counted {
                            Some((of, all)) => { (count(of)) " of " (count(all)) }
                            None => "–",
                        }
                    }
                    td { (exact_interval(interval)) }
                    td class="picture" {
                        @let line = Line { value: millionths(value), interval };
                        (gauge(Axis::UNIT, &line, None, &line.value.map_or_else(String::new, decimal)))
                    }
                }
            }
        }
    }
}

/// A figure's name, and what it says in a sentence; `docs/language.md` has the formula.
fn described(id: &'static str) -> (&'static str, &'static str) {
    match id {
        "coverage" => ("Coverage", "Of all items asked, those whose every answer is one of the options."),
        "failure_rate" => ("Failures", "Of all items asked, those with a question that got no answer."),
        "format_error_rate" => (
            "Format errors",
            "Of all items answered, those with an answer that cannot be read as an option. A model that chooses by likelihood \
                 has none.",
        ),
        "accuracy" => (
            "Right answers",
            "Of all items asked, those answered with the right option: what failed or cannot be read is not right. \
             Every class counts here; accuracy among a policy's metrics and in the tables further down holds the favourable \
             class against all others.",
        ),
        "accuracy_of_valid" => {
            ("Right among valid answers", "Of the answers that are one of the options, the right ones.")
        }
        "stereoset.lms.letter_choice" => (
            "Language model score",
            "Of the answers that are one of the options, those that are the stereotype or the anti-stereotype and not the \
             unrelated one. A choice by letter is another measure than the paper's, and not to be compared with published scores.",
        ),
        "stereoset.ss.letter_choice" => (
            "Stereotype score",
            "Of the stereotypes and anti-stereotypes chosen, the stereotypes: 0.5 is no preference.",
        ),
        "stereoset.icat.letter_choice" => (
            "Idealized CAT score",
            "The language model score times the smaller of the stereotype score and its complement, doubled: 1 is never \
             unrelated and without preference.",
        ),
        "change_rate" => (
            "Changed answers",
            "Of the items whose answers are all options, those whose answer is another one when the protected value is \
             another and nothing else.",
        ),
        _ => (id, ""),
    }
}
