//! Why a message execution ended without success.

/// Reject codes of the Internet Computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum RejectCode {
    /// Fatal system error.
    SysFatal = 1,
    /// Transient system error.
    SysTransient = 2,
    /// No such canister or method.
    DestinationInvalid = 3,
    /// The canister rejected the message.
    CanisterReject = 4,
    /// The canister trapped or did not reply.
    CanisterError = 5,
    /// A best-effort call whose outcome is unknown.
    SysUnknown = 6,
}

/// A rejected message: code, text and, where there is one, the error code that agents show.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rejection {
    /// Class of the error.
    pub code: RejectCode,
    /// What happened.
    pub message: String,
    /// For example `IC0503`.
    pub error_code: Option<String>,
}

impl Rejection {
    /// A rejection by the system, with the number of its error code.
    pub(crate) fn new(code: RejectCode, number: u32, message: impl Into<String>) -> Self {
        Rejection { code, message: message.into(), error_code: Some(format!("IC{number:04}")) }
    }

    /// A rejection that a canister made itself.
    pub(crate) fn by_canister(message: impl Into<String>) -> Self {
        Rejection::new(RejectCode::CanisterReject, 406, message)
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (reject code {}", self.message, self.code as u8)?;
        match &self.error_code {
            Some(error) => write!(f, ", {error})"),
            None => write!(f, ")"),
        }
    }
}

impl std::error::Error for Rejection {}

/// Why the execution of a message stopped.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Halt {
    /// A WebAssembly trap: unreachable, out of bounds, division by zero, stack overflow.
    #[error("Canister trapped: {0}")]
    Trapped(String),
    /// The canister called `ic0.trap`.
    #[error("Canister called `ic0.trap` with message: '{0}'")]
    CalledTrap(String),
    /// A system call was made in the wrong context or with wrong arguments.
    #[error("Canister violated contract: {0}")]
    Violation(String),
    /// The instruction limit of the message is used up.
    #[error("Canister exceeded the limit of {0} instructions for single message execution.")]
    InstructionLimit(u64),
    /// The method is not exported.
    #[error("Canister has no {0}")]
    NoMethod(String),
    /// The memory could not be allocated.
    #[error("Canister cannot grow memory by {0} bytes.")]
    OutOfMemory(u64),
    /// The node failed, not the canister.
    #[error("{0}")]
    Internal(String),
}

impl Halt {
    /// The rejection that the caller of `canister` sees.
    pub(crate) fn reject(&self, canister: candid::Principal) -> Rejection {
        let (code, number) = match self {
            Halt::Trapped(_) => (RejectCode::CanisterError, 502),
            Halt::CalledTrap(_) => (RejectCode::CanisterError, 503),
            Halt::Violation(_) => (RejectCode::CanisterError, 504),
            Halt::InstructionLimit(_) => (RejectCode::CanisterError, 522),
            Halt::NoMethod(_) => (RejectCode::DestinationInvalid, 536),
            Halt::OutOfMemory(_) => (RejectCode::CanisterError, 507),
            Halt::Internal(_) => (RejectCode::SysFatal, 521),
        };
        Rejection::new(code, number, format!("Error from Canister {canister}: {self}"))
    }
}
