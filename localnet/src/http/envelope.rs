//! The signed envelope of a request, from CBOR.

use candid::Principal;
use ciborium::Value;

use super::Refusal;
use super::hash::hash_of_map;
use crate::subnet::RequestId;

const MAX_NONCE: usize = 32;
const MAX_PATHS: usize = 1000;
const MAX_LABELS: usize = 127;
const MAX_DELEGATIONS: usize = 20;
const MAX_TARGETS: usize = 1000;
const MAX_METHOD: usize = 20_000;

/// A request with what proves its sender.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) id: RequestId,
    pub(super) sender: Principal,
    /// Nanoseconds since 1970.
    pub(super) expiry: u64,
    pub(super) content: Content,
    pub(super) proof: Option<Proof>,
}

#[derive(Debug)]
pub(super) enum Content {
    Call(Method),
    Query(Method),
    ReadState(Vec<Vec<Vec<u8>>>),
}

#[derive(Debug)]
pub(super) struct Method {
    pub(super) canister: Principal,
    pub(super) name: String,
    pub(super) argument: Vec<u8>,
}

/// Public key, signature and the delegations from the key to the one that signed.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) key: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) delegations: Vec<Delegation>,
}

#[derive(Debug)]
pub(super) struct Delegation {
    pub(super) hash: RequestId,
    pub(super) key: Vec<u8>,
    pub(super) expiration: u64,
    pub(super) targets: Option<Vec<Principal>>,
    pub(super) queries_only: bool,
    pub(super) signature: Vec<u8>,
}

impl Envelope {
    /// Parses an envelope, with or without the CBOR tag.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        parse(body).map_err(|reason| Refusal::bad(format!("Could not parse the request as CBOR: {reason}")))
    }
}

fn parse(body: &[u8]) -> Result<Envelope, String> {
    let mut fields = Fields::new("envelope", crate::cbor::decode(body)?)?;
    let content = fields.take("content")?;
    let (key, signature) = (fields.optional_bytes("sender_pubkey")?, fields.optional_bytes("sender_sig")?);
    let delegations = match fields.take_optional("sender_delegation") {
        Some(list) => {
            array("sender_delegation", list, MAX_DELEGATIONS)?.into_iter().map(delegation).collect()
        }
        None => Ok(Vec::new()),
    }?;
    let proof = match (key, signature) {
        (Some(key), Some(signature)) => Some(Proof { key, signature, delegations }),
        (None, None) if delegations.is_empty() => None,
        _ => return Err("sender_pubkey and sender_sig belong together".into()),
    };

    let Value::Map(map) = &content else { return Err("content is not a map".into()) };
    let id = hash_of_map(map)?;
    let mut fields = Fields::new("content", content)?;
    let kind = fields.text("request_type")?;
    let sender = principal("sender", fields.bytes("sender")?)?;
    let expiry = number("ingress_expiry", fields.take("ingress_expiry")?)?;
    if fields.optional_bytes("nonce")?.is_some_and(|nonce| nonce.len() > MAX_NONCE) {
        return Err(format!("the nonce is longer than {MAX_NONCE} bytes"));
    }
    if fields.take_optional("sender_info").is_some() {
        return Err("this node does not support sender_info".into());
    }
    let content = match kind.as_str() {
        "call" => Content::Call(method(&mut fields)?),
        "query" => Content::Query(method(&mut fields)?),
        "read_state" => Content::ReadState(paths(fields.take("paths")?)?),
        other => return Err(format!("request_type {other:?}")),
    };
    Ok(Envelope { id, sender, expiry, content, proof })
}

fn method(fields: &mut Fields) -> Result<Method, String> {
    let name = fields.text("method_name")?;
    if name.len() > MAX_METHOD {
        return Err(format!("the method name is longer than {MAX_METHOD} bytes"));
    }
    let canister = principal("canister_id", fields.bytes("canister_id")?)?;
    Ok(Method { canister, name, argument: fields.bytes("arg")? })
}

fn paths(value: Value) -> Result<Vec<Vec<Vec<u8>>>, String> {
    let path =
        |path| array("path", path, MAX_LABELS)?.into_iter().map(|label| bytes("label", label)).collect();
    array("paths", value, MAX_PATHS)?.into_iter().map(path).collect()
}

fn delegation(value: Value) -> Result<Delegation, String> {
    let mut signed = Fields::new("signed delegation", value)?;
    let signature = signed.bytes("signature")?;
    let inner = signed.take("delegation")?;
    let Value::Map(map) = &inner else { return Err("delegation is not a map".into()) };
    let hash = hash_of_map(map)?;
    let mut fields = Fields::new("delegation", inner)?;
    let target = |value| principal("target", bytes("target", value)?);
    let targets = match fields.take_optional("targets") {
        Some(list) => Some(
            array("targets", list, MAX_TARGETS)?.into_iter().map(target).collect::<Result<_, String>>()?,
        ),
        None => None,
    };
    let queries_only = match fields.take_optional("permissions") {
        None => false,
        Some(Value::Text(text)) if text == "all" => false,
        Some(Value::Text(text)) if text == "queries" => true,
        Some(_) => return Err("unknown delegation permissions".into()),
    };
    let expiration = number("expiration", fields.take("expiration")?)?;
    Ok(Delegation { hash, key: fields.bytes("pubkey")?, expiration, targets, queries_only, signature })
}

/// The entries of a map, taken out by name.
struct Fields {
    what: &'static str,
    entries: Vec<(Value, Value)>,
}

impl Fields {
    fn new(what: &'static str, value: Value) -> Result<Self, String> {
        match value {
            Value::Map(entries) => Ok(Fields { what, entries }),
            _ => Err(format!("{what} is not a map")),
        }
    }

    fn take_optional(&mut self, name: &str) -> Option<Value> {
        let found = self.entries.iter().position(|(key, _)| key.as_text() == Some(name))?;
        Some(self.entries.swap_remove(found).1).filter(|value| !value.is_null())
    }

    fn take(&mut self, name: &str) -> Result<Value, String> {
        self.take_optional(name).ok_or_else(|| format!("{} has no field {name}", self.what))
    }

    fn text(&mut self, name: &str) -> Result<String, String> {
        self.take(name)?.into_text().map_err(|_| format!("{name} is not text"))
    }

    fn bytes(&mut self, name: &str) -> Result<Vec<u8>, String> {
        bytes(name, self.take(name)?)
    }

    fn optional_bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, String> {
        self.take_optional(name).map(|value| bytes(name, value)).transpose()
    }
}

fn bytes(name: &str, value: Value) -> Result<Vec<u8>, String> {
    value.into_bytes().map_err(|_| format!("{name} is not a byte string"))
}

fn number(name: &str, value: Value) -> Result<u64, String> {
    let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| format!("{name} is not a natural number of 64 bits"))
}

fn principal(name: &str, bytes: Vec<u8>) -> Result<Principal, String> {
    Principal::try_from_slice(&bytes).map_err(|error| format!("{name}: {error}"))
}

fn array(name: &str, value: Value, limit: usize) -> Result<Vec<Value>, String> {
    let list = value.into_array().map_err(|_| format!("{name} is not an array"))?;
    if list.len() > limit {
        return Err(format!("{name} has {} entries, at most {limit} are possible", list.len()));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Value {
        Value::Text(value.into())
    }

    fn map(entries: Vec<(&str, Value)>) -> Value {
        Value::Map(entries.into_iter().map(|(key, value)| (text(key), value)).collect())
    }

    fn content(more: Vec<(&str, Value)>) -> Value {
        let mut entries = vec![
            ("request_type", text("call")),
            ("sender", Value::Bytes(vec![4])),
            ("ingress_expiry", Value::Integer(7.into())),
            ("canister_id", Value::Bytes(vec![0, 0, 0, 0, 0, 0, 0, 1, 1, 1])),
            ("method_name", text("m")),
            ("arg", Value::Bytes(vec![1, 2])),
        ];
        entries.retain(|(key, _)| more.iter().all(|(other, _)| key != other));
        map(entries.into_iter().chain(more).collect())
    }

    fn body(content: Value, more: Vec<(&str, Value)>) -> Vec<u8> {
        let entries = vec![("content", content)];
        crate::cbor::encode_tagged(&map(entries.into_iter().chain(more).collect()))
    }

    #[track_caller]
    fn check_refused(body: &[u8], reason: &str) {
        let Refusal(status, text) = Envelope::parse(body).unwrap_err();
        assert_eq!(status, 400);
        assert!(text.contains(reason), "{text}");
    }

    #[test]
    fn null_keys_and_unknown_nonce_are_as_absent() {
        let plain = Envelope::parse(&body(content(vec![]), vec![])).unwrap();
        let nulls = vec![("sender_pubkey", Value::Null), ("sender_sig", Value::Null)];
        let with_nulls = Envelope::parse(&body(content(vec![("nonce", Value::Null)]), nulls)).unwrap();
        assert_eq!(plain.id, with_nulls.id);
        assert!(with_nulls.proof.is_none());
        let untagged = body(content(vec![]), vec![]);
        assert_eq!(Envelope::parse(&untagged[3..]).unwrap().id, plain.id);
    }

    #[test]
    fn what_is_malformed_or_too_large_is_refused() {
        let refused =
            |more: Vec<(&str, Value)>, reason: &str| check_refused(&body(content(more), vec![]), reason);
        refused(vec![("nonce", Value::Bytes(vec![0; 33]))], "nonce is longer");
        refused(vec![("sender", Value::Bytes(vec![4; 30]))], "sender");
        refused(vec![("ingress_expiry", text("soon"))], "ingress_expiry");
        refused(vec![("ingress_expiry", Value::Integer((-1).into()))], "number");
        refused(vec![("method_name", text(&"m".repeat(20_001)))], "method name is longer");
        refused(vec![("arg", Value::Null)], "no field arg");
        refused(vec![("request_type", text("steal"))], "steal");
        refused(vec![("sender_info", map(vec![]))], "sender_info");
        let read = |paths| vec![("request_type", text("read_state")), ("paths", Value::Array(paths))];
        refused(read(vec![Value::Array(vec![]); 1001]), "paths has 1001 entries");
        refused(read(vec![Value::Array(vec![Value::Bytes(vec![]); 128])]), "path has 128 entries");
        refused(read(vec![Value::Array(vec![text("time")])]), "label is not a byte string");
        check_refused(&body(content(vec![]), vec![("sender_sig", Value::Bytes(vec![1]))]), "belong together");
        let chain = Value::Array(vec![Value::Null; 21]);
        check_refused(
            &body(content(vec![]), vec![("sender_delegation", chain)]),
            "sender_delegation has 21 entries",
        );
        check_refused(&crate::cbor::encode_tagged(&map(vec![])), "no field content");
        check_refused(&crate::cbor::encode_tagged(&7), "envelope is not a map");
    }

    #[test]
    fn damaged_bytes_are_an_error_or_another_request_but_never_a_panic() {
        let good = body(content(vec![]), vec![]);
        let id = Envelope::parse(&good).unwrap().id;
        for at in 0..good.len() {
            assert!(Envelope::parse(&good[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut damaged = good.clone();
                damaged[at] ^= 1 << bit;
                if let Ok(envelope) = Envelope::parse(&damaged) {
                    assert_ne!(envelope.id, id, "bit {bit} of byte {at}");
                }
            }
        }
    }
}
