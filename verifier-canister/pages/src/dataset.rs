use std::rc::Rc;

use audit::Schema;
use interface::DatasetRecord;
use maud::{Markup, html};

use crate::{
    Entry, Measure, Page, Site,
    manifest::{Manifest, is_web},
    ranking,
    shell::{digest, facts, page, time, wide},
    text::{count, counted},
};

/// A dataset's page: its leaderboard, groups and limitations.
pub fn dataset(
    site: &Site,
    record: &DatasetRecord,
    schema: &Schema,
    entries: &[Rc<Entry>],
    all: u64,
) -> Vec<u8> {
    let manifest = Manifest::read(&schema.manifest);
    let id = record.digest.into();
    page(
        site,
        &record.name,
        html! {
            h1 { "Dataset " (record.name) " " span class="version" { (record.version) } }
            @if let Some(text) = &manifest.description { p class="lead" { (text) } }
            section aria-labelledby="board" {
                h2 id="board" { "Leaderboard: accuracy" }
                (ranking::table(entries, Measure::ACCURACY))
                (ranking::notes(entries.len() as u64, all))
                h3 { "By another measure" }
                (ranking::links(id, schema))
            }
            section aria-labelledby="groups" {
                h2 id="groups" { "Labels and protected groups" }
                p {
                    "The canister holds labels and groups itself; whoever asks for an audit cannot choose them. Classes: "
                    @for (index, class) in schema.classes.iter().enumerate() {
                        @if index > 0 { ", " }
                        @if index == usize::from(schema.favourable) { strong { (class) } " (favourable)" } @else { (class) }
                    }
                    "."
                }
                (attributes(schema))
            }
            section aria-labelledby="notes" {
                h2 id="notes" { "Limitations and origin" }
                p class="hint" { "In its publisher's words, from the manifest that is part of the dataset's digest." }
                @for (heading, texts) in &manifest.notes {
                    h3 { (heading) }
                    @if let [text] = texts.as_slice() { p { (text) } }
                    @else { ul { @for text in texts { li { (text) } } } }
                }
                @if manifest.notes.is_empty() { p { "The manifest says nothing about limitations." } }
            }
            section aria-labelledby="identity" {
                h2 id="identity" { "Identity" }
                (facts([
                    ("Dataset", digest(record.digest)),
                    ("Manifest", html! { (digest(record.manifest)) " " a href=(Page::Manifest(id)) { "Croissant" } }),
                    ("Encoding", digest(record.encoding)),
                    ("Rows", html! { (count(record.rows.into())) " of " (counted(record.columns.into(), "feature")) }),
                    ("Licence", link(manifest.license.as_deref())),
                    ("Source", link(manifest.url.as_deref())),
                    ("Registered", html! { (time(record.registered_at_ns)) " by " code { (record.owner) } }),
                ]))
            }
        },
    )
}

fn attributes(schema: &Schema) -> Markup {
    wide(
        "Protected attributes",
        html! {
            table {
                thead { tr { th scope="col" { "Attribute" } th scope="col" { "Groups" } th scope="col" { "Reference group" } } }
                tbody {
                    @for attribute in &schema.attributes {
                        tr {
                            th scope="row" { (attribute.name) }
                            td { (attribute.groups.join(", ")) }
                            td {
                                @let reference = attribute.reference.and_then(|index| attribute.groups.get(usize::from(index)));
                                @match reference { Some(group) => (group), None => "none" }
                            }
                        }
                    }
                }
            }
        },
    )
}

fn link(url: Option<&str>) -> Markup {
    match url {
        Some(url) if is_web(url) => html! { a href=(url) rel="noopener nofollow" { (url) } },
        Some(text) => html! { (text) },
        None => html! { "not told" },
    }
}
