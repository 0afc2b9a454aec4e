use audit::Digest;
use ic_agent::AgentError;

use check::Failure;

/// Why a call did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The node does not answer, or not as a node should.
    #[error("{url} does not answer: {cause}")]
    Unreachable {
        /// The address.
        url: String,
        /// What happened.
        cause: Box<AgentError>,
    },
    /// The network rejected the call.
    #[error("{method} was rejected: {message}")]
    Rejected {
        /// The method.
        method: &'static str,
        /// What the network says.
        message: String,
        /// Its error code, e.g. `IC0301`.
        code: String,
    },
    /// Another failure of the network's protocol, e.g. a signature that does not verify.
    #[error("{method} failed: {cause}")]
    Protocol {
        /// The method.
        method: &'static str,
        /// What happened.
        cause: Box<AgentError>,
    },
    /// The canister refused.
    #[error("{method} was refused: {refusal}")]
    Refused {
        /// The method.
        method: &'static str,
        /// Why.
        refusal: Box<interface::Error>,
    },
    /// The canister answered with other types than this program knows.
    #[error("the answer of {method} is not understood: {cause}")]
    Answer {
        /// The method.
        method: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// What was downloaded is not what its digest says.
    #[error("the downloaded {what} has digest {got}, expected {expected}")]
    WrongDigest {
        /// Dataset or model.
        what: &'static str,
        /// What was asked for.
        expected: Digest,
        /// What came.
        got: Digest,
    },
    /// The canister gave less than it announced.
    #[error("the {what} has {expected} bytes, but only {got} could be read")]
    Short {
        /// Dataset or model.
        what: &'static str,
        /// Bytes announced.
        expected: u64,
        /// Bytes read.
        got: u64,
    },
    /// The subnet did not certify the answer.
    #[error("the answer of {method} is not certified: {cause}")]
    Uncertified {
        /// The method.
        method: &'static str,
        /// The step that failed.
        cause: Failure,
    },
    /// A certified answer came without the subnet's certificate.
    #[error("the canister gave no IC certificate with its answer")]
    NoCertificate,
}

impl ClientError {
    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreachable { .. } => {
                "check that the node runs (`assay localnet start`) and that --network names it".into()
            }
            Self::Rejected { code, .. } if code == "IC0301" || code == "IC0536" => {
                "no verifier canister answers under this id: check --canister".into()
            }
            Self::Rejected { .. } => "the canister or its subnet cannot do this now; try again later".into(),
            Self::Protocol { .. } => {
                "if the node was started with new state its root key is new too; otherwise do not trust this node".into()
            }
            Self::Refused { refusal, .. } => hint_for(refusal),
            Self::Answer { .. } => "program and canister have different versions: update the older one".into(),
            Self::WrongDigest { .. } | Self::Short { .. } => "do not trust this node; try another one".into(),
            Self::Uncertified { .. } => "do not trust this node; try another one".into(),
            Self::NoCertificate => "the node answered without certification; try another one".into(),
        }
    }
}

fn hint_for(refusal: &interface::Error) -> String {
    use interface::Error;
    match refusal {
        Error::Anonymous => {
            "sign in: make a key with `assay identity new FILE` and pass --identity FILE".into()
        }
        Error::NotAllowed { needed } if needed == "the owner of a model" => {
            "register a model first: `assay model register` or `assay language register`".into()
        }
        Error::NotAllowed { needed } if needed.contains("owner") || needed.contains("who requested") => {
            "pass --identity with that principal's key; `assay identity show` tells whose it is".into()
        }
        Error::NotAllowed { .. } => {
            "`assay role list` shows who may; a controller gives roles with `assay role add`".into()
        }
        Error::NotFound { what, .. } if what.contains("registered key") => {
            "`assay key add` registers the key that signs; `assay key list` shows those that are".into()
        }
        Error::NotFound { what, .. } if what.contains("upload") => {
            "nothing is there of what this call is about: begin again with the command that uploads it".into()
        }
        Error::NotFound { what, .. } => format!("`assay {what} list` shows what is there"),
        Error::AlreadyRegistered { .. } => "nothing needs to be done".into(),
        Error::QuotaExceeded { quota, .. } => {
            format!("`assay limits` shows the quotas; a controller can raise `{quota}`")
        }
        Error::TooLarge { .. } | Error::OutOfRange { .. } => "`assay limits` shows what is allowed".into(),
        Error::Invalid { what, .. } if what == "policy" => "`assay policy check FILE` says more".into(),
        Error::Invalid { what, .. } if what == "logged model" => {
            "ask for the audit with --log: the owner runs the model, and the canister counts".into()
        }
        Error::Invalid { what, .. } if what == "openings" => {
            "pass more --openings (100 are enough for any log), or none for a certificate that is `attested`".into()
        }
        Error::Invalid { .. } | Error::Malformed { .. } => "docs/formats.md has the rules".into(),
        Error::DigestMismatch { .. } | Error::WrongSize { .. } => {
            "run the command again: it sends the whole file anew".into()
        }
        Error::WrongChunk { .. } | Error::Incomplete { .. } => {
            "run the command again: it goes on where it stopped".into()
        }
        Error::WrongEncoding { .. } => {
            "the model was imported or registered for another dataset: name that one, or import or register for this one"
                .into()
        }
        Error::WrongState { what, .. } if what.starts_with("your card") => {
            "audit the model as it is registered: another name, threshold or parameter does not make it another one"
                .into()
        }
        Error::WrongState { .. } => "`assay audit list` and `assay certificate list` show the states".into(),
        Error::Internal { .. } => "report this to the canister's controllers; nothing was changed".into(),
        Error::Other { .. } => "update this program: the canister is newer".into(),
    }
}
