//! What a certificate's page says about a prediction log.

use audit::{
    certificate::{Logged, Predicate},
    language::{LanguageFacts, LanguageModel},
    log::DecisionFacts,
};
use maud::{Markup, html};

use crate::{
    shell::{digest, facts, time, wide},
    text::{count, counted},
};

/// A text in one line, with what cannot be seen in it.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// The openings and what they were worth; nothing for a certificate that no log is behind.
pub(crate) fn openings(predicate: &Predicate) -> Markup {
    let Some(log) = &predicate.log else { return html! {} };
    let runtime = &log.runtime;
    let ran = html! {
        (runtime.name) " " (runtime.version) " on " (runtime.provider)
        @if runtime.fallback { ", parts perhaps on the CPU" } ", by the signer's word"
    };
    let mut rows = vec![
        ("Log handed in", html! { (time(log.submitted_at.0)) ", after the sample was drawn" }),
        ("Run by", ran),
        (
            "Decides by",
            html! {
                @match &log.language {
                    Some(language) => { "rule " code { (language.answers) } }
                    None => (decision(&log.decision)),
                }
                ", fixed with the model"
            },
        ),
    ];
    if let Some(LanguageFacts { model, templates, .. }) = &log.language {
        let ids: Vec<_> = templates.iter().map(|template| template.id.as_str()).collect();
        rows.push((
            "Asked",
            html! {
                "language model " (model.name())
                @match model {
                    LanguageModel::Endpoint(endpoint) => { " at " code { (endpoint.base_url) } ", by the signer's word" }
                    LanguageModel::Local(local) => {
                        ", which chooses by likelihood: file " (digest(local.file)) ", tokenizer " (digest(local.tokenizer))
                        @if !local.before.is_empty() { "; before a prompt stands " code { (quoted(&local.before)) } }
                        @if !local.after.is_empty() { "; behind a prompt stands " code { (quoted(&local.after)) } }
                    }
                }
                "; prompts " (ids.join(", "))
            },
        ));
    }
    if let Some(opened) = &log.openings {
        rows.push((
            "Openings drawn",
            html! {
                (time(opened.drawn_at.0)) ", after the log was handed in; for logs of this model "
                (counted(opened.draws.into(), "time")) " until then, this one included"
            },
        ));
        rows.push((
            "Opened",
            html! { (counted(opened.count.into(), "prediction")) ", " (time(opened.submitted_at.0)) },
        ));
        rows.push((
            "Run again",
            match &opened.checked {
                Some(checked) if checked.by == predicate.canister => {
                    html! { "by this canister, " (time(checked.at.0)) ": every class was the log's" }
                }
                Some(checked) => html! {
                    "by auditor " code { (checked.by) } ", " (time(checked.at.0)) ": every class was the log's"
                    @if !checked.note.is_empty() { br; "“" (checked.note) "”" }
                },
                None if log.is_endpoint() => {
                    html! { "never: an endpoint need not say the same again; what was opened is there to be read" }
                }
                None => html! { "by nobody who said so in time" },
            },
        ));
    }
    html! {
        (facts(rows))
        @if !predicate.odds.is_empty() {
            (wide("Odds", html! {
                table {
                    caption { "Had the owner lied about so many predictions, this draw would have opened one with this probability" }
                    thead { tr {
                        th scope="col" class="number" { "Lies" } th scope="col" class="number" { "Share" }
                        th scope="col" class="number" { "Caught with probability" }
                    } }
                    tbody { @for odds in &predicate.odds {
                        tr {
                            td class="number" { (count(odds.lies.into())) }
                            td class="number" { (odds.share) }
                            td class="number" { (odds.detected) }
                        }
                    } }
                }
            }))
        }
    }
}

/// How the class follows from the model's outputs.
fn decision(decision: &DecisionFacts) -> Markup {
    html! {
        "output " code { (decision.output) }
        @if let Some(threshold) = &decision.threshold { ", class 1 above " (threshold) }
        @if !decision.labels.is_empty() { ", labels " (decision.labels.join(", ")) }
    }
}

/// The log's digests.
pub(crate) fn digests(log: &Logged) -> Vec<(&'static str, Markup)> {
    let mut rows = vec![
        ("Log's root", digest(log.root)),
        ("Signed statement", digest(log.statement)),
        ("Signer's key", html! { (digest(log.signer)) ", Ed25519" }),
        ("Log as handed in", digest(log.content)),
    ];
    if let Some(opened) = &log.openings {
        rows.push(("Seed of the openings", digest(opened.seed)));
        rows.push(("Openings as handed in", digest(opened.content)));
    }
    rows
}
