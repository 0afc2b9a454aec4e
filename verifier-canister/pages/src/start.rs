use interface::{CertificateSummary, DatasetRecord};
use maud::html;

use crate::{
    Page, Site, Standing, list,
    shell::{page, search_form},
    text::{count, counted},
};

/// What the start page shows.
#[derive(Debug)]
pub struct Start {
    /// Number of certificates.
    pub certificates: u64,
    /// Number of models.
    pub models: u64,
    /// Number of datasets.
    pub all_datasets: u64,
    /// Datasets, the newest first; not more than some.
    pub datasets: Vec<DatasetRecord>,
    /// The newest certificates, the newest first.
    pub newest: Vec<(CertificateSummary, Standing)>,
}

/// The start page.
pub fn start(site: &Site, start: &Start) -> Vec<u8> {
    let last = start.certificates.saturating_sub(1) / list::rows_per_page();
    page(
        site,
        "Certified models",
        html! {
            h1 { "Is the model as good and as fair as they say?" }
            p class="lead" {
                "This canister audits models on datasets whose labels and protected groups it holds itself, on samples "
                "that it draws only after a model is fixed. What it finds it publishes as certificates that anyone can "
                "check, in this browser or offline. " a href="/about" { "What a certificate proves, and what not." }
            }
            (search_form(&site.origins().files, "Find a certificate", html! {
                label for="find" { "Find a model, dataset or policy by name, or paste a digest or a number" }
                div {
                    input id="find" type="search" name="q" maxlength="64" required;
                    button { "Search" }
                }
            }))
            ul class="numbers" {
                li { strong { (count(start.certificates)) } " certificates" }
                li { strong { (count(start.models)) } " models" }
                li { strong { (count(start.all_datasets)) } " datasets" }
            }
            section aria-labelledby="datasets" {
                h2 id="datasets" { "Leaderboards by dataset" }
                @if start.datasets.is_empty() { p class="hint" { "No dataset is registered yet." } }
                ul class="cards" {
                    @for dataset in &start.datasets {
                        li {
                            a href=(Page::Dataset(dataset.digest.into())) { (dataset.name) }
                            span class="hint" { (dataset.version) " · " (counted(dataset.rows.into(), "row")) }
                        }
                    }
                }
            }
            section aria-labelledby="newest" {
                h2 id="newest" { "Newest certificates" }
                (list::table(&start.newest))
                @if start.certificates > 0 { p { a href=(Page::Certificates(last)) { "All certificates" } } }
            }
        },
    )
}
