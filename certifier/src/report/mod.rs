//! A checked certificate as a document for people, with how it was checked.

mod theil;

use audit::Digest;
use check::{Authentic, Report, Standing, Trust, ic_certificate::MAINNET_ROOT_KEY};
use interface::export::CertificateFile;

pub use theil::{Undefined, theil, theil_between};

/// The HTML of a report. `check` is the check of `file` under `trust` that gave `authentic`; `standing` says in words what
/// it says of the standing.
pub fn report(
    file: &CertificateFile,
    check: &Report,
    authentic: &Authentic,
    trust: &Trust,
    standing: String,
) -> Vec<u8> {
    let certificate = &authentic.certificate;
    let held = check.steps.iter().filter_map(|step| Some((step.name, step.result.as_ref().ok()?.clone())));
    let on_main_network = trust.root_key == MAINNET_ROOT_KEY;
    pages::report(&pages::Report {
        certificate,
        body: Digest::of(&file.body),
        standing: &shown(&authentic.standing),
        check: pages::Check {
            steps: held.collect(),
            at_ns: trust.now_ns,
            signed_at_ns: authentic.signed_at_ns,
            standing,
            root_key: hex::encode(&trust.root_key),
            root_key_of: if on_main_network {
                "the Internet Computer's"
            } else {
                "given by whoever made this report, and not the Internet Computer's"
            },
            program: format!("assay {}", env!("CARGO_PKG_VERSION")),
            file: file.content_digest(),
        },
        inequality: theil::inequality(&certificate.predicate),
    })
}

fn shown(standing: &Standing) -> pages::Standing {
    match standing {
        Standing::Stands => pages::Standing::Stands,
        Standing::Expired { .. } => pages::Standing::Expired,
        Standing::Superseded { by, .. } => pages::Standing::Superseded(*by),
        Standing::Suspended { row, .. } => pages::Standing::Suspended(*row),
        Standing::Revoked { reason, .. } => pages::Standing::Revoked(reason.clone()),
    }
}
