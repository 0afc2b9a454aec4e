//! A certificate's page: what was found, how far that is proved, and how to check it.

use audit::{
    Certificate, Criterion, Digest,
    certificate::{CriterionRecord, Level, Measured, Predicate},
};
use interface::{Attestation, CertificateSummary, Finding};
use maud::{Markup, html};

use crate::{
    Page, Site, Standing,
    answers::answers,
    assurance::{lead, level, notice},
    chart::{Allowed, Axis, Line, gauge},
    comparisons,
    figures::{exact_interval, exact_value, interval_of},
    logged,
    measure::{micros, millionths},
    shell::{Place, digest, facts, page, time, wide},
    standing::outcome,
    text::{count, counted, decimal, over, sign},
};

/// The page of the certificate that `summary` lists and `certificate` is the body of.
pub fn certificate(
    site: &Site,
    summary: &CertificateSummary,
    certificate: &Certificate,
    standing: &Standing,
    findings: &[Attestation],
) -> Vec<u8> {
    let predicate = &certificate.predicate;
    let title = format!("Certificate {}: {}", summary.id, summary.model_name);
    page(
        site,
        &title,
        html! {
            article {
                p class="crumb" {
                    a href=(Page::Dataset(summary.dataset.into())) { (summary.dataset_name) }
                    " / " a href=(Page::Model(summary.model.into())) { (summary.model_name) }
                }
                h1 { "Certificate " (summary.id) " " (outcome(summary.verdict, standing)) }
                (notice(standing, summary.valid_until_ns, Place::Site))
                (lead(predicate))
                (level(predicate, Place::Site))
                (verification(summary, predicate))
                (auditors(findings))
                (criteria(predicate))
                (answers(predicate))
                (comparisons::groups(predicate, Place::Site))
                (comparisons::all(predicate, Place::Site))
                (sample(predicate))
                (caveats(predicate))
                (identity(summary.body_digest.into(), predicate, Place::Site))
                (take_away(site, summary, predicate))
            }
        },
    )
}

/// Filled in by the script; without it, the commands further down do the same.
fn verification(summary: &CertificateSummary, predicate: &Predicate) -> Markup {
    html! {
        section id="verify" data-canister=(predicate.canister) data-certificate=(summary.id)
            data-level=(predicate.level.word()) hidden aria-labelledby="verify-title" {
            h2 id="verify-title" { "Check it yourself, here" }
            p {
                "Your browser fetches the certificate with its signatures, checks each step below, and then "
                (match predicate.level {
                    Level::Proved => "verifies the zero-knowledge proof",
                    Level::Replayed => "runs the model on the whole sample again",
                    Level::Attested | Level::SpotChecked => "counts the signed predictions again",
                })
                ". Nothing leaves this page."
            }
            p class="hint" {
                "The checker came from the same server as this page. Whoever doubts that server takes a checker that came another "
                "way: the command line, or the JavaScript package."
            }
            button type="button" { "Verify in this browser" }
            ol class="steps" aria-live="polite" {}
            p class="outcome" role="status" {}
        }
    }
}

/// What auditors say who ran the audit again.
fn auditors(findings: &[Attestation]) -> Markup {
    html! {
        section aria-labelledby="auditors" {
            h2 id="auditors" { "What auditors say" }
            @if findings.is_empty() {
                p class="hint" { "No auditor has put a finding beside this certificate." }
            } @else {
                ul class="findings" {
                    @for one in findings {
                        @let word = match one.finding {
                            Finding::Agrees => "pass",
                            Finding::Disagrees => "fail",
                            Finding::NotReproduced => "undefined",
                        };
                        li {
                            span class={ "verdict " (word) } { (one.finding.name()) } " " code { (one.auditor) } ", "
                            (time(one.at_ns))
                            @if one.revisions > 0 { ", changed " (counted(one.revisions.into(), "time")) }
                            @if !one.note.is_empty() { br; "“" (one.note) "”" }
                            @if let (Finding::Disagrees, Some(digest_of)) = (one.finding, one.rerun) {
                                br; "The rerun gave " (digest(digest_of))
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(crate) fn criteria(predicate: &Predicate) -> Markup {
    html! {
        section aria-labelledby="criteria" {
            h2 id="criteria" { "What was asked for" }
            (wide("Criteria", html! {
                table {
                    thead { tr {
                        th scope="col" { "Metric" } th scope="col" { "Verdict" } th scope="col" { "Over" }
                        th scope="col" class="number" { "Value" } th scope="col" { "95 % interval" }
                        th scope="col" class="number" { "Threshold" } th scope="col" class="picture" { "Picture" }
                    } }
                    tbody { @for record in &predicate.criteria { (criterion(record)) } }
                }
            }))
            p class="hint" {
                "Values are compared with thresholds as exact fractions; the interval is not part of the decision. "
                "Shaded: what the policy allows. A group with fewer than "
                (predicate.policy.min_group_size) " samples leaves a criterion undecided."
            }
        }
    }
}

fn criterion(record: &CriterionRecord) -> Markup {
    let criterion = &record.criterion;
    let word = record.verdict.word();
    let threshold = millionths(&criterion.threshold);
    html! {
        tr {
            th scope="row" { code { (criterion.metric) } }
            td {
                span class={ "verdict " (word) } { (word) }
                @for small in &record.small_groups {
                    br; span class="hint" { (small.group) ": only " (counted(small.size, "sample")) }
                }
            }
            td {
                (over(&criterion.attributes, &criterion.group))
                @if let Some(class) = &criterion.class { ", class " (class) }
            }
            td class="number" { (exact_value(&record.value)) }
            td { (exact_interval(interval_of(&record.value))) }
            td class="number" { (sign(criterion.comparator)) " " (criterion.threshold) }
            td class="picture" { (picture(criterion, &record.value, threshold)) }
        }
    }
}

fn picture(criterion: &Criterion, measured: &Measured, threshold: Option<i64>) -> Markup {
    use audit::Comparator::{AbsAtMost, AtLeast, AtMost, LessThan, MoreThan};
    let (value, interval) = (micros(measured), interval_of(measured));
    let allowed = threshold.map(|limit| match criterion.comparator {
        AtLeast | MoreThan => Allowed { from: Some(limit), to: None },
        AtMost | LessThan => Allowed { from: None, to: Some(limit) },
        AbsAtMost => Allowed { from: Some(-limit), to: Some(limit) },
    });
    let limits = allowed.into_iter().flat_map(|one| [one.from, one.to]).flatten();
    let ends = interval.into_iter().flat_map(|(lower, upper)| [lower, upper]);
    let axis = Axis::holding(limits.chain(ends).chain(value));
    let shown = value.map_or_else(|| "undefined".to_owned(), decimal);
    let text = format!("{shown}, allowed {} {}", sign(criterion.comparator), criterion.threshold);
    gauge(axis, &Line { value, interval }, allowed, &text)
}

pub(crate) fn sample(predicate: &Predicate) -> Markup {
    let sample = &predicate.sample;
    html! {
        section aria-labelledby="sample" {
            h2 id="sample" { "How the sample was drawn" }
            (facts([
                ("Model fixed", time(predicate.model.registered_at.0)),
                ("Dataset fixed", time(predicate.dataset.sealed_at.0)),
                ("Audit requested", time(predicate.requested_at.0)),
                ("Sample drawn", html! { (time(sample.drawn_at.0)) ", after all of these" }),
                ("Rows", html! {
                    (count(sample.size.into())) " of " (count(predicate.dataset.rows.into()))
                    " (" (sample.coverage_decimal) ")"
                }),
                ("Rule", html! { code { (sample.rule) } }),
                ("Seed", html! { (digest(sample.seed)) " from the network's randomness" }),
                ("Audits requested", html! {
                    (predicate.audits_of_model) " of this model and " (predicate.audits_of_owner)
                    " of this owner, this one included, until the certificate was issued"
                }),
            ]))
        }
    }
}

pub(crate) fn caveats(predicate: &Predicate) -> Markup {
    html! {
        section class="caveats" aria-labelledby="caveats" {
            h2 id="caveats" { "What it does not say" }
            ul { @for caveat in &predicate.caveats { li { (caveat) } } }
        }
    }
}

pub(crate) fn identity(body: Digest, predicate: &Predicate, place: Place) -> Markup {
    let model = &predicate.model;
    let mut rows = vec![("Body", digest(body)), ("Model", digest(model.digest))];
    if !model.layers.is_empty() {
        let parameters = counted(model.parameters, "parameter");
        rows.push(("Layers", html! { (model.layers.join("; ")) " (" (parameters) ")" }));
    }
    if let Some(source) = model.source {
        rows.push(("Made from", html! { (digest(source)) ", by its owner's statement" }));
    }
    rows.extend(predicate.log.iter().flat_map(logged::digests));
    for proof in &predicate.proofs {
        rows.push(("Proof", digest(*proof)));
    }
    rows.extend([
        ("Dataset", digest(predicate.dataset.digest)),
        ("Manifest", digest(predicate.dataset.manifest)),
        ("Group rule", digest(predicate.dataset.group_rule)),
        ("Policy", digest(predicate.policy_digest)),
        ("Owner", html! { code { (predicate.owner) } }),
        ("Requested by", html! { code { (predicate.requester) } }),
        ("Canister", html! { code { (predicate.canister) } " (" (predicate.runtime) ")" }),
        ("Issued", time(predicate.issued_at.0)),
    ]);
    if let Some(replaced) = predicate.supersedes {
        let link = place.link(&Page::Certificate(replaced).to_string(), &format!("certificate {replaced}"));
        rows.push(("Replaces", link));
    }
    html! {
        section aria-labelledby="identity" {
            h2 id="identity" { "Digests and people" }
            (facts(rows))
        }
    }
}

/// Links for programs, and commands for a terminal.
fn take_away(site: &Site, summary: &CertificateSummary, predicate: &Predicate) -> Markup {
    let id = summary.id;
    let canister = &site.canister;
    let again = match predicate.level {
        Level::Proved => "verifies the proof again",
        Level::Replayed => "runs it all again",
        Level::Attested | Level::SpotChecked => "counts the log again, and with the model's file runs it",
    };
    html! {
        section aria-labelledby="take" {
            h2 id="take" { "Take it with you" }
            ul {
                li { a href=(Page::Body(id)) { "The statement" } ": in-toto Statement v1, canonical JSON" }
                @for (path, name, what) in [
                    ("dsse", "The statement, signed", "DSSE envelope with a signature of the canister; it says what was certified, not whether it still stands"),
                    ("export", "The export", "statement, status, witness and IC certificate in one file, for offline checks"),
                    ("records", "The records", "audit, model, dataset and policy, with their witness"),
                ] {
                    @let path = format!("/{path}/{id}.json");
                    li { a href={ (site.origins().files) (path) } data-raw=(path) { (name) } ": " (what) }
                }
                li { a href=(Page::Manifest(summary.dataset.into())) { "The dataset's manifest" } ": Croissant" }
            }
            p { "Check the certificate offline, from the Internet Computer's key; the last command " (again) ":" }
            pre tabindex="0" { code {
                "assay --network ic --canister " (canister) " certificate export " (id) " -o certificate-" (id) ".json\n"
                "assay --network ic --canister " (canister) " certificate check certificate-" (id) ".json\n"
                "assay --network ic --canister " (canister) " rerun " (id)
            } }
            p { "A badge for a README:" }
            p { img src=(Page::Badge(id)) alt={ "Assay certificate " (id) } height="20"; }
            pre tabindex="0" { code {
                "[![Assay](https://" (canister) ".icp0.io" (Page::Badge(id)) ")](https://" (canister) ".icp0.io" (Page::Certificate(id)) ")"
            } }
        }
    }
}
