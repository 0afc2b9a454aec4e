use audit::Digest;
use candid::Principal;

/// Why a certificate is not what it says it is. Every cause has its own variant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Longer than anything this checker reads.
    #[error("the {what} has {got} bytes, allowed are {max}")]
    TooLarge {
        /// What is too long.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The most allowed.
        max: usize,
    },
    /// Not the CBOR or JSON expected here.
    #[error("the {what} cannot be read: {cause}")]
    Malformed {
        /// What was read.
        what: &'static str,
        /// What the parser says.
        cause: String,
    },
    /// A key is not a DER-encoded BLS12-381 key.
    #[error("the {0} key is not a BLS12-381 key of 133 bytes")]
    NotAKey(&'static str),
    /// A signature does not verify: forged, damaged, or made under another root key.
    #[error("the signature does not verify with the {0} key")]
    Signature(&'static str),
    /// The subnet's certificate of delegation is itself delegated.
    #[error("the delegation is delegated again")]
    NestedDelegation,
    /// A part of the state tree is absent or pruned.
    #[error("{what} is missing from the {tree}")]
    NotInTree {
        /// The part.
        what: &'static str,
        /// The tree.
        tree: &'static str,
    },
    /// The subnet that signed does not host the canister.
    #[error("the subnet that signed does not host canister {0}")]
    CanisterOutOfRange(Principal),
    /// The certificate comes from another canister than the one to be trusted.
    #[error("the certificate comes from canister {got}, expected {expected}")]
    OtherCanister {
        /// The canister to be trusted.
        expected: Principal,
        /// The canister found.
        got: String,
    },
    /// The IC certificate says nothing about this canister.
    #[error("the IC certificate has no certified data of canister {0}")]
    NoCertifiedData(Principal),
    /// The subnet's signature is older than allowed.
    #[error("the IC certificate is {age_s} s old, allowed are {max_s} s")]
    TooOld {
        /// Seconds between the subnet's signature and now.
        age_s: u64,
        /// Most seconds allowed.
        max_s: u64,
    },
    /// The subnet's signature lies ahead of this computer's clock.
    #[error("the IC certificate was signed {ahead_s} s in the future of this computer's clock")]
    InTheFuture {
        /// Seconds ahead.
        ahead_s: u64,
    },
    /// The witness is not part of what the canister certified.
    #[error("the witness has root {got}, the canister certified {certified}")]
    OtherWitness {
        /// What the canister certified.
        certified: Digest,
        /// Digest of the witness.
        got: Digest,
    },
    /// The witness proves that the canister has no such record.
    #[error("the canister has no record {0:?}")]
    Absent(String),
    /// The witness shows a record that was said not to be there.
    #[error("the canister has a record {0:?}")]
    Present(String),
    /// The witness hides the record.
    #[error("the witness does not show the record {0:?}: it was pruned")]
    Pruned(String),
    /// Records of a range are not given in the order of their keys, or lie outside of it.
    #[error("the record {0:?} is out of place")]
    OutOfOrder(String),
    /// The record differs from the one that the canister certified.
    #[error("the {what} has digest {got}, the canister certified {certified}")]
    OtherContent {
        /// Body, status or record.
        what: &'static str,
        /// What the canister certified.
        certified: String,
        /// What was computed.
        got: Digest,
    },
    /// A field of the body or status contradicts the file.
    #[error("{field} is {got:?}, expected {expected:?}")]
    Contradiction {
        /// The field.
        field: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// Numbers in the body do not follow from its counters.
    #[error("the numbers do not follow from the counters: {0}")]
    Numbers(String),
}

impl Failure {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } | Self::Malformed { .. } => "export the certificate again",
            Self::NotAKey("root") => {
                "a root key is 133 bytes in DER, as hex or in a file; `--network ic` has the main network's"
            }
            Self::NotAKey(_) | Self::NestedDelegation | Self::NotInTree { .. } => {
                "this is not an IC certificate as subnets make them; do not trust the file"
            }
            Self::Signature(_) => {
                "either the file was changed, or it comes from a network with another root key: check --root-key, and \
                 note that an embedded node has a new key whenever its state is new"
            }
            Self::CanisterOutOfRange(_) | Self::NoCertifiedData(_) => {
                "a real IC certificate, but for another canister; do not trust the file"
            }
            Self::OtherCanister { .. } => "compare with the canister id that the certifier publishes",
            Self::TooOld { .. } => "export the certificate again, or allow a larger --max-age",
            Self::InTheFuture { .. } => "set this computer's clock",
            Self::OtherWitness { .. } => {
                "witness and IC certificate were not made together; export the certificate again"
            }
            Self::Present(_) => "the node hides a record; do not trust it",
            Self::Absent(_) | Self::Pruned(_) => {
                "ask the certifier for the whole witness, or export it yourself"
            }
            Self::OtherContent { .. } | Self::Contradiction { .. } | Self::OutOfOrder(_) => {
                "the record was changed; do not trust the file"
            }
            Self::Numbers(_) => "the canister that made it runs other code than it says; do not trust it",
        }
    }
}
