//! Certificates in tables.

use interface::CertificateSummary;
use maud::{Markup, html};

use crate::{
    Page, Site, Standing,
    shell::{day, page, wide},
    standing::{outcome, verdict_word},
    text::count,
};

/// Certificates on one page of the list.
pub const fn rows_per_page() -> u64 {
    100
}

/// The page of the list of all certificates with numbers from `number * 100 + 1`, the newest first; `more` if there are
/// later ones. A full page does not change when certificates are issued, so that few have to be certified again.
pub fn certificates(
    site: &Site,
    number: u64,
    rows: &[(CertificateSummary, Standing)],
    more: bool,
) -> Vec<u8> {
    page(
        site,
        &format!("Certificates, page {number}"),
        html! {
            h1 { "Certificates" }
            p { "In order of issue, whatever their verdict; none is ever removed." }
            (table(rows))
            nav class="pager" aria-label="Pages" {
                @if number > 0 { a href=(Page::Certificates(number - 1)) rel="prev" { "Earlier" } }
                span { "Page " (number + 1) }
                @if more { a href=(Page::Certificates(number + 1)) rel="next" { "Later" } }
            }
        },
    )
}

/// A table of certificates that a script can sort.
pub(crate) fn table(rows: &[(CertificateSummary, Standing)]) -> Markup {
    if rows.is_empty() {
        return html! { p class="hint" { "None yet." } };
    }
    wide(
        "Certificates",
        html! {
            table class="sortable" {
                thead { tr {
                    th scope="col" class="number" { "No." } th scope="col" { "Model" } th scope="col" { "Dataset" }
                    th scope="col" { "Policy" } th scope="col" class="number" { "Samples" }
                    th scope="col" { "Verdict" } th scope="col" { "Issued" }
                } }
                tbody {
                    @for (summary, standing) in rows {
                        tr {
                            th scope="row" class="number" data-value=(summary.id) {
                                a href=(Page::Certificate(summary.id)) { (summary.id) }
                            }
                            td { a href=(Page::Model(summary.model.into())) { (summary.model_name) } }
                            td { a href=(Page::Dataset(summary.dataset.into())) { (summary.dataset_name) } }
                            td { (summary.policy_name) }
                            td class="number" data-value=(summary.sample_size) { (count(summary.sample_size.into())) }
                            td data-value=(verdict_word(summary.verdict)) { (outcome(summary.verdict, standing)) }
                            td data-value=(summary.issued_at_ns) { (day(summary.issued_at_ns)) }
                        }
                    }
                }
            }
        },
    )
}
