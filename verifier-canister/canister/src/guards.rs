//! Who is calling, and what they may do. Every update method checks here first.

use audit::codec;
use candid::Principal;
use ic_stable_structures::Memory;
use interface::{Error, REASON_BYTES, Role};

use crate::storage::State;

/// Who calls, and when.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// The caller.
    pub caller: Principal,
    /// Whether the caller is a controller of this canister.
    pub is_controller: bool,
    /// Nanoseconds since 1970.
    pub now_ns: u64,
}

/// Nanoseconds of a second.
pub const SECOND_NS: u64 = 1_000_000_000;

impl Context {
    /// The caller; fails for the anonymous one.
    pub fn signed_in(&self) -> Result<Principal, Error> {
        if self.caller == Principal::anonymous() { Err(Error::Anonymous) } else { Ok(self.caller) }
    }

    /// Fails unless the caller is a controller.
    pub fn controller(&self) -> Result<(), Error> {
        self.signed_in()?;
        if self.is_controller { Ok(()) } else { Err(Error::not_allowed("a controller")) }
    }

    /// UTC day in days since 1970.
    pub fn day(&self) -> u64 {
        self.now_ns / (86_400 * SECOND_NS)
    }

    /// Counts one more of something that so many are allowed of in a day, in the day and the count of its last time.
    pub fn count_today(
        &self,
        quota: &str,
        limit: u32,
        (day, count): (&mut u64, &mut u32),
    ) -> Result<(), Error> {
        if *day != self.day() {
            (*day, *count) = (self.day(), 0);
        }
        check_quota(quota, limit.into(), (*count).into(), 1)?;
        *count += 1;
        Ok(())
    }
}

/// How a role is stored.
pub fn role_code(role: Role) -> u8 {
    match role {
        Role::Registrar => 1,
        Role::Auditor => 2,
    }
}

impl<M: Memory> State<M> {
    /// Whether the caller holds `role`; controllers hold every role.
    pub fn has_role(&self, context: &Context, role: Role) -> bool {
        context.is_controller || self.roles.contains(&(role_code(role), context.caller))
    }

    /// Fails unless the caller may register datasets.
    pub fn registrar(&self, context: &Context) -> Result<(), Error> {
        context.signed_in()?;
        if self.has_role(context, Role::Registrar) { Ok(()) } else { Err(Error::not_allowed("a registrar")) }
    }
}

/// Fails unless a reason has 1 to [`REASON_BYTES`] bytes without control characters.
pub fn check_reason(reason: &str) -> Result<(), Error> {
    let (max, got) = (REASON_BYTES.into(), reason.len() as u64);
    if got > max {
        return Err(Error::TooLarge { what: "reason".to_owned(), max, got });
    }
    if reason.trim().is_empty() || reason.chars().any(char::is_control) {
        let message = "it must be printable text and not empty".to_owned();
        return Err(Error::Invalid { what: "reason".to_owned(), message });
    }
    Ok(())
}

/// Fails unless `min <= got <= max`.
pub fn check_range(what: &str, min: u64, max: u64, got: u64) -> Result<(), Error> {
    if got < min || got > max {
        return Err(Error::OutOfRange { what: what.to_owned(), min, max, got });
    }
    Ok(())
}

/// Fails when `used + requested` is above `limit`.
pub fn check_quota(quota: &str, limit: u64, used: u64, requested: u64) -> Result<(), Error> {
    if used.saturating_add(requested) > limit {
        return Err(Error::QuotaExceeded { quota: quota.to_owned(), limit, used, requested });
    }
    Ok(())
}

/// Fails when a search text is longer than any name.
pub fn check_search(text: Option<&str>) -> Result<(), Error> {
    let (max, got) = (codec::MAX_TEXT as u64, text.map_or(0, str::len) as u64);
    if got > max {
        return Err(Error::TooLarge { what: "search text".to_owned(), max, got });
    }
    Ok(())
}
