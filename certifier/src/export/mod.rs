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
    Digest, Metric,
    certificate::{Measured, Predicate},
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

/// One figure of a certificate.
#[derive(Debug, Clone, Copy)]
struct Figure<'a> {
    metric: Metric,
    value: &'a Measured,
    attributes: &'a [String],
    group: &'a [String],
    /// The class that counts as positive, where it is not the favourable one.
    class: Option<&'a str>,
    /// Whether it is about a group smaller than the policy's minimum.
    small: bool,
}

impl Figure<'_> {
    /// What it was measured on, in words; `None` for all samples.
    fn slice(&self) -> Option<String> {
        let mut text = pages::over(self.attributes, self.group);
        match self.class {
            Some(class) => text.push_str(&format!(", class {class}")),
            None if self.attributes.is_empty() => return None,
            None => {}
        }
        if self.small {
            text.push_str(" (fewer samples than the policy's minimum)");
        }
        Some(text)
    }
}

/// Every figure of all samples, of groups, and between groups; in the certificate's order.
fn figures(predicate: &Predicate) -> impl Iterator<Item = Figure<'_>> {
    let of_groups = predicate.groups.iter().flat_map(|group| {
        let class = (group.class != predicate.favourable).then_some(group.class.as_str());
        group.metrics.iter().map(move |record| Figure {
            metric: record.metric,
            value: &record.value,
            attributes: &group.attributes,
            group: &group.group,
            class,
            small: group.small,
        })
    });
    let between = predicate.comparisons.iter().flat_map(|comparison| {
        comparison.metrics.iter().map(|record| Figure {
            metric: record.metric,
            value: &record.value,
            attributes: &comparison.attributes,
            group: &[],
            class: None,
            small: false,
        })
    });
    of_groups.chain(between)
}

/// Six digits, or `undefined` with the reason.
fn value_text(value: &Measured) -> String {
    match (&value.decimal, &value.undefined) {
        (Some(decimal), _) => decimal.clone(),
        (None, Some(undefined)) => format!("undefined: {undefined}"),
        (None, None) => "undefined".to_owned(),
    }
}

/// A digest as a name for the bytes (RFC 6920).
fn named(digest: Digest) -> String {
    format!("ni:///sha-256;{}", URL_SAFE_NO_PAD.encode(digest.0))
}

/// A digest as browsers and credentials write it (Subresource Integrity).
fn integrity(digest: Digest) -> String {
    format!("sha256-{}", STANDARD.encode(digest.0))
}
