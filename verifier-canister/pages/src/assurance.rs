//! What comes first on a certificate's page: whether it stands, what it says, and how far that is shown.

use audit::{
    certificate::{Level, Predicate},
    language::Kind,
};
use maud::{Markup, html};

use crate::{
    Page, Standing, logged,
    shell::{Place, time},
    text::count,
};

/// What has happened to a certificate that no longer stands.
pub(crate) fn notice(standing: &Standing, until: Option<u64>, place: Place) -> Markup {
    match standing {
        Standing::Stands => html! {
            @if let Some(until) = until { p class="until" { "Valid until " (time(until)) "." } }
        },
        Standing::Expired => html! {
            p class="notice" role="note" {
                "Its time is over" @if let Some(until) = until { " since " (time(until)) }
                ". What it found was true then; nothing is said about now."
            }
        },
        Standing::Superseded(by) => html! {
            p class="notice" role="note" {
                "Replaced by " (place.link(&Page::Certificate(*by).to_string(), &format!("certificate {by}"))) "."
            }
        },
        Standing::Suspended(row) => html! {
            p class="notice bad" role="note" {
                "Suspended. The log says of row " (row) " of the dataset what the public model does not decide: the canister ran the "
                "model on it. Nothing that follows from the log can be relied on."
            }
        },
        Standing::Revoked(reason) => html! {
            p class="notice bad" role="note" { "Revoked. Reason given: “" (reason) "”" }
        },
    }
}

/// Whether one class is better to get than the others: of a language model's questions none is.
fn has_favourable(predicate: &Predicate) -> bool {
    let language = predicate.log.as_ref().and_then(|log| log.language.as_ref());
    language.is_none_or(|language| language.kind == Kind::Counterfactual)
}

pub(crate) fn lead(predicate: &Predicate) -> Markup {
    let held = predicate.criteria.iter().filter(|one| one.verdict == audit::Verdict::Pass).count();
    let sample = &predicate.sample;
    html! {
        p class="lead" {
            "Model " strong { (predicate.model.name) } " was audited on " strong { (count(sample.size.into())) }
            " of " (count(predicate.dataset.rows.into())) " rows of " strong { (predicate.dataset.name) } " "
            (predicate.dataset.version) ". It meets " strong { (held) " of " (predicate.criteria.len()) }
            " criteria of the policy “" (predicate.policy.name) "”."
            @if has_favourable(predicate) { " The favourable decision is “" (predicate.favourable) "”." }
        }
    }
}

pub(crate) fn level(predicate: &Predicate, place: Place) -> Markup {
    let word = predicate.level.word();
    let endpoint = predicate.log.as_ref().is_some_and(audit::certificate::Logged::is_endpoint);
    let text = match predicate.level {
        Level::Attested if endpoint => {
            "The owner asked a language model behind an endpoint, and signed what came of every prompt at once after the \
             items were drawn. The canister counted each against labels and groups that it holds itself, and computed \
             every figure below from the counts. That this endpoint gave these answers is the owner's word."
        }
        Level::Attested => {
            "The model's owner ran it, and signed every prediction at once after the sample was drawn. The canister counted \
             each one against labels and groups that it holds itself, and computed every figure below from the counts. \
             That the model makes these predictions is the owner's word: nobody ran them again."
        }
        Level::SpotChecked => {
            "The model's owner ran it, and signed every prediction at once after the sample was drawn. The canister counted \
             each one against labels and groups that it holds itself. Only then did it draw predictions to be opened, and \
             those were run again without a difference. Every figure below follows from the counts; the predictions that \
             were not drawn are the owner's word."
        }
        Level::Replayed => {
            "The canister ran this public model itself, as exact integer arithmetic, on every row of the sample, and \
             computed every figure below from the counts. Anyone can run it again and must get the same bytes."
        }
        Level::Proved => {
            "The weights stay with their owner. The canister drew the sample after the weights were committed to, and \
             itself verified a zero-knowledge proof that exactly the committed model makes exactly these counts. \
             Every figure below follows from the counts. Anyone can verify the same proof again."
        }
    };
    html! {
        section class="level" aria-labelledby="level" {
            h2 id="level" { "Assurance: " span class={ "tag " (word) } { (word) } }
            p {
                (text)
                @if place == Place::Site { " " a href="/about#levels" { "The levels compared." } }
            }
            (logged::openings(predicate))
        }
    }
}
