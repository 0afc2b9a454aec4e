//! Models ranked on a dataset by one measure.

use std::rc::Rc;

use audit::{Attribute, Digest, Schema};
use interface::CertificateSummary;
use maud::{Markup, html};

use crate::{
    Measure, Page, Score, Scores, Site, Standing,
    chart::{Axis, Line, gauge},
    figures::interval,
    shell::{day, page, wide},
    standing::{outcome, verdict_word},
    text::{count, counted, decimal},
};

/// A model's place: its newest standing certificate on the dataset.
#[derive(Debug)]
pub struct Entry {
    /// The certificate.
    pub summary: CertificateSummary,
    /// How far the counts were checked.
    pub level: &'static str,
    /// Audits of the model, whatever became of them.
    pub audits: u32,
    /// Its figures.
    pub scores: Scores,
}

/// The page of one ranking; `entries` are the best of `all` models.
pub fn ranking(
    site: &Site,
    dataset: Digest,
    schema: &Schema,
    measure: Measure,
    entries: &[Rc<Entry>],
    all: u64,
) -> Vec<u8> {
    let name = title(measure, &schema.attributes);
    page(
        site,
        &format!("{name} on {}", schema.name),
        html! {
            p class="crumb" { a href=(Page::Dataset(dataset)) { (schema.name) } }
            h1 { (name) }
            p class="lead" { (measure.description().meaning) }
            (table(entries, measure))
            (notes(entries.len() as u64, all))
            section aria-labelledby="others" {
                h2 id="others" { "By another measure" }
                (links(dataset, schema))
            }
        },
    )
}

/// A measure's name, with the attribute that it compares.
pub(crate) fn title(measure: Measure, attributes: &[Attribute]) -> String {
    let name = measure.description().name;
    let attribute = measure.attribute().and_then(|index| attributes.get(usize::from(index)));
    attribute.map_or_else(|| name.to_owned(), |attribute| format!("{name} by {}", attribute.name))
}

/// Models with one measure, as a table that can be sorted.
pub(crate) fn table(entries: &[Rc<Entry>], measure: Measure) -> Markup {
    if entries.is_empty() {
        return html! { p class="hint" { "No certificate that stands is ranked here. Those from logs, attested or spot-checked, never are." } };
    }
    let name = measure.description().name;
    wide(
        name,
        html! {
            table class="sortable" {
                thead { tr {
                    th scope="col" { "Model" }
                    th scope="col" class="number" { (name) }
                    th scope="col" { "95 % interval" } th scope="col" class="picture" { "Picture" }
                    @if measure.attribute().is_some() { th scope="col" class="number" { "Accuracy" } }
                    th scope="col" class="number" { "Samples" } th scope="col" class="number" { "Audits" }
                    th scope="col" { "Assurance" } th scope="col" { "Certificate, policy" } th scope="col" { "Issued" }
                } }
                tbody { @for entry in entries { (row(entry, measure)) } }
            }
        },
    )
}

fn row(entry: &Entry, measure: Measure) -> Markup {
    let summary = &entry.summary;
    let score = entry.scores.get(measure);
    let value = score.and_then(|score| score.value);
    let small = score.is_some_and(|score| score.small);
    html! {
        tr {
            th scope="row" { a href=(Page::Model(summary.model.into())) { (summary.model_name) } }
            td class="number" data-value=[value] {
                @match value {
                    Some(value) => (decimal(value)),
                    None => span class="undefined" title="A group has nothing to divide by; see the certificate" { "undefined" },
                }
                @if small { " " span class="tag small" title="A group has fewer than 30 samples" { "small group" } }
            }
            td { (interval(score.and_then(|score| score.interval))) }
            td class="picture" { (picture(score)) }
            @if measure.attribute().is_some() {
                @let accuracy = entry.scores.get(Measure::ACCURACY).and_then(|score| score.value);
                td class="number" data-value=[accuracy] { @if let Some(accuracy) = accuracy { (decimal(accuracy)) } }
            }
            td class="number" data-value=(summary.sample_size) { (count(summary.sample_size.into())) }
            td class="number" data-value=(entry.audits) { (entry.audits) }
            td { span class={ "tag " (entry.level) } { (entry.level) } }
            td data-value=(verdict_word(summary.verdict)) {
                a href=(Page::Certificate(summary.id)) { "No. " (summary.id) } " "
                (outcome(summary.verdict, &Standing::Stands))
                div class="hint" { (summary.policy_name) }
            }
            td data-value=(summary.issued_at_ns) { (day(summary.issued_at_ns)) }
        }
    }
}

fn picture(score: Option<&Score>) -> Markup {
    let Some(score) = score else { return html! {} };
    let ends = score.interval.into_iter().flat_map(|(lower, upper)| [lower, upper]);
    let axis = Axis::holding(ends.chain(score.value));
    let text = score.value.map_or_else(|| "undefined".to_owned(), decimal);
    gauge(axis, &Line { value: score.value, interval: score.interval }, None, &text)
}

/// What a ranking does not say.
pub(crate) fn notes(shown: u64, all: u64) -> Markup {
    html! {
        @if all > shown { p class="hint" { "The first " (count(shown)) " of " (counted(all, "model")) "; the canister's lists have them all." } }
        p class="hint" {
            "One row per model: its newest certificate of level replayed or proved, if that stands; what is attested or "
            "spot-checked is not ranked. Ranked by the end of the 95 % interval that speaks against the "
            "model, or by the value where there is no interval; a group with fewer than 30 samples comes after all others. Samples are drawn anew for each audit, so models whose "
            "intervals overlap are not told apart by their order, and many audits of one model are a reason to look closer. A model "
            "that decides alike for everybody has no differences: look at its accuracy. "
            "A policy's verdict is about that policy, whichever measure ranks."
        }
    }
}

/// Links to all rankings of a dataset.
pub(crate) fn links(dataset: Digest, schema: &Schema) -> Markup {
    let measures = Measure::of(schema);
    let of = |attribute: Option<u8>| {
        measures.iter().copied().filter(move |measure| measure.attribute() == attribute)
    };
    html! {
        dl class="measures" {
            dt { "All samples" }
            dd { ul { @for measure in of(None) { li { a href=(Page::Ranking(dataset, measure)) { (measure.description().name) } } } } }
            @for (index, attribute) in schema.attributes.iter().enumerate() {
                dt { "Between groups of " (attribute.name) }
                dd { ul { @for measure in of(u8::try_from(index).ok()) { li { a href=(Page::Ranking(dataset, measure)) { (measure.description().name) } } } } }
            }
        }
    }
}
