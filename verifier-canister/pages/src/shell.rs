use maud::{DOCTYPE, Markup, html};

use crate::assets::{SCRIPT, STYLE};

/// The canister that serves the pages.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its principal, as text.
    pub canister: String,
    /// Its version.
    pub version: String,
}

/// A whole page around `main`.
pub(crate) fn page(site: &Site, title: &str, main: Markup) -> Vec<u8> {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Assay" }
                link rel="stylesheet" href=(STYLE);
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                script type="module" src=(SCRIPT) {}
            }
            body {
                a class="skip" href="#main" { "Skip to content" }
                header {
                    nav aria-label="Site" {
                        a class="brand" href="/" { (logo()) "Assay" }
                        a href="/certificates/0" { "Certificates" }
                        a href="/about" { "What it proves" }
                    }
                    form role="search" action="/search" {
                        input type="search" name="q" maxlength="64" required
                            aria-label="Search models, datasets and policies" placeholder="Model, dataset or policy";
                        button { "Search" }
                    }
                }
                main id="main" { (main) }
                footer {
                    p {
                        "Served by canister " code { (site.canister) } " (" (site.version) "), whose subnet signs what "
                        "this page says. No cookies, no tracker, nothing loaded from elsewhere."
                    }
                }
            }
        }
    };
    markup.into_string().into_bytes()
}

fn logo() -> Markup {
    html! {
        svg class="logo" viewBox="0 0 24 24" aria-hidden="true" {
            path d="M12 2 21 6v6c0 5-4 9-9 10-5-1-9-5-9-10V6z" {}
            path class="tick" d="m7.5 12 3 3 6-6.5" {}
        }
    }
}

/// A list of names and values.
pub(crate) fn facts<'a>(rows: impl IntoIterator<Item = (&'a str, Markup)>) -> Markup {
    html! {
        dl class="facts" {
            @for (name, value) in rows {
                div { dt { (name) } dd { (value) } }
            }
        }
    }
}

/// A digest in full, that breaks where it must.
pub(crate) fn digest(digest: impl Into<audit::Digest>) -> Markup {
    html! { code class="digest" { (digest.into()) } }
}

/// A time to the second, for people and for programs.
pub(crate) fn time(ns: u64) -> Markup {
    let text = interface::utc(ns);
    let machine = text.replacen(' ', "T", 1).replace(" UTC", "Z");
    html! { time datetime=(machine) { (text) } }
}

/// The day of a time.
pub(crate) fn day(ns: u64) -> Markup {
    let text = crate::text::date(ns);
    html! { time datetime=(text) { (text) } }
}

/// A table that scrolls sideways on a narrow screen; the region is named for readers and can have the focus.
pub(crate) fn wide(label: &str, table: Markup) -> Markup {
    html! { div class="wide" role="region" tabindex="0" aria-label=(label) { (table) } }
}
