//! Checks a certificate offline: from one file and a root key that the checker already has.
//!
//! Each step rests on the one before; the first that fails ends the check.
//!
//! ```text
//! signature       the IC certificate is signed by a subnet that the root key vouches for
//! canister        that subnet hosts the canister, and it is the one to be trusted
//! age             the signature is not older than allowed
//! certified data  the witness is what the canister had certified at that time
//! body, status    their digests are in the witness
//! form            the body is a certificate in canonical form, about this number and canister
//! numbers         every figure, interval and verdict follows from the counters
//! ```
//!
//! A certificate that passes is authentic; whether it stands (is not expired, superseded or revoked) is
//! [`Standing`]. What the canister's own code did is not proved by a check; `rerun` does that again.

mod failure;
pub mod ic_certificate;
mod standing;

use audit::{Certificate, Digest, recompute};
use candid::Principal;
use ic_certification::{HashTree, LookupResult};
use interface::{
    Proof,
    certified::{TREE_LABEL, certificate_key, status_key},
};

use crate::certificate_file::CertificateFile;

pub use failure::Failure;
use ic_certificate::IcCertificate;
pub use standing::{Standing, Status};

/// How far the subnet's clock may run ahead of this computer's, in seconds.
const MAX_AHEAD_S: u64 = 300;
const NANOSECONDS: u64 = 1_000_000_000;

/// What the checker brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The root key, DER.
    pub root_key: Vec<u8>,
    /// The verifier canister to be trusted; without it, the file's own claim is only shown.
    pub canister: Option<Principal>,
    /// The time now, in nanoseconds since 1970.
    pub now_ns: u64,
    /// Oldest signature accepted, in seconds.
    pub max_age_s: Option<u64>,
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name in the list above.
    pub name: &'static str,
    /// What was found.
    pub result: Result<String, Failure>,
}

/// What came of a check.
#[derive(Debug, Clone)]
pub struct Report {
    /// The steps up to the end or the first failure.
    pub steps: Vec<Step>,
    /// The certificate and how it stands, if every step holds.
    pub authentic: Option<Authentic>,
}

/// A certificate that passed every step.
#[derive(Debug, Clone)]
pub struct Authentic {
    /// The parsed body.
    pub certificate: Certificate,
    /// Whether it stands.
    pub standing: Standing,
    /// When the subnet signed, in nanoseconds since 1970: `standing` is as of then.
    pub signed_at_ns: u64,
}

impl Report {
    /// The failure that ended the check.
    pub fn failure(&self) -> Option<&Failure> {
        self.steps.iter().find_map(|step| step.result.as_ref().err())
    }
}

/// Checks one exported certificate.
pub fn check(file: &CertificateFile, trust: &Trust) -> Report {
    let mut steps = Steps(Vec::new());
    let authentic = steps.take_all(file, trust);
    Report { steps: steps.0, authentic }
}

struct Steps(Vec<Step>);

impl Steps {
    /// Notes a step; `None` ends the check.
    fn take<T>(&mut self, name: &'static str, outcome: Result<(T, String), Failure>) -> Option<T> {
        let (value, result) = match outcome {
            Ok((value, found)) => (Some(value), Ok(found)),
            Err(failure) => (None, Err(failure)),
        };
        self.0.push(Step { name, result });
        value
    }

    fn take_all(&mut self, file: &CertificateFile, trust: &Trust) -> Option<Authentic> {
        let ic = self.take("signature", signature(file, trust))?;
        self.take("canister", canister(file, trust, &ic))?;
        let signed_at_ns = self.take("age", age(trust, &ic))?;
        let witness = self.take("certified data", witness(file.canister, &file.witness, &ic))?;
        let (body, status) = (certificate_key(file.certificate), status_key(file.certificate));
        self.take("body", leaf(&witness, "body", &body, &file.body))?;
        self.take("status", leaf(&witness, "status", &status, &file.status))?;
        let (certificate, status) = self.take("form", form(file))?;
        self.take("numbers", numbers(&certificate))?;
        let standing = Standing::of(&certificate, status, trust.now_ns);
        Some(Authentic { certificate, standing, signed_at_ns })
    }
}

/// Checks an answer about one record: that `canister` had certified just these bytes under `key`, or that there is
/// nothing under it. The signature, the canister's place in the subnet, the age and the witness are checked as for a
/// certificate.
pub fn check_record(
    canister: Principal,
    trust: &Trust,
    proof: &Proof,
    key: &str,
    record: Option<&[u8]>,
) -> Result<(), Failure> {
    let certificate = proof.ic_certificate.as_ref().map_or(&[][..], |bytes| bytes);
    let ic = IcCertificate::verify(certificate, &trust.root_key)?;
    ic.covers(canister)?;
    age(trust, &ic)?;
    let witness = witness(canister, &proof.witness, &ic)?.0;
    match record {
        Some(record) => leaf(&witness, "record", key, record).map(drop),
        None => match witness.lookup_path([TREE_LABEL, key.as_bytes()]) {
            LookupResult::Absent => Ok(()),
            LookupResult::Found(_) => Err(Failure::Present(key.to_owned())),
            LookupResult::Unknown | LookupResult::Error => Err(Failure::Pruned(key.to_owned())),
        },
    }
}

fn signature(file: &CertificateFile, trust: &Trust) -> Result<(IcCertificate, String), Failure> {
    let ic = IcCertificate::verify(&file.ic_certificate, &trust.root_key)?;
    let signer = match ic.subnet() {
        Some(subnet) => format!("signed by subnet {subnet}, which the root key vouches for"),
        None => "signed by the root key".to_owned(),
    };
    Ok((ic, signer))
}

fn canister(file: &CertificateFile, trust: &Trust, ic: &IcCertificate) -> Result<((), String), Failure> {
    let found = match trust.canister {
        Some(expected) if expected != file.canister => {
            return Err(Failure::OtherCanister { expected, got: file.canister.to_text() });
        }
        Some(_) => format!("{}, as expected", file.canister),
        None => format!("{}, by the file's own word: compare it with the one you trust", file.canister),
    };
    ic.covers(file.canister)?;
    Ok(((), found))
}

fn age(trust: &Trust, ic: &IcCertificate) -> Result<(u64, String), Failure> {
    let signed = ic.time_ns()?;
    let ahead_s = signed.saturating_sub(trust.now_ns) / NANOSECONDS;
    if ahead_s > MAX_AHEAD_S {
        return Err(Failure::InTheFuture { ahead_s });
    }
    let age_s = trust.now_ns.saturating_sub(signed) / NANOSECONDS;
    if let Some(max_s) = trust.max_age_s.filter(|max_s| age_s > *max_s) {
        return Err(Failure::TooOld { age_s, max_s });
    }
    Ok((signed, format!("signed {age_s} s ago")))
}

fn witness(canister: Principal, bytes: &[u8], ic: &IcCertificate) -> Result<(HashTree, String), Failure> {
    let certified = ic.certified_data(canister)?;
    let witness: HashTree = ic_certificate::parse_cbor("witness", bytes)?;
    let got = Digest(witness.digest());
    if got != certified {
        return Err(Failure::OtherWitness { certified, got });
    }
    Ok((witness, format!("the witness has the certified root {certified}")))
}

fn leaf(witness: &HashTree, what: &'static str, key: &str, content: &[u8]) -> Result<((), String), Failure> {
    let certified = match witness.lookup_path([TREE_LABEL, key.as_bytes()]) {
        LookupResult::Found(bytes) => bytes,
        LookupResult::Absent => return Err(Failure::Absent(key.to_owned())),
        LookupResult::Unknown | LookupResult::Error => return Err(Failure::Pruned(key.to_owned())),
    };
    let got = Digest::of(content);
    if certified != got.0 {
        return Err(Failure::OtherContent { what, certified: hex::encode(certified), got });
    }
    Ok(((), format!("{key} has digest {got}")))
}

fn form(file: &CertificateFile) -> Result<((Certificate, Status), String), Failure> {
    let malformed = |what, cause: audit::AuditError| Failure::Malformed { what, cause: cause.to_string() };
    let certificate = Certificate::parse(&file.body).map_err(|cause| malformed("body", cause))?;
    let status = Status::parse(&file.status).map_err(|cause| malformed("status", cause))?;
    let predicate = &certificate.predicate;
    let fields = [
        ("the body's canister", file.canister.to_text(), predicate.canister.clone()),
        ("the body's number", file.certificate.to_string(), predicate.certificate.to_string()),
        ("the status's number", file.certificate.to_string(), status.certificate().to_string()),
    ];
    for (field, expected, got) in fields {
        if expected != got {
            return Err(Failure::Contradiction { field, expected, got });
        }
    }
    let found = format!("certificate {} of {}", file.certificate, file.canister);
    Ok(((certificate, status), found))
}

fn numbers(certificate: &Certificate) -> Result<((), String), Failure> {
    recompute(certificate).map_err(|cause| Failure::Numbers(cause.to_string()))?;
    let predicate = &certificate.predicate;
    let figures = predicate.groups.iter().map(|group| group.metrics.len()).sum::<usize>()
        + predicate.comparisons.iter().map(|comparison| comparison.metrics.len()).sum::<usize>()
        + predicate.criteria.len();
    Ok(((), format!("{figures} figures recomputed from {} counters", predicate.counters.len())))
}

#[cfg(test)]
mod tests;
