use audit::{AuditError, Certificate, canonical::from_canonical_json, certificate::Nanoseconds};
use serde::{Deserialize, Serialize};

/// Longest status text, in bytes.
const MAX_STATUS: usize = 8 << 10;

/// What the canister certifies beside a certificate's body, as canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase", deny_unknown_fields)]
pub enum Status {
    /// It stands.
    Valid {
        /// Its number.
        certificate: u64,
    },
    /// A newer one replaces it.
    Superseded {
        /// Its number.
        certificate: u64,
        /// The newer one's number.
        by: u64,
        /// Since when.
        at: Nanoseconds,
    },
    /// A prediction in its log is one that the public model does not make.
    Suspended {
        /// Its number.
        certificate: u64,
        /// Row of the dataset.
        row: u32,
        /// Index of the class in the log.
        logged: u8,
        /// Index of the class that the model decides.
        decided: u8,
        /// Principal that pointed it out.
        by: String,
        /// Since when.
        at: Nanoseconds,
    },
    /// It was withdrawn.
    Revoked {
        /// Its number.
        certificate: u64,
        /// By which principal.
        by: String,
        /// Why.
        reason: String,
        /// Since when.
        at: Nanoseconds,
    },
}

impl Status {
    /// Reads the bytes that the leaf `status/<10 digits>` is the digest of.
    pub fn parse(bytes: &[u8]) -> Result<Self, AuditError> {
        from_canonical_json("status", MAX_STATUS, bytes)
    }

    /// The certificate that it is about.
    pub fn certificate(&self) -> u64 {
        match self {
            Self::Valid { certificate }
            | Self::Superseded { certificate, .. }
            | Self::Suspended { certificate, .. }
            | Self::Revoked { certificate, .. } => *certificate,
        }
    }
}

/// Whether an authentic certificate can be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Yes.
    Stands,
    /// Its validity has ended.
    Expired {
        /// When it ended, in nanoseconds since 1970.
        at_ns: u64,
    },
    /// A newer one replaces it.
    Superseded {
        /// The newer one's number.
        by: u64,
        /// Since when, in nanoseconds since 1970.
        at_ns: u64,
    },
    /// The canister found a prediction in its log that the public model does not make.
    Suspended {
        /// Row of the dataset.
        row: u32,
        /// Principal that pointed it out.
        by: String,
        /// Since when, in nanoseconds since 1970.
        at_ns: u64,
    },
    /// It was withdrawn.
    Revoked {
        /// By which principal.
        by: String,
        /// Why.
        reason: String,
        /// Since when, in nanoseconds since 1970.
        at_ns: u64,
    },
}

impl Standing {
    /// Revocation and suspension count more than replacement, and that more than the end of validity.
    pub fn of(certificate: &Certificate, status: Status, now_ns: u64) -> Self {
        match status {
            Status::Revoked { by, reason, at, .. } => Self::Revoked { by, reason, at_ns: at.0 },
            Status::Suspended { row, by, at, .. } => Self::Suspended { row, by, at_ns: at.0 },
            Status::Superseded { by, at, .. } => Self::Superseded { by, at_ns: at.0 },
            Status::Valid { .. } => match certificate.predicate.valid_until {
                Some(end) if end.0 <= now_ns => Self::Expired { at_ns: end.0 },
                _ => Self::Stands,
            },
        }
    }

    /// One word: `stands`, `expired`, `superseded`, `suspended` or `revoked`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Stands => "stands",
            Self::Expired { .. } => "expired",
            Self::Superseded { .. } => "superseded",
            Self::Suspended { .. } => "suspended",
            Self::Revoked { .. } => "revoked",
        }
    }
}

#[cfg(test)]
mod tests {
    use candid::Principal;
    use interface::{CertificateState, certified::status_json};

    use super::*;

    #[test]
    fn every_state_of_the_canister_is_read() {
        let revoked = CertificateState::Revoked {
            reason: "wrong data".to_owned(),
            by: Principal::management_canister(),
            at_ns: 5,
        };
        let by = Principal::management_canister();
        let suspended = CertificateState::Suspended { row: 3, logged: 1, decided: 0, by, at_ns: 5 };
        let read = |state| Status::parse(&status_json(7, &state).unwrap()).unwrap();
        assert_eq!(read(CertificateState::Valid), Status::Valid { certificate: 7 });
        assert_eq!(
            read(CertificateState::Superseded { by: 9, at_ns: 4 }),
            Status::Superseded { certificate: 7, by: 9, at: Nanoseconds(4) }
        );
        assert!(matches!(read(suspended), Status::Suspended { row: 3, logged: 1, decided: 0, .. }));
        assert!(matches!(read(revoked), Status::Revoked { certificate: 7, at: Nanoseconds(5), .. }));
    }

    #[test]
    fn unknown_states_and_spellings_are_refused() {
        for text in [
            r#"{"certificate":7,"state":"fine"}"#,
            r#"{"certificate":7,"note":"x","state":"valid"}"#,
            r#"{"state":"valid","certificate":7}"#,
            r#"{"certificate":7,"state":"valid"} "#,
        ] {
            assert!(Status::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
