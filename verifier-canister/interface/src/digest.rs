use std::fmt;

use audit::Digest;
use candid::CandidType;
use candid::types::{Serializer, Type, TypeInner};
use serde::{Deserialize, Deserializer, Serialize};

/// A SHA-256 digest on the wire: a blob of exactly 32 bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DigestBytes(pub [u8; 32]);

impl From<Digest> for DigestBytes {
    fn from(digest: Digest) -> Self {
        Self(digest.0)
    }
}

impl From<DigestBytes> for Digest {
    fn from(digest: DigestBytes) -> Self {
        Self(digest.0)
    }
}

impl fmt::Display for DigestBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Digest(self.0).fmt(f)
    }
}

impl fmt::Debug for DigestBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl CandidType for DigestBytes {
    fn _ty() -> Type {
        TypeInner::Vec(TypeInner::Nat8.into()).into()
    }

    fn idl_serialize<S: Serializer>(&self, serializer: S) -> Result<(), S::Error> {
        serializer.serialize_blob(&self.0)
    }
}

impl Serialize for DigestBytes {
    /// As bytes: this is how the canister stores a digest.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for DigestBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_bytes::ByteArray::<32>::deserialize(deserializer).map(|bytes| Self(bytes.into_array()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_as_blob() {
        let digest = DigestBytes([7; 32]);
        let bytes = candid::encode_one(digest).unwrap();
        assert_eq!(bytes, candid::encode_one(serde_bytes::ByteBuf::from(vec![7; 32])).unwrap());
        assert_eq!(candid::decode_one::<DigestBytes>(&bytes).unwrap(), digest);
    }

    #[test]
    fn another_length_is_refused() {
        for length in [0, 31, 33, 64] {
            let bytes = candid::encode_one(serde_bytes::ByteBuf::from(vec![7; length])).unwrap();
            assert!(candid::decode_one::<DigestBytes>(&bytes).is_err(), "{length}");
        }
    }
}
