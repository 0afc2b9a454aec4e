use candid::{CandidType, Principal};
use serde::Deserialize;

/// What controllers can allow a principal to do. Anyone who signs in may register models, within quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, CandidType, Deserialize)]
pub enum Role {
    /// Registers datasets; may request audits of every model.
    Registrar,
    /// May request audits of every model.
    Auditor,
}

/// A role and who gets or loses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize)]
pub struct RoleChange {
    /// The role.
    pub role: Role,
    /// Who.
    pub principal: Principal,
}

/// Someone with a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize)]
pub struct RoleHolder {
    /// The role.
    pub role: Role,
    /// Who.
    pub principal: Principal,
    /// Since when, in nanoseconds since 1970.
    pub since_ns: u64,
}
