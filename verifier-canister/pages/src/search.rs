use interface::{CertificateSummary, DatasetRecord, ModelRecord};
use maud::html;

use crate::{
    Origins, Page, Site, Standing, list,
    shell::{search_form, uncertified},
    text::short,
};

/// What was found; lists may have been cut.
#[derive(Debug, Default)]
pub struct Found {
    /// Datasets.
    pub datasets: Vec<DatasetRecord>,
    /// Models.
    pub models: Vec<ModelRecord>,
    /// Certificates.
    pub certificates: Vec<(CertificateSummary, Standing)>,
    /// Whether there may be more.
    pub cut: bool,
}

/// The answer to a search. It cannot be certified ahead, and says so.
pub fn search(site: &Site, origins: &Origins, text: &str, found: &Found) -> Vec<u8> {
    let nothing = found.datasets.is_empty() && found.models.is_empty() && found.certificates.is_empty();
    uncertified(
        site,
        &format!("Search: {text}"),
        origins,
        html! {
            h1 { "Search" }
            (search_form(&origins.files, "Search again", html! {
                label for="find" { "Model, dataset or policy by name, a digest, or a certificate's number" }
                div { input id="find" type="search" name="q" maxlength="64" required value=(text); button { "Search" } }
            }))
            p class="notice" role="note" {
                "One node answered this search by itself, so something may be missing. Each page that it links to is signed "
                "by the whole subnet."
            }
            @if nothing && !found.cut { p { "Nothing is called “" (text) "”." } }
            @if !found.datasets.is_empty() {
                h2 { "Datasets" }
                ul { @for one in &found.datasets { li { a href=(Page::Dataset(one.digest.into())) { (one.name) } " " (one.version) } } }
            }
            @if !found.models.is_empty() {
                h2 { "Models" }
                ul { @for one in &found.models {
                    li { a href=(Page::Model(one.digest.into())) { (one.name) } " " code { (short(one.digest.into())) } }
                } }
            }
            @if !found.certificates.is_empty() { h2 { "Certificates" } (list::table(&found.certificates)) }
            @if found.cut { p class="hint" { "There may be more; use a longer text." } }
        },
    )
}
