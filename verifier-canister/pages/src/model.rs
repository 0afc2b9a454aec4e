use interface::{AuditRecord, AuditState, CertificateSummary, ModelRecord};
use maud::{Markup, html};

use crate::{
    Measure, Page, Scores, Site, Standing,
    chart::{Line, history},
    list,
    shell::{digest, facts, page, time, wide},
    text::{count, counted, short},
};

/// What a model's page shows.
#[derive(Debug)]
pub struct ModelView {
    /// The model.
    pub record: ModelRecord,
    /// Certificates of all versions, the newest first, with their figures; not more than some.
    pub certificates: Vec<(CertificateSummary, Standing, Scores)>,
    /// Its audits, the newest first; not more than some.
    pub audits: Vec<AuditRecord>,
    /// Models of this owner with this name and the number of their certificates, the newest first; not more than some.
    pub versions: Vec<(ModelRecord, u64)>,
}

/// A model's page: what it is, and its history over versions.
pub fn model(site: &Site, view: &ModelView) -> Vec<u8> {
    let record = &view.record;
    let rows: Vec<_> =
        view.certificates.iter().map(|(summary, standing, _)| (summary.clone(), standing.clone())).collect();
    page(
        site,
        &format!("Model {}", record.name),
        html! {
            h1 { "Model " (record.name) }
            p class="lead" {
                @if record.logged {
                    "Logged: the model stays with its owner, or with an endpoint that the owner asks. The canister holds a digest, and audits signed logs of predictions."
                } @else if record.commitment.is_some() {
                    "Private: its weights stay with the owner, and the canister holds a binding commitment to them."
                } @else {
                    "Public: the canister holds the integer model itself, and anyone can run it."
                }
            }
            section aria-labelledby="certificates" {
                h2 id="certificates" { "Certificates of all versions" }
                (list::table(&rows))
            }
            (charts(view))
            section aria-labelledby="versions" {
                h2 id="versions" { "Versions" }
                p class="hint" { "Models that the same owner registered under the same name." }
                (versions(view))
            }
            section aria-labelledby="audits" {
                h2 id="audits" { "Audits of this version" }
                p { (counted(record.audits.into(), "audit")) " requested, whatever became of them." }
                (audits(&view.audits))
            }
            section aria-labelledby="identity" {
                h2 id="identity" { "Identity" }
                (identity(record))
            }
        },
    )
}

/// How the figures went, where a dataset has certificates of more than one audit.
/// What is followed over time. Of a language model's classes none is favourable, or not all: every one counts.
fn shown(view: &ModelView, own: &[&(CertificateSummary, Standing, Scores)]) -> Vec<Measure> {
    let has_classes = own.iter().any(|(_, _, scores)| scores.get(Measure::MULTICLASS_ACCURACY).is_some());
    match view.record.logged && has_classes {
        true => vec![Measure::MULTICLASS_ACCURACY],
        false => vec![Measure::ACCURACY, Measure::equalized_odds(0)],
    }
}

fn charts(view: &ModelView) -> Markup {
    let mut datasets: Vec<_> = view.certificates.iter().map(|(summary, ..)| summary.dataset).collect();
    datasets.dedup();
    datasets.sort();
    datasets.dedup();
    html! {
        @for dataset in datasets {
            @let own: Vec<_> = view.certificates.iter().rev().filter(|(summary, ..)| summary.dataset == dataset).collect();
            @if let [(first, ..), _, ..] = own.as_slice() {
                section class="charts" {
                    h2 { "Over time on " (first.dataset_name) }
                    @for measure in shown(view, &own) {
                        @let line = |scores: &Scores| scores.get(measure).map(|score| Line { value: score.value, interval: score.interval });
                        @let points: Vec<Line> = own.iter().filter_map(|(_, _, scores)| line(scores)).collect();
                        @if !points.is_empty() { (history(&points, measure.description().name)) }
                    }
                }
            }
        }
    }
}

fn versions(view: &ModelView) -> Markup {
    wide(
        "Versions as a table",
        html! {
            table {
                thead { tr {
                    th scope="col" { "Model" } th scope="col" { "Registered" }
                    th scope="col" class="number" { "Parameters" } th scope="col" { "Weights" }
                    th scope="col" class="number" { "Certificates" }
                } }
                tbody {
                    @for (version, certificates) in &view.versions {
                        tr {
                            th scope="row" {
                                @if version.digest == view.record.digest { code { (short(version.digest.into())) } " (this one)" }
                                @else { a href=(Page::Model(version.digest.into())) { code { (short(version.digest.into())) } } }
                            }
                            td { (time(version.registered_at_ns)) }
                            td class="number" { @if version.logged { "–" } @else { (count(version.parameters)) } }
                            td { (weights(version)) }
                            td class="number" { (count(*certificates)) }
                        }
                    }
                }
            }
        },
    )
}

/// Where the weights are.
fn weights(record: &ModelRecord) -> &'static str {
    match (record.commitment, record.logged) {
        (Some(_), _) => "private",
        (None, true) => "logged",
        (None, false) => "public",
    }
}

fn audits(audits: &[AuditRecord]) -> Markup {
    if audits.is_empty() {
        return html! {};
    }
    wide(
        "Audits",
        html! {
            table {
                thead { tr {
                    th scope="col" class="number" { "No." } th scope="col" { "Requested" } th scope="col" { "Policy" }
                    th scope="col" class="number" { "Samples" } th scope="col" { "What became of it" }
                } }
                tbody {
                    @for audit in audits {
                        tr {
                            th scope="row" class="number" { (audit.id) }
                            td { (time(audit.requested_at_ns)) }
                            td { (audit.policy_name) }
                            td class="number" { (count(audit.sample_size.into())) }
                            td { (state(&audit.state)) }
                        }
                    }
                }
            }
        },
    )
}

fn state(state: &AuditState) -> Markup {
    match state {
        AuditState::Requested => html! { "requested" },
        AuditState::Running { .. } => html! { "running" },
        AuditState::AwaitingProof { .. } => html! { "waits for its owner's proof" },
        AuditState::AwaitingLog { .. } => html! { "waits for its owner's log" },
        AuditState::Counted { .. } => html! { "log counted, openings to be drawn" },
        AuditState::AwaitingOpenings { .. } => html! { "waits for its owner to open predictions" },
        AuditState::AwaitingAuditor { .. } => html! { "openings wait for an auditor" },
        AuditState::Completed { certificate } => {
            html! { a href=(Page::Certificate(*certificate)) { "certificate " (certificate) } }
        }
        AuditState::Refused { reason } => html! { "refused: " (reason) },
        AuditState::Abandoned { reason, .. } => html! { "abandoned: " (reason) },
    }
}

fn identity(record: &ModelRecord) -> Markup {
    let layers = record.layers.iter().map(|one| format!("{} × {} {}", one.inputs, one.units, one.activation));
    let what = match (record.commitment, record.logged) {
        (Some(_), _) => "Package",
        (None, true) => "Card",
        (None, false) => "Model",
    };
    let mut rows = vec![(what, digest(record.digest))];
    if let Some(commitment) = record.commitment {
        rows.push(("Commitment", digest(commitment)));
    }
    if let Some(source) = record.source {
        let what = if record.logged { "File or endpoint" } else { "Made from" };
        rows.push((what, html! { (digest(source)) ", by its owner's statement" }));
    }
    if record.logged {
        rows.push(("Inside", html! { "not known here: the owner logs its predictions" }));
    } else {
        rows.extend([
            ("Layers", html! { (layers.collect::<Vec<_>>().join("; ")) }),
            ("Parameters", html! { (count(record.parameters)) }),
        ]);
    }
    rows.extend([
        ("Encoding", digest(record.encoding)),
        ("Owner", html! { code { (record.owner) } }),
        ("Registered", time(record.registered_at_ns)),
    ]);
    facts(rows)
}
