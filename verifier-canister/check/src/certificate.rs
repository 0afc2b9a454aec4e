use audit::{Certificate, recompute};
use interface::{
    certified::{certificate_key, status_key},
    export::CertificateFile,
};

use crate::{
    Failure, Standing, Status, Trust,
    steps::{Step, Steps, equal, leaf},
};

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
    let authentic = take_all(&mut steps, file, trust);
    Report { steps: steps.0, authentic }
}

fn take_all(steps: &mut Steps, file: &CertificateFile, trust: &Trust) -> Option<Authentic> {
    let (witness, signed_at_ns) =
        steps.certified(file.canister, &file.ic_certificate, &file.witness, trust)?;
    let (body, status) = (certificate_key(file.certificate), status_key(file.certificate));
    steps.take("body", leaf(&witness, "body", &body, &file.body))?;
    steps.take("status", leaf(&witness, "status", &status, &file.status))?;
    let (certificate, status) = steps.take("form", form(file))?;
    steps.take("numbers", numbers(&certificate))?;
    let standing = Standing::of(&certificate, status, trust.now_ns);
    Some(Authentic { certificate, standing, signed_at_ns })
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
    equal(fields)?;
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
