use candid::Principal;
use candid_parser::utils::{CandidSource, service_equal};
use interface::{ArtefactKind, DID, DigestBytes, PutChunk};

use super::*;

mod code {
    use candid::Principal;
    use interface::*;
    use serde_bytes::ByteBuf;

    use crate::endpoints::Arg;

    candid::export_service!();

    pub fn interface() -> String {
        __export_service()
    }
}

#[test]
fn committed_interface_equals_the_code() {
    let code = code::interface();
    service_equal(CandidSource::Text(&code), CandidSource::Text(DID))
        .unwrap_or_else(|cause| panic!("{cause}\n\nthe code says:\n{code}"));
}

fn chunk(size: usize) -> PutChunk {
    PutChunk { kind: ArtefactKind::Model, digest: DigestBytes([1; 32]), index: 0, bytes: vec![7; size] }
}

#[test]
fn a_full_chunk_decodes() {
    let bytes = candid::encode_one(chunk(interface::CHUNK_BYTES as usize)).unwrap();
    assert_eq!(decode::<PutChunk>(bytes).0, Ok(chunk(interface::CHUNK_BYTES as usize)));
}

#[test]
fn truncated_and_trailing_bytes_are_malformed() {
    let bytes = candid::encode_one(chunk(10)).unwrap();
    for length in 0..bytes.len() {
        let error = decode::<PutChunk>(bytes[..length].to_vec()).0.unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{length}: {error}");
    }
    let error = decode::<PutChunk>([bytes, vec![0]].concat()).0.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
}

#[test]
fn oversized_request_is_not_decoded() {
    let error = decode::<PutChunk>(vec![0; REQUEST_BYTES as usize + 1]).0.unwrap_err();
    assert_eq!(
        error,
        Error::TooLarge {
            what: "request".to_owned(),
            max: REQUEST_BYTES.into(),
            got: u64::from(REQUEST_BYTES) + 1
        }
    );
}

#[test]
fn another_type_is_malformed() {
    let bytes = candid::encode_one(Principal::anonymous()).unwrap();
    assert!(matches!(decode::<PutChunk>(bytes).0, Err(Error::Malformed { .. })));
}

/// A few bytes that claim a billion empty values.
#[test]
fn vector_of_nothing_does_not_exhaust_the_canister() {
    let bomb = b"DIDL\x01\x6d\x7f\x01\x00\x80\x94\xeb\xdc\x03".to_vec();
    assert!(matches!(decode::<Vec<()>>(bomb.clone()).0, Err(Error::Malformed { .. })));
    assert!(matches!(decode::<PutChunk>(bomb).0, Err(Error::Malformed { .. })));
}
