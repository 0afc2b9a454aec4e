//! The Internet Computer's own certificate: a subnet's signature over part of its state.
//!
//! Written out here, and not taken from a verification crate, for two reasons: each step fails with its own error,
//! and a delegation whose canister ranges were pruned away is refused (a checker that finds no range must not
//! conclude that every canister is covered). Parsing is bounded in size and depth.

use audit::Digest;
use candid::Principal;
use ic_certification::{Certificate, HashTree, LookupResult, SubtreeLookupResult};
use serde::{Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;

use crate::Failure;

/// The root key of the Internet Computer's main network, DER, 133 bytes.
pub const MAINNET_ROOT_KEY: [u8; 133] = *b"\x30\x81\x82\x30\x1d\x06\x0d\x2b\x06\x01\x04\x01\x82\xdc\x7c\x05\x03\x01\x02\
    \x01\x06\x0c\x2b\x06\x01\x04\x01\x82\xdc\x7c\x05\x03\x02\x01\x03\x61\x00\x81\x4c\x0e\x6e\xc7\x1f\xab\x58\x3b\x08\
    \xbd\x81\x37\x3c\x25\x5c\x3c\x37\x1b\x2e\x84\x86\x3c\x98\xa4\xf1\xe0\x8b\x74\x23\x5d\x14\xfb\x5d\x9c\x0c\xd5\x46\
    \xd9\x68\x5f\x91\x3a\x0c\x0b\x2c\xc5\x34\x15\x83\xbf\x4b\x43\x92\xe4\x67\xdb\x96\xd6\x5b\x9b\xb4\xcb\x71\x71\x12\
    \xf8\x47\x2e\x0d\x5a\x4d\x14\x50\x5f\xfd\x74\x84\xb0\x12\x91\x09\x1c\x5f\x87\xb9\x88\x83\x46\x3f\x98\x09\x1a\x0b\
    \xaa\xae";
/// Longest IC certificate or witness, in bytes.
pub const MAX_CERTIFICATE: usize = 1 << 20;
/// Length of a DER-encoded BLS key.
const DER_KEY: usize = 133;
/// DER header of a BLS12-381 key in G2, before its 96 bytes.
const DER_PREFIX: &[u8; 37] =
    b"\x30\x81\x82\x30\x1d\x06\x0d\x2b\x06\x01\x04\x01\x82\xdc\x7c\x05\x03\x01\x02\x01\
    \x06\x0c\x2b\x06\x01\x04\x01\x82\xdc\x7c\x05\x03\x02\x01\x03\x61\x00";
const STATE_ROOT: &[u8] = b"\x0Dic-state-root";

/// An IC certificate whose signature leads to the root key.
#[derive(Debug, Clone)]
pub struct IcCertificate {
    certificate: Certificate,
    delegation: Option<Certificate>,
}

impl IcCertificate {
    /// Parses a certificate and checks the signature on it and on its delegation, if there is one.
    pub fn verify(bytes: &[u8], root_key: &[u8]) -> Result<Self, Failure> {
        let certificate: Certificate = parse_cbor("IC certificate", bytes)?;
        let Some(delegation) = &certificate.delegation else {
            verify_signature("subnet", &certificate, root_key)?;
            return Ok(Self { certificate, delegation: None });
        };
        let issuer: Certificate = parse_cbor("delegation", &delegation.certificate)?;
        if issuer.delegation.is_some() {
            return Err(Failure::NestedDelegation);
        }
        verify_signature("root", &issuer, root_key)?;
        let path = [b"subnet".as_slice(), &delegation.subnet_id, b"public_key"];
        let LookupResult::Found(subnet_key) = issuer.tree.lookup_path(path) else {
            return Err(Failure::NotInTree { what: "the subnet's public key", tree: "delegation" });
        };
        verify_signature("subnet", &certificate, subnet_key)?;
        Ok(Self { delegation: Some(issuer), certificate })
    }

    /// The subnet that signed, or `None` for the root key itself.
    pub fn subnet(&self) -> Option<Principal> {
        let delegation = self.certificate.delegation.as_ref()?;
        Principal::try_from_slice(&delegation.subnet_id).ok()
    }

    /// Fails unless the signing subnet is the one that hosts `canister`. The root subnet signs for any canister.
    pub fn covers(&self, canister: Principal) -> Result<(), Failure> {
        let (Some(issuer), Some(delegation)) = (&self.delegation, &self.certificate.delegation) else {
            return Ok(());
        };
        let ranges = canister_ranges(&issuer.tree, &delegation.subnet_id)?;
        let covered = ranges.iter().any(|(first, last)| (first..=last).contains(&&canister));
        if covered { Ok(()) } else { Err(Failure::CanisterOutOfRange(canister)) }
    }

    /// When the subnet signed, in nanoseconds since 1970.
    pub fn time_ns(&self) -> Result<u64, Failure> {
        let missing = Failure::NotInTree { what: "the time", tree: "IC certificate" };
        let LookupResult::Found(bytes) = self.certificate.tree.lookup_path([b"time"]) else {
            return Err(missing);
        };
        leb128(bytes).ok_or(missing)
    }

    /// The digest that `canister` had certified.
    pub fn certified_data(&self, canister: Principal) -> Result<Digest, Failure> {
        let path = [b"canister".as_slice(), canister.as_slice(), b"certified_data"];
        let LookupResult::Found(bytes) = self.certificate.tree.lookup_path(path) else {
            return Err(Failure::NoCertifiedData(canister));
        };
        bytes.try_into().map(Digest).map_err(|_| Failure::NoCertifiedData(canister))
    }
}

/// Parses CBOR of bounded size and depth, without trailing bytes, and only in the one spelling that nodes write.
pub(crate) fn parse_cbor<T: Serialize + DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
) -> Result<T, Failure> {
    if bytes.len() > MAX_CERTIFICATE {
        return Err(Failure::TooLarge { what, got: bytes.len(), max: MAX_CERTIFICATE });
    }
    let malformed = |cause: String| Failure::Malformed { what, cause };
    let value = serde_cbor::from_slice(bytes).map_err(|cause| malformed(cause.to_string()))?;
    // The parser also takes text for bytes, longer lengths and any tag. The tag for "this is CBOR" may stand in front.
    let content = bytes.strip_prefix(b"\xd9\xd9\xf7").unwrap_or(bytes);
    if serde_cbor::to_vec(&value).map_err(|cause| malformed(cause.to_string()))? != content {
        return Err(malformed("it is not in canonical form".to_owned()));
    }
    Ok(value)
}

fn verify_signature(signer: &'static str, certificate: &Certificate, key: &[u8]) -> Result<(), Failure> {
    let key =
        key.strip_prefix(DER_PREFIX).filter(|_| key.len() == DER_KEY).ok_or(Failure::NotAKey(signer))?;
    let message = [STATE_ROOT, &certificate.tree.digest()].concat();
    ic_verify_bls_signature::verify_bls_signature(&certificate.signature, &message, key)
        .map_err(|()| Failure::Signature(signer))
}

/// The canister ranges of a subnet, from the tree that the root key signed. An empty list is an error.
fn canister_ranges(tree: &HashTree, subnet: &[u8]) -> Result<Vec<(Principal, Principal)>, Failure> {
    let missing = Failure::NotInTree { what: "the subnet's canister ranges", tree: "delegation" };
    let mut ranges = Vec::new();
    match tree.lookup_subtree([b"canister_ranges".as_slice(), subnet]) {
        SubtreeLookupResult::Found(shards) => {
            for path in shards.list_paths() {
                if let LookupResult::Found(bytes) = shards.lookup_path(&path) {
                    ranges.extend(parse_ranges(bytes)?);
                }
            }
        }
        // Subnets had their ranges here before there were shards; archived certificates still do.
        _ => match tree.lookup_path([b"subnet".as_slice(), subnet, b"canister_ranges"]) {
            LookupResult::Found(bytes) => ranges = parse_ranges(bytes)?,
            _ => return Err(missing),
        },
    }
    if ranges.is_empty() { Err(missing) } else { Ok(ranges) }
}

fn parse_ranges(bytes: &[u8]) -> Result<Vec<(Principal, Principal)>, Failure> {
    let pairs: Vec<(ByteBuf, ByteBuf)> = parse_cbor("canister ranges", bytes)?;
    let principal = |bytes: &ByteBuf| {
        Principal::try_from_slice(bytes)
            .map_err(|cause| Failure::Malformed { what: "canister ranges", cause: cause.to_string() })
    };
    pairs.iter().map(|(first, last)| Ok((principal(first)?, principal(last)?))).collect()
}

/// An unsigned LEB128 number that fills `bytes` exactly.
fn leb128(bytes: &[u8]) -> Option<u64> {
    let (last, rest) = bytes.split_last()?;
    let complete = last & 0x80 == 0 && rest.iter().all(|byte| byte & 0x80 != 0) && bytes.len() <= 9;
    let fold = |value, byte: &u8| value << 7 | u64::from(byte & 0x7f);
    complete.then(|| bytes.iter().rev().fold(0, fold))
}

#[cfg(test)]
mod tests;
