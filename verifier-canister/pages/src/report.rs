//! A certificate with how it was checked, as one file to keep, to send and to print.

use audit::{
    Certificate, Digest,
    certificate::{GroupRecord, Measured, Predicate},
};
use interface::CertificateId;
use maud::{Markup, html};

use crate::{
    Standing,
    answers::answers,
    assurance::{lead, level, notice},
    certificate::{caveats, criteria, identity, sample},
    comparisons,
    figures::{counted, exact_value, interval, interval_of},
    shell::{Place, digest, document, facts, time, wide},
    standing::outcome_of,
    text::{count, over},
};

/// What a report shows: an authentic certificate, and the check that it passed.
#[derive(Debug)]
pub struct Report<'a> {
    /// The parsed body.
    pub certificate: &'a Certificate,
    /// SHA-256 of the body.
    pub body: Digest,
    /// How it stood when it was checked.
    pub standing: &'a Standing,
    /// How it was checked.
    pub check: Check,
    /// Figures that are not part of the certificate.
    pub inequality: Vec<Inequality>,
}

/// A check in which every step held.
#[derive(Debug)]
pub struct Check {
    /// Name of each step, and what was found.
    pub steps: Vec<(&'static str, String)>,
    /// When, in nanoseconds since 1970.
    pub at_ns: u64,
    /// When the subnet signed what was checked.
    pub signed_at_ns: u64,
    /// How the certificate stood then, in words.
    pub standing: String,
    /// The root key that the signature had to lead to, DER in hex.
    pub root_key: String,
    /// Whose key that is.
    pub root_key_of: &'static str,
    /// What checked it.
    pub program: String,
    /// Digest of the exported file's content.
    pub file: Digest,
}

/// A Theil index that was computed beside the certificate.
#[derive(Debug)]
pub struct Inequality {
    /// Whose, e.g. `all samples`.
    pub over: String,
    /// Its digits, or why there is none.
    pub value: Result<String, String>,
}

/// The report as a document that loads nothing.
pub fn report(report: &Report<'_>) -> Vec<u8> {
    let predicate = &report.certificate.predicate;
    let id: CertificateId = predicate.certificate;
    let title = format!("Certificate {id}: {}", predicate.model.name);
    let until = predicate.valid_until.map(|until| until.0);
    document(
        &title,
        id,
        report.body,
        html! {
            article {
                p class="crumb" {
                    (predicate.dataset.name) " / " (predicate.model.name) " · report of " (time(report.check.at_ns))
                }
                h1 { "Certificate " (id) " " (outcome_of(predicate.verdict.word(), report.standing)) }
                (notice(report.standing, until, Place::Document))
                (lead(predicate))
                (level(predicate, Place::Document))
                (criteria(predicate))
                (answers(predicate))
                (checked(&report.check))
                (comparisons::groups(predicate, Place::Document))
                div class="new-sheet" { (comparisons::all(predicate, Place::Document)) }
                (inequality(&report.inequality))
                div class="new-sheet" { (every_figure(predicate)) }
                div class="new-sheet" { (sample(predicate)) }
                (caveats(predicate))
                (identity(report.body, predicate, Place::Document))
                (again(predicate))
            }
        },
    )
}

fn checked(check: &Check) -> Markup {
    html! {
        section aria-labelledby="checked" {
            h2 id="checked" { "How this certificate was checked" }
            p {
                "Every step below held on " (time(check.at_ns)) ". The subnet signed on " (time(check.signed_at_ns))
                ", and as of then: " strong { (check.standing) } ". Nothing here says how it stands later; check it again."
            }
            (wide("Steps of the check", html! {
                table {
                    thead { tr { th scope="col" { "Step" } th scope="col" { "Result" } th scope="col" { "Found" } } }
                    tbody {
                        @for (step, found) in &check.steps {
                            tr {
                                th scope="row" { (step) }
                                td { span class="verdict pass" { "holds" } }
                                td class="found" { (found) }
                            }
                        }
                    }
                }
            }))
            (facts([
                ("Root key", html! { (check.root_key_of) ": " code class="digest" { (check.root_key) } }),
                ("Checked file", digest(check.file)),
                ("Checked by", html! { (check.program) }),
            ]))
        }
    }
}

fn inequality(rows: &[Inequality]) -> Markup {
    html! {
        section aria-labelledby="inequality" {
            h2 id="inequality" { "Inequality of outcomes: Theil index" }
            p class="hint" {
                "Not part of the certificate: computed in floating point from its counters when this report was made, and shown "
                "rounded. With b = decision − label + 1, where 1 is favourable, it is the mean of (b/μ) ln(b/μ), AIF360's "
                "generalized entropy index for α = 1; between groups, b is each group's mean. 0 is equal."
            }
            (wide("Theil index", html! {
                table {
                    thead { tr { th scope="col" { "Over" } th scope="col" class="number" { "Theil index" } } }
                    tbody {
                        @for row in rows {
                            tr {
                                th scope="row" { (row.over) }
                                td class="number" {
                                    @match &row.value {
                                        Ok(value) => (value),
                                        Err(reason) => span class="undefined" { "undefined: " (reason) },
                                    }
                                }
                            }
                        }
                    }
                }
            }))
        }
    }
}

/// Every rate of every group, with what it was counted from.
fn every_figure(predicate: &Predicate) -> Markup {
    html! {
        section aria-labelledby="figures" {
            h2 id="figures" { "Every figure of every group" }
            div class="sheet" {
                @for group in &predicate.groups {
                    section {
                        h4 {
                            (over(&group.attributes, &group.group))
                            @if group.class != predicate.favourable { ", class " (group.class) }
                            " (" (count(group.size)) ")"
                            @if group.small { " " span class="tag small" { "small" } }
                        }
                        (figures(group))
                    }
                }
            }
        }
    }
}

fn figures(group: &GroupRecord) -> Markup {
    let from = |value: &Measured| counted(value).unwrap_or_default();
    html! {
        table {
            thead { tr {
                th scope="col" { "Metric" } th scope="col" class="number" { "Value" }
                th scope="col" { "Counted" } th scope="col" { "95 % interval" }
            } }
            tbody {
                @for record in &group.metrics {
                    tr {
                        th scope="row" { code { (record.metric) } }
                        @if record.value.undefined.is_some() {
                            td colspan="3" { (exact_value(&record.value)) }
                        } @else {
                            td class="number" { (exact_value(&record.value)) }
                            td { (from(&record.value)) }
                            td { (interval(interval_of(&record.value))) }
                        }
                    }
                }
            }
        }
    }
}

fn again(predicate: &Predicate) -> Markup {
    let (id, canister) = (predicate.certificate, &predicate.canister);
    html! {
        section aria-labelledby="again" {
            h2 id="again" { "Check it yourself" }
            p { "This report is a picture of the certificate; whoever made it could have changed it. The exported file cannot be:" }
            pre { code {
                "assay certificate check certificate-" (id) ".json --canister " (canister) "\n"
                "assay report certificate-" (id) ".json --canister " (canister) " -o report.html"
            } }
        }
    }
}
