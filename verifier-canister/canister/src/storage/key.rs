//! Keys of tables as bytes whose order is the order of the keys.

use candid::Principal;

/// A key that is stored as bytes in the same order.
pub trait Key: Sized {
    /// The bytes.
    fn encode(&self) -> Vec<u8>;

    /// The key with these bytes.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

impl Key for u32 {
    fn encode(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

impl Key for u64 {
    fn encode(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

/// A digest.
impl Key for [u8; 32] {
    fn encode(&self) -> Vec<u8> {
        self.to_vec()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}

/// Preceded by its length, so that whatever follows it in a longer key can be told from it.
impl Key for Principal {
    fn encode(&self) -> Vec<u8> {
        let bytes = self.as_slice();
        [&[bytes.len() as u8], bytes].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&length, bytes) = bytes.split_first()?;
        if bytes.len() != usize::from(length) { None } else { Self::try_from_slice(bytes).ok() }
    }
}

/// A role and its holder.
impl Key for (u8, Principal) {
    fn encode(&self) -> Vec<u8> {
        [vec![self.0], self.1.encode()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&code, principal) = bytes.split_first()?;
        Some((code, Principal::decode(principal)?))
    }
}

/// A certificate and an auditor.
impl Key for (u64, Principal) {
    fn encode(&self) -> Vec<u8> {
        [self.0.encode(), self.1.encode()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (number, principal) = bytes.split_first_chunk::<8>()?;
        Some((u64::from_be_bytes(*number), Principal::decode(principal)?))
    }
}

/// An owner's key that logs are signed with.
impl Key for (Principal, [u8; 32]) {
    fn encode(&self) -> Vec<u8> {
        [self.0.encode(), self.1.to_vec()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (principal, digest) = bytes.split_last_chunk::<32>()?;
        Some((Principal::decode(principal)?, *digest))
    }
}

/// An upload: whose, of what kind, with what digest.
impl Key for (Principal, u8, [u8; 32]) {
    fn encode(&self) -> Vec<u8> {
        [self.0.encode(), vec![self.1], self.2.to_vec()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (bytes, digest) = bytes.split_last_chunk::<32>()?;
        let (&kind, principal) = bytes.split_last()?;
        Some((Principal::decode(principal)?, kind, *digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<K: Key + PartialEq + std::fmt::Debug>(key: K) {
        let bytes = key.encode();
        assert_eq!(K::decode(&bytes).as_ref(), Some(&key));
        assert_eq!(K::decode(&bytes[1..]), None);
        assert_eq!(K::decode(&[bytes.as_slice(), &[0]].concat()), None);
        assert_eq!(K::decode(&[]), None);
    }

    #[test]
    fn keys_round_trip() {
        round_trip(0x0102_0304_u32);
        round_trip(u64::MAX - 7);
        round_trip([7_u8; 32]);
        for principal in
            [Principal::management_canister(), Principal::anonymous(), Principal::from_slice(&[9; 29])]
        {
            round_trip((principal, 3, [8; 32]));
            round_trip((principal, [8; 32]));
        }
        let principal = Principal::self_authenticating([1]);
        round_trip(principal);
        round_trip((2u8, principal));
        round_trip((7u64, principal));
    }

    #[test]
    fn order_is_kept() {
        assert!(255_u64.encode() < 256_u64.encode());
        assert!(255_u32.encode() < 256_u32.encode());
        let (short, long) = (Principal::from_slice(&[1, 2]), Principal::from_slice(&[1, 2, 0]));
        assert!((short, 255, [255; 32]).encode() < (long, 0, [0; 32]).encode());
    }
}
