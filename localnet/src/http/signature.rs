//! Signatures of users: Ed25519, ECDSA with SHA-256 over P-256 and secp256k1, and those that canisters make.

use ed25519_dalek::VerifyingKey;
use k256::ecdsa::signature::Verifier as _;

use super::canister_signature::CanisterKey;

/// What precedes the 65 bytes of an uncompressed P-256 point in DER.
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// What precedes the 65 bytes of an uncompressed secp256k1 point in DER.
const SECP256K1_PREFIX: [u8; 23] = [
    0x30, 0x56, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
    0x04, 0x00, 0x0a, 0x03, 0x42, 0x00,
];

/// Checks a signature by the key with this DER encoding, on the network with this root key.
///
/// # Errors
///
/// What is wrong with the key or the signature.
pub(super) fn verify(der: &[u8], message: &[u8], signature: &[u8], root_key: &[u8]) -> Result<(), String> {
    const INVALID: &str = "the signature does not match";
    if let Some(key) = der.strip_prefix(&crate::certificate::ED25519_PREFIX) {
        let key: [u8; 32] = key.try_into().map_err(|_| "an Ed25519 key has 32 bytes")?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| "the Ed25519 key is not a point")?;
        let signature = ed25519_dalek::Signature::from_slice(signature);
        let signature = signature.map_err(|_| "an Ed25519 signature has 64 bytes")?;
        return key.verify_strict(message, &signature).map_err(|_| INVALID.into());
    }
    if let Some(point) = der.strip_prefix(&SECP256K1_PREFIX) {
        let key = k256::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| "the key is not a point")?;
        let signature = k256::ecdsa::Signature::from_slice(signature);
        let signature = signature.map_err(|_| "a secp256k1 signature has 64 bytes")?;
        let signature = signature.normalize_s().unwrap_or(signature);
        return key.verify(message, &signature).map_err(|_| INVALID.into());
    }
    if let Some(point) = der.strip_prefix(&P256_PREFIX) {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| "the key is not a point")?;
        let signature = p256::ecdsa::Signature::from_slice(signature);
        let signature = signature.map_err(|_| "a P-256 signature has 64 bytes")?;
        return key.verify(message, &signature).map_err(|_| INVALID.into());
    }
    if let Some(key) = CanisterKey::parse(der) {
        return key.verify(message, signature, root_key);
    }
    Err("the key is none of Ed25519, P-256, secp256k1 and a canister's (this node knows no other)".into())
}

#[cfg(test)]
mod tests {
    use k256::ecdsa::signature::Signer as _;

    use super::*;

    /// A valid (key, signature) over `message` for each kind of key.
    fn signed(message: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let ed = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let k = k256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let p = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let k_signature: k256::ecdsa::Signature = k.sign(message);
        let p_signature: p256::ecdsa::Signature = p.sign(message);
        let der = |prefix: &[u8], key: &[u8]| [prefix, key].concat();
        vec![
            (
                der(&crate::certificate::ED25519_PREFIX, ed.verifying_key().as_bytes()),
                ed25519_dalek::Signer::sign(&ed, message).to_bytes().to_vec(),
            ),
            (
                der(&SECP256K1_PREFIX, k.verifying_key().to_encoded_point(false).as_bytes()),
                k_signature.to_bytes().to_vec(),
            ),
            (
                der(&P256_PREFIX, p.verifying_key().to_encoded_point(false).as_bytes()),
                p_signature.to_bytes().to_vec(),
            ),
        ]
    }

    #[test]
    fn each_kind_of_key_signs_and_nothing_else_passes() {
        for (key, signature) in signed(b"message") {
            assert_eq!(verify(&key, b"message", &signature, b""), Ok(()));
            assert!(verify(&key, b"massage", &signature, b"").is_err());
            assert!(verify(&key, b"message", &signature[1..], b"").is_err());
            assert!(verify(&key[..key.len() - 1], b"message", &signature, b"").is_err());
            for bit in [0, 300, 511] {
                let mut flipped = signature.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(verify(&key, b"message", &flipped, b"").is_err(), "bit {bit}");
            }
        }
        assert!(verify(&[0x30, 0x00], b"message", &[0; 64], b"").is_err());
    }
}
