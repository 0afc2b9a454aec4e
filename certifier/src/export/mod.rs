//! A checked certificate in the forms that other tools read.
//!
//! Each is made from the certificate alone, so that the same file gives the same bytes. None can be checked as the
//! exported file can: each names the digest of the statement, and where it is signed. A figure that is undefined stays
//! so, with its reason, or is left out where the form has only numbers.

pub mod cyclonedx;
pub mod dsse;
pub mod model_index;
pub mod vc;

use audit::{
    Digest,
    certificate::{GroupRecord, Measured, MetricRecord, Predicate},
    interval::Interval,
    language::LanguageModel,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use check::Authentic;
use interface::export::CertificateFile;

/// A certificate that passed its check.
#[derive(Debug, Clone, Copy)]
pub struct Checked<'a> {
    /// The file that was checked.
    pub file: &'a CertificateFile,
    /// What it holds.
    pub authentic: &'a Authentic,
    /// Whether the root key is that of the main network, whose gateways show the canister to everyone.
    pub on_main_network: bool,
}

impl<'a> Checked<'a> {
    /// What the certificate says.
    pub fn predicate(&self) -> &'a Predicate {
        &self.authentic.certificate.predicate
    }

    /// The language model that the certificate is about, if it is about one.
    fn language_model(&self) -> Option<&'a LanguageModel> {
        Some(&self.predicate().log.as_ref()?.language.as_ref()?.model)
    }

    /// SHA-256 of the statement.
    pub fn body_digest(&self) -> Digest {
        Digest::of(&self.file.body)
    }

    /// Where everyone finds the canister's pages; a canister on another network has no such place.
    fn site(&self) -> Option<String> {
        self.on_main_network.then(|| format!("https://{}.icp0.io", self.file.canister))
    }

    /// An address on the canister's site.
    fn at(&self, path: &str) -> Option<String> {
        self.site().map(|site| site + path)
    }

    /// The address of the certificate's page.
    fn page(&self) -> Option<String> {
        self.at(&format!("/certificate/{}", self.file.certificate))
    }

    /// A name for the canister that is a URL. One that leads nowhere is in a domain that can never exist.
    fn issuer(&self) -> String {
        self.site().unwrap_or_else(|| format!("https://assay.invalid/canister/{}", self.file.canister))
    }
}

/// One figure of a certificate, or one that follows from its counters.
struct Figure {
    /// What it is: a metric, or a language model's figure.
    id: String,
    /// What it was measured on, in words; `None` for all samples.
    slice: Option<String>,
    /// Six digits, or why there are none.
    value: Result<String, String>,
    interval: Option<Interval>,
    /// Whether it is about groups of several attributes at once.
    of_intersection: bool,
    /// Whether it is what a language model's answers add up to.
    of_answers: bool,
}

/// Every figure of all samples, of groups, and between groups, in the certificate's order. Before them, what a language
/// model's answers add up to.
fn figures(predicate: &Predicate) -> impl Iterator<Item = Figure> {
    let answers = predicate.language_measures().unwrap_or_default().into_iter().map(|measure| Figure {
        id: measure.id.to_owned(),
        value: measure.decimal().ok_or_else(|| undefined(measure.value.as_ref().err())),
        slice: measure.group,
        interval: measure.interval,
        of_intersection: false,
        of_answers: true,
    });
    let of_groups = predicate.groups.iter().flat_map(|group| {
        let slice = group_slice(predicate, group);
        group.metrics.iter().map(move |record| figure(record, slice.clone(), &group.attributes))
    });
    let between = predicate.comparisons.iter().flat_map(|comparison| {
        let slice = (!comparison.attributes.is_empty()).then(|| pages::over(&comparison.attributes, &[]));
        comparison.metrics.iter().map(move |record| figure(record, slice.clone(), &comparison.attributes))
    });
    answers.chain(of_groups).chain(between)
}

fn figure(record: &MetricRecord, slice: Option<String>, attributes: &[String]) -> Figure {
    let Measured { decimal, undefined, interval, .. } = &record.value;
    Figure {
        id: record.metric.to_string(),
        slice,
        value: decimal.clone().ok_or_else(|| self::undefined(undefined.as_ref())),
        interval: *interval,
        of_intersection: attributes.len() > 1,
        of_answers: false,
    }
}

fn group_slice(predicate: &Predicate, group: &GroupRecord) -> Option<String> {
    // A language model's own accuracy counts every class: beside it, the class that a metric counts is always named.
    let is_language = predicate.log.as_ref().is_some_and(|log| log.language.is_some());
    let class = (is_language || group.class != predicate.favourable).then_some(group.class.as_str());
    let mut text = pages::over(&group.attributes, &group.group);
    match class {
        Some(class) => text.push_str(&format!(", class {class}")),
        None if group.attributes.is_empty() => return None,
        None => {}
    }
    if group.small {
        text.push_str(" (fewer samples than the policy's minimum)");
    }
    Some(text)
}

fn undefined(reason: Option<&impl std::fmt::Display>) -> String {
    reason.map_or_else(|| "undefined".to_owned(), |reason| format!("undefined: {reason}"))
}

/// Six digits, or `undefined` with the reason.
fn value_text(value: &Measured) -> String {
    value.decimal.clone().unwrap_or_else(|| undefined(value.undefined.as_ref()))
}

/// A digest as a name for the bytes (RFC 6920).
fn named(digest: Digest) -> String {
    format!("ni:///sha-256;{}", URL_SAFE_NO_PAD.encode(digest.0))
}

/// A digest as browsers and credentials write it (Subresource Integrity).
fn integrity(digest: Digest) -> String {
    format!("sha256-{}", STANDARD.encode(digest.0))
}
