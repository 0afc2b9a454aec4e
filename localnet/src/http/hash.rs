//! The representation-independent hash of the interface specification, which gives a request its id.

use ciborium::Value;
use sha2::{Digest, Sha256};

use crate::subnet::RequestId;

/// Hash of a map with text keys; entries with a null value count as absent.
///
/// # Errors
///
/// A value of a kind that requests do not have.
pub(super) fn hash_of_map(map: &[(Value, Value)]) -> Result<RequestId, String> {
    let mut pairs = Vec::with_capacity(map.len());
    for (key, value) in map {
        let Value::Text(key) = key else { return Err("a map key is not text".into()) };
        if !value.is_null() {
            pairs.push([hash(key.as_bytes()), hash_of(value)?].concat());
        }
    }
    pairs.sort();
    if pairs.windows(2).any(|pair| pair[0][..32] == pair[1][..32]) {
        return Err("a map has a key twice".into());
    }
    Ok(hash(&pairs.concat()))
}

fn hash_of(value: &Value) -> Result<RequestId, String> {
    match value {
        Value::Text(text) => Ok(hash(text.as_bytes())),
        Value::Bytes(bytes) => Ok(hash(bytes)),
        Value::Integer(number) => {
            let number = u64::try_from(*number).map_err(|_| "a number is negative or too large")?;
            Ok(hash(&crate::certificate::leb128(number)))
        }
        Value::Array(items) => {
            let hashes = items.iter().map(hash_of).collect::<Result<Vec<_>, _>>()?;
            Ok(hash(&hashes.concat()))
        }
        Value::Map(map) => hash_of_map(map),
        _ => Err("a value is neither text, bytes, natural number, array nor map".into()),
    }
}

fn hash(bytes: &[u8]) -> RequestId {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the interface specification.
    #[test]
    fn request_id_known_answer() {
        let map = vec![
            (Value::Text("request_type".into()), Value::Text("call".into())),
            (Value::Text("sender".into()), Value::Bytes(vec![0, 0, 0, 0, 0, 0, 0x04, 0xd2])),
            (Value::Text("ingress_expiry".into()), Value::Integer(1_685_570_400_000_000_000u64.into())),
            (Value::Text("canister_id".into()), Value::Bytes(vec![0, 0, 0, 0, 0, 0, 0x04, 0xd2])),
            (Value::Text("method_name".into()), Value::Text("hello".into())),
            (Value::Text("arg".into()), Value::Bytes(b"DIDL\x00\xFD*".to_vec())),
            (Value::Text("nonce".into()), Value::Null),
        ];
        let mut map: Vec<_> =
            map.into_iter().filter(|(key, _)| key != &Value::Text("sender".into())).collect();
        map.push((Value::Text("sender".into()), Value::Bytes(vec![4])));
        let got = hex::encode(hash_of_map(&map).unwrap());
        assert!(got.starts_with("1d1091364d6b") && got.ends_with("e2b101"), "{got}");
    }

    #[test]
    fn a_doubled_key_is_refused() {
        let entry = || (Value::Text("arg".into()), Value::Bytes(vec![1]));
        assert_eq!(hash_of_map(&[entry(), entry()]), Err("a map has a key twice".into()));
        assert!(hash_of_map(&[(Value::Text("a".into()), Value::Bool(true))]).is_err());
        assert!(hash_of_map(&[(Value::Text("a".into()), Value::Integer((-1).into()))]).is_err());
    }
}
