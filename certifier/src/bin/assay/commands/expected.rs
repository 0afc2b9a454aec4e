//! What whoever checks a certificate asks of it, beyond that it is authentic.

use std::{fmt::Display, path::PathBuf};

use audit::{Certificate, Digest, Verdict};
use check::{Report, Standing};
use clap::Args;

use super::policy;
use crate::{
    failure::{Exit, Failure, Result},
    time::parse_duration_s,
};

/// What a certificate must be about, and how current.
#[derive(Args)]
pub struct Expected {
    /// Oldest signature accepted, e.g. 24h: how current the word on revocation must be
    #[arg(long, value_name = "TIME", value_parser = parse_duration_s)]
    pub max_age: Option<u64>,
    /// Exit with 4 unless the verdict is `pass`
    #[arg(long)]
    pub require_pass: bool,
    /// Exit with 3 unless it is about this policy: a verdict is worth what was asked for
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Exit with 3 unless it is about the dataset with this SHA-256
    #[arg(long, value_name = "DIGEST")]
    dataset: Option<Digest>,
    /// Exit with 3 unless it is about the model with this SHA-256
    #[arg(long, value_name = "DIGEST")]
    model: Option<Digest>,
    /// Exit with 3 unless at least so many rows were drawn
    #[arg(long, value_name = "ROWS")]
    min_sample: Option<u32>,
}

impl Expected {
    /// Fails unless an authentic certificate is about what it should be about.
    pub fn check(&self, certificate: &Certificate) -> Result<()> {
        let predicate = &certificate.predicate;
        let other = |what: &str, wanted: &dyn Display, got: &dyn Display| {
            let error = format!("the certificate is about {what} {got}, not {wanted}");
            Err(Failure {
                exit: Exit::Mismatch,
                ..Failure::new(error, "ask for the certificate that you need")
            })
        };
        if let Some(path) = &self.policy {
            let wanted = policy::read(path)?.digest().map_err(anyhow::Error::from)?;
            if wanted != predicate.policy_digest {
                return other("policy", &wanted, &predicate.policy_digest);
            }
        }
        for (what, wanted, got) in [
            ("dataset", self.dataset, predicate.dataset.digest),
            ("model", self.model, predicate.model.digest),
        ] {
            if let Some(wanted) = wanted.filter(|wanted| *wanted != got) {
                return other(what, &wanted, &got);
            }
        }
        match self.min_sample {
            Some(least) if predicate.sample.size < least => {
                other("a sample of", &format!("{least} or more"), &predicate.sample.size)
            }
            _ => Ok(()),
        }
    }
}

/// What a check comes to.
pub fn exit_of(report: &Report, require_pass: bool) -> Exit {
    match &report.authentic {
        None => Exit::Mismatch,
        Some(authentic) if authentic.standing != Standing::Stands => Exit::NotStanding,
        Some(authentic) if require_pass && authentic.certificate.predicate.verdict != Verdict::Pass => {
            Exit::NotPassed
        }
        Some(_) => Exit::Ok,
    }
}
