use interface::{CertificateId, CertificateState, CertificateSummary, Verdict};
use maud::{Markup, html};

/// Whether a certificate can be relied on, as of the time that its pages were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Yes.
    Stands,
    /// Its time is over.
    Expired,
    /// A newer one replaces it.
    Superseded(CertificateId),
    /// This row of its log is not what the public model decides.
    Suspended(u32),
    /// It was withdrawn.
    Revoked(String),
}

impl Standing {
    /// The standing of a certificate at `as_of_ns`.
    pub fn of(summary: &CertificateSummary, as_of_ns: u64) -> Self {
        match &summary.state {
            CertificateState::Revoked { reason, .. } => Self::Revoked(reason.clone()),
            CertificateState::Suspended { row, .. } => Self::Suspended(*row),
            CertificateState::Superseded { by, .. } => Self::Superseded(*by),
            CertificateState::Valid if summary.valid_until_ns.is_some_and(|until| until <= as_of_ns) => {
                Self::Expired
            }
            CertificateState::Valid => Self::Stands,
        }
    }

    /// In one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Stands => "stands",
            Self::Expired => "expired",
            Self::Superseded(_) => "superseded",
            Self::Suspended(_) => "suspended",
            Self::Revoked(_) => "revoked",
        }
    }
}

/// A verdict in one word.
pub(crate) fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Undefined => "undefined",
    }
}

/// The verdict as a coloured word; what no longer stands is said first and never coloured as a pass.
pub(crate) fn outcome(verdict: Verdict, standing: &Standing) -> Markup {
    outcome_of(verdict_word(verdict), standing)
}

/// [`outcome`] of a verdict in one word.
pub(crate) fn outcome_of(word: &str, standing: &Standing) -> Markup {
    match standing {
        Standing::Stands => html! { span class={ "verdict " (word) } { (word) } },
        gone => {
            html! { span class="verdict gone" { (gone.word()) } " " span class="was" { "(was: " (word) ")" } }
        }
    }
}
