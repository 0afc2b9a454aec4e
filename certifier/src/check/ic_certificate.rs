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

use super::Failure;

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
pub(super) fn parse_cbor<T: Serialize + DeserializeOwned>(
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
mod tests {
    use super::*;
    use crate::{check::tests::prune, network::MAINNET_ROOT_KEY};

    const CANISTER: &str = "ivg37-qiaaa-aaaab-aaaga-cai";

    /// The certificate in a recorded answer to `read_state`.
    fn recorded(name: &str) -> Vec<u8> {
        #[derive(serde::Deserialize)]
        struct Answer {
            certificate: ByteBuf,
        }
        let path = format!("{}/tests/ic-certificates/{name}.cbor", env!("CARGO_MANIFEST_DIR"));
        let answer: Answer = serde_cbor::from_slice(&std::fs::read(path).unwrap()).unwrap();
        answer.certificate.into_vec()
    }

    fn canister() -> Principal {
        Principal::from_text(CANISTER).unwrap()
    }

    #[test]
    fn certificates_of_the_main_network_are_accepted() {
        for name in ["mainnet-shards", "mainnet-ranges"] {
            let certificate = IcCertificate::verify(&recorded(name), &MAINNET_ROOT_KEY).unwrap();
            certificate.covers(canister()).unwrap();
            assert!(certificate.time_ns().unwrap() > 1_600_000_000_000_000_000);
        }
    }

    #[test]
    fn a_canister_of_another_subnet_is_refused() {
        let certificate = IcCertificate::verify(&recorded("mainnet-shards"), &MAINNET_ROOT_KEY).unwrap();
        let other = Principal::from_text("ryjl3-tyaaa-aaaaa-aaaba-cai").unwrap();
        assert_eq!(certificate.covers(other), Err(Failure::CanisterOutOfRange(other)));
    }

    #[test]
    fn pruned_ranges_cover_no_canister() {
        for (name, path) in [
            ("mainnet-shards", &["canister_ranges", "SUBNET"][..]),
            ("mainnet-ranges", &["subnet", "SUBNET", "canister_ranges"]),
        ] {
            let mut certificate: Certificate = serde_cbor::from_slice(&recorded(name)).unwrap();
            let delegation = certificate.delegation.as_mut().unwrap();
            let subnet = delegation.subnet_id.as_slice();
            let path: Vec<_> =
                path.iter().map(|part| if *part == "SUBNET" { subnet } else { part.as_bytes() }).collect();
            let mut issuer: Certificate = serde_cbor::from_slice(&delegation.certificate).unwrap();
            issuer.tree = prune(issuer.tree, &path);
            delegation.certificate = serde_cbor::to_vec(&issuer).unwrap();
            // Pruning keeps every digest, so the signatures still hold.
            let bytes = serde_cbor::to_vec(&certificate).unwrap();
            let certificate = IcCertificate::verify(&bytes, &MAINNET_ROOT_KEY).unwrap();
            let error = certificate.covers(canister()).unwrap_err();
            assert!(
                matches!(error, Failure::NotInTree { what: "the subnet's canister ranges", .. }),
                "{error}"
            );
        }
    }

    #[test]
    fn every_changed_byte_of_a_mainnet_certificate_is_noticed() {
        let original = recorded("mainnet-ranges");
        // Each signature costs milliseconds: every byte is visited, with one of its bits.
        for position in 0..original.len() {
            let mut bytes = original.clone();
            bytes[position] ^= 1 << (position % 8);
            assert!(IcCertificate::verify(&bytes, &MAINNET_ROOT_KEY).is_err(), "byte {position}");
        }
    }

    #[test]
    fn deep_nesting_and_trailing_bytes_are_errors() {
        let deep: Vec<u8> = b"\x83\x01".repeat(100_000);
        assert!(matches!(
            parse_cbor::<HashTree>("witness", &deep),
            Err(Failure::Malformed { what: "witness", .. })
        ));
        let trailing = [recorded("mainnet-ranges"), vec![0]].concat();
        assert!(matches!(
            IcCertificate::verify(&trailing, &MAINNET_ROOT_KEY),
            Err(Failure::Malformed { what: "IC certificate", .. })
        ));
        let large = vec![0; MAX_CERTIFICATE + 1];
        assert!(matches!(
            IcCertificate::verify(&large, &MAINNET_ROOT_KEY),
            Err(Failure::TooLarge { what: "IC certificate", .. })
        ));
    }

    #[test]
    fn leb128_needs_a_complete_number() {
        assert_eq!(leb128(&[0xe5, 0x8e, 0x26]), Some(624_485));
        assert_eq!(leb128(&[]), None);
        assert_eq!(leb128(&[0x80]), None);
        assert_eq!(leb128(&[0x01, 0x01]), None);
        assert_eq!(leb128(&[0xff; 10]), None);
    }
}
