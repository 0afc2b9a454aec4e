use sha2::{Digest as _, Sha256};

/// What hides a prediction's scores until it is opened.
pub type Salt = [u8; 16];

/// Hash input of every salt starts with it.
const TAG: &[u8] = b"assay log salt 1";

/// The salt of the record at `index`: the first half of SHA-256 of a tag, the log's secret and the index.
///
/// The secret is 32 random bytes of one log. All hash inputs have the same length, and half of the hash is kept, so an
/// opened salt tells nothing about the others.
pub fn salt(secret: &[u8; 32], index: u32) -> Salt {
    let hash = Sha256::new().chain_update(TAG).chain_update(secret).chain_update(index.to_le_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    let mut salt = [0; 16];
    salt.copy_from_slice(&hash[..16]);
    salt
}
