//! Every version of every endpoint, with the shapes that clients of that version expect.

use std::collections::BTreeMap;

use anyhow::Result;
use candid::Principal;
use ic_agent::Identity;
use ic_agent::agent::EnvelopeContent;
use ic_certification::LookupResult;
use localnet::management_types::{CanisterIdRecord, CanisterInstallMode};
use serde_cbor::Value;

use super::support::MODES;
use super::{call, certificate, envelope, identity, now, post, read_state, started};

fn fields(body: &[u8]) -> BTreeMap<String, Value> {
    serde_cbor::from_slice(body).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(body)))
}

fn text(body: &[u8], name: &str) -> Option<String> {
    match fields(body).remove(name) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

fn query(canister: Principal, method: &str, arg: Vec<u8>) -> EnvelopeContent {
    EnvelopeContent::Query {
        ingress_expiry: now() + 60_000_000_000,
        sender: Principal::anonymous(),
        canister_id: canister,
        method_name: method.into(),
        arg,
        nonce: None,
        sender_info: None,
    }
}

#[tokio::test]
async fn queries_and_state_are_read_with_version_two_and_three() -> Result<()> {
    let (node, canister) = started().await;
    let nobody = ic_agent::identity::AnonymousIdentity;
    let subnet = Principal::self_authenticating(node.root_key());
    let record = candid::encode_one(CanisterIdRecord { canister_id: canister })?;
    for version in ["v2", "v3"] {
        let body = envelope(&query(canister, "read", vec![]), &nobody);
        let (status, body) = post(&node, &format!("/api/{version}/canister/{canister}/query"), body).await;
        assert_eq!((status, text(&body, "status").as_deref()), (200, Some("replied")));
        assert!(matches!(&fields(&body)["signatures"], Value::Array(list) if list.len() == 1));

        let body =
            envelope(&query(Principal::management_canister(), "canister_status", record.clone()), &nobody);
        for at in [format!("canister/{canister}"), format!("subnet/{subnet}")] {
            let (status, body) = post(&node, &format!("/api/{version}/{at}/query"), body.clone()).await;
            assert_eq!((status, text(&body, "status").as_deref()), (200, Some("replied")), "{at}");
        }
        for (at, path) in [("canister", canister), ("subnet", subnet)] {
            let wanted = read_state(Principal::anonymous(), vec![vec![b"subnet", subnet.as_slice()]]);
            let url = format!("/api/{version}/{at}/{path}/read_state");
            let (status, body) = post(&node, &url, envelope(&wanted, &nobody)).await;
            assert_eq!(status, 200, "{at}");
            let tree = certificate(&body).tree;
            let key = tree.lookup_path([b"subnet".as_slice(), subnet.as_slice(), b"public_key"]);
            assert_eq!(key, LookupResult::Found(&node.root_key()));
        }
    }
    // A canister is no subnet, and the state of another subnet is not here.
    let wanted = read_state(Principal::anonymous(), vec![vec![b"time"]]);
    let (status, _) =
        post(&node, &format!("/api/v3/subnet/{canister}/read_state"), envelope(&wanted, &nobody)).await;
    assert_eq!(status, 400);
    Ok(())
}

#[tokio::test]
async fn calls_are_answered_at_once_or_polled_depending_on_the_version() -> Result<()> {
    let (node, canister) = started().await;
    let who = identity(1);
    let sender = who.sender().unwrap();
    for (version, nth) in [("v2", 1u64), ("v3", 2), ("v4", 3)] {
        let content = call(canister, sender, now() + 60_000_000_000 + nth);
        let url = format!("/api/{version}/canister/{canister}/call");
        let (status, body) = post(&node, &url, envelope(&content, &who)).await;
        let id = content.to_request_id();
        let certified = if version == "v2" {
            assert_eq!((status, body.len()), (202, 0));
            let wanted = read_state(sender, vec![vec![b"request_status", &id[..]]]);
            let url = format!("/api/v2/canister/{canister}/read_state");
            // The counter answers long before an asynchronous call has returned.
            post(&node, &url, envelope(&wanted, &who)).await.1
        } else {
            assert_eq!((status, text(&body, "status").as_deref()), (200, Some("replied")));
            body
        };
        let tree = certificate(&certified).tree;
        let reply = tree.lookup_path([b"request_status".as_slice(), &id[..], b"reply"]);
        let LookupResult::Found(reply) = reply else { panic!("{reply:?}") };
        assert_eq!(reply[..4], (nth as u32).to_le_bytes());
    }
    Ok(())
}

#[tokio::test]
async fn a_call_that_the_canister_does_not_accept_is_refused_without_a_certificate() -> Result<()> {
    let (node, _) = started().await;
    let wasm = wat::parse_str(MODES)?;
    let nobody = Principal::anonymous();
    let installed = node.with_subnet(move |subnet| {
        let canister = subnet.create_canister(nobody)?;
        subnet.install(nobody, canister, CanisterInstallMode::Install, &wasm, b"").map(|()| canister)
    });
    let canister = installed.await??;
    let EnvelopeContent::Call { ingress_expiry, arg, .. } = call(canister, nobody, now() + 60_000_000_000)
    else {
        panic!("not a call")
    };
    let content = EnvelopeContent::Call {
        ingress_expiry,
        arg,
        sender: nobody,
        canister_id: canister,
        method_name: "closed".into(),
        nonce: None,
        sender_info: None,
    };
    let body = envelope(&content, &ic_agent::identity::AnonymousIdentity);
    for (version, expected) in [("v2", None), ("v3", Some("non_replicated_rejection"))] {
        let url = format!("/api/{version}/canister/{canister}/call");
        let (status, body) = post(&node, &url, body.clone()).await;
        assert_eq!((status, text(&body, "status").as_deref()), (200, expected));
        assert_eq!(text(&body, "error_code").as_deref(), Some("IC0406"));
        assert!(!fields(&body).contains_key("certificate"));
    }
    Ok(())
}
