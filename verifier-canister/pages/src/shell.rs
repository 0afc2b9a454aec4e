use audit::Digest;
use interface::CertificateId;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::assets::{SCRIPT, STYLE};

const STYLE_SHEET: &str = include_str!("../assets/style.css");
/// What a document has beyond the site's style.
const DOCUMENT_STYLE: &str = include_str!("../assets/document.css");

/// The canister that serves the pages.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its principal, as text.
    pub canister: String,
    /// Its version.
    pub version: String,
}

impl Site {
    /// The canister's origins on the main network. A script puts a local node's in their place.
    pub fn origins(&self) -> Origins {
        let at = |prefix: &str| format!("https://{}.{prefix}icp0.io", self.canister);
        Origins { pages: at(""), files: at("raw.") }
    }
}

/// Where a gateway serves the canister. Two origins, so that what one node made up cannot reach what was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins {
    /// Pages, which the gateway verifies.
    pub pages: String,
    /// Searches, and files that prove themselves, which it passes on as they are.
    pub files: String,
}

impl Origins {
    /// Those of a gateway that was asked as `host` for a file; none if it verifies there, or the host is odd.
    pub fn of_files(host: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':');
        if host.len() > 255 || !host.chars().all(plain) || !host.contains(".raw.") {
            return None;
        }
        let local = host.contains(".localhost");
        let scheme = if local { "http" } else { "https" };
        let pages = host.replacen(".raw.", ".", 1);
        Some(Self { pages: format!("{scheme}://{pages}"), files: format!("{scheme}://{host}") })
    }
}

/// Where something is shown, and so whether its links lead anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the canister's site.
    Site,
    /// In a document of its own, on paper too: nothing is folded away, and there is nothing to hover over.
    Document,
}

impl Place {
    /// How many of something are shown; a document has room for all.
    pub(crate) fn most(self, on_site: usize) -> usize {
        match self {
            Self::Site => on_site,
            Self::Document => usize::MAX,
        }
    }

    /// A link on the site; elsewhere just its text.
    pub(crate) fn link(self, to: &str, text: &str) -> Markup {
        match self {
            Self::Site => html! { a href=(to) { (text) } },
            Self::Document => html! { (text) },
        }
    }
}

/// A certified page around `main`.
pub(crate) fn page(site: &Site, title: &str, main: Markup) -> Vec<u8> {
    whole(site, title, None, main)
}

/// A page that is not certified: without script, and all its links lead to where pages are.
pub(crate) fn uncertified(site: &Site, title: &str, origins: &Origins, main: Markup) -> Vec<u8> {
    whole(site, title, Some(origins), main)
}

/// A field to search with; searches are answered at another origin.
pub(crate) fn search_form(files: &str, label: &str, field: Markup) -> Markup {
    html! {
        form class="search" role="search" action={ (files) "/search" } data-raw="/search" aria-label=(label) { (field) }
    }
}

fn whole(site: &Site, title: &str, origins: Option<&Origins>, main: Markup) -> Vec<u8> {
    let files = origins.map_or_else(|| site.origins().files, |origins| origins.files.clone());
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if let Some(origins) = origins { base href={ (origins.pages) "/" }; }
                title { (title) " · Assay" }
                link rel="stylesheet" href=(STYLE);
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                @if origins.is_none() { script type="module" src=(SCRIPT) {} }
            }
            body {
                a class="skip" href="#main" { "Skip to content" }
                header {
                    nav aria-label="Site" {
                        a class="brand" href="/" { (logo()) "Assay" }
                        a href="/certificates/0" { "Certificates" }
                        a href="/about" { "What it proves" }
                    }
                    form role="search" action={ (files) "/search" } data-raw="/search" aria-label="Site search" {
                        input type="search" name="q" maxlength="64" required
                            aria-label="Search models, datasets and policies" placeholder="Model, dataset or policy";
                        button { "Search" }
                    }
                }
                main id="main" { (main) }
                footer {
                    p {
                        "Canister " code { (site.canister) } " (" (site.version) "). "
                        @if origins.is_none() {
                            "Its subnet signs what this page says; a gateway that verifies shows nothing else. "
                        } @else {
                            "One node answered this page by itself. "
                        }
                        "No cookies, no tracker, nothing loaded from elsewhere."
                    }
                }
            }
        }
    };
    markup.into_string().into_bytes()
}

/// A document that needs nothing else, around `main`: styles inside, no script, and a policy that lets nothing be
/// loaded. On paper each sheet has the certificate's number and its body's digest at its foot.
pub(crate) fn document(title: &str, certificate: CertificateId, body: Digest, main: Markup) -> Vec<u8> {
    // Digits only, so that nothing ends the text or the style sheet.
    let foot = format!(
        "@page {{ @bottom-left {{ content: \"Assay certificate {certificate} · SHA-256 {body}\"; }} }}"
    );
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Assay" }
                style { (PreEscaped(STYLE_SHEET)) (PreEscaped(DOCUMENT_STYLE)) (PreEscaped(foot)) }
            }
            body {
                header { span class="brand" { (logo()) "Assay" } }
                main { (main) }
                footer { p { "Certificate " (certificate) ", body SHA-256 " code { (body) } "." } }
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
pub(crate) fn digest(digest: impl Into<Digest>) -> Markup {
    html! { code class="digest" { (digest.into()) } }
}

/// A time to the second, for people and for programs.
pub(crate) fn time(ns: u64) -> Markup {
    html! { time datetime=(interface::rfc3339(ns)) { (interface::utc(ns)) } }
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
