//! The HTTP interface, driven by an unmodified agent with all its checks on, and by forged requests.

mod agents;
mod gateway;
mod native;
mod requests;
#[path = "../support/mod.rs"]
mod support;
mod versions;

use std::time::{SystemTime, UNIX_EPOCH};

use candid::Principal;
use ic_agent::agent::EnvelopeContent;
use ic_agent::identity::BasicIdentity;
use ic_agent::{Agent, Identity};
use ic_certification::Certificate;
use localnet::management_types::CanisterInstallMode;
use localnet::{Config, Node};
use support::COUNTER;

fn identity(seed: u8) -> BasicIdentity {
    BasicIdentity::from_raw_key(&[seed; 32])
}

async fn agent_at(url: String, identity: impl Identity + 'static, root_key: Vec<u8>) -> Agent {
    let agent = Agent::builder().with_url(url).with_identity(identity).with_max_tcp_error_retries(0);
    let agent = agent.build().unwrap();
    agent.set_root_key(root_key);
    agent
}

async fn agent(node: &Node, identity: impl Identity + 'static) -> Agent {
    agent_at(node.url(), identity, node.root_key()).await
}

async fn counter(node: &Node, controller: Principal) -> Principal {
    let wasm = wat::parse_str(COUNTER).unwrap();
    let installed = node.with_subnet(move |subnet| {
        let canister = subnet.create_canister(controller)?;
        subnet.install(controller, canister, CanisterInstallMode::Install, &wasm, b"").map(|()| canister)
    });
    installed.await.unwrap().unwrap()
}

async fn started() -> (Node, Principal) {
    let node = Node::start(Config::default()).await.unwrap();
    let canister = counter(&node, Principal::anonymous()).await;
    (node, canister)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64
}

/// Posts a body and returns status code and body.
async fn post(node: &Node, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
    let response = reqwest::Client::new()
        .post(format!("{}{path}", node.url()))
        .header("content-type", "application/cbor")
        .body(body)
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
}

/// An envelope around this content, signed unless the identity is anonymous.
fn envelope(content: &EnvelopeContent, identity: &dyn Identity) -> Vec<u8> {
    let signature = identity.sign(content).unwrap();
    let envelope = ic_agent::agent::Envelope {
        content: std::borrow::Cow::Borrowed(content),
        sender_pubkey: signature.public_key,
        sender_sig: signature.signature,
        sender_delegation: signature.delegations,
    };
    envelope.encode_bytes()
}

fn call(canister: Principal, sender: Principal, expiry: u64) -> EnvelopeContent {
    EnvelopeContent::Call {
        nonce: Some(vec![1, 2, 3]),
        ingress_expiry: expiry,
        sender,
        canister_id: canister,
        method_name: "bump".into(),
        arg: vec![],
        sender_info: None,
    }
}

fn read_state(sender: Principal, paths: Vec<Vec<&[u8]>>) -> EnvelopeContent {
    let paths = paths.into_iter().map(|path| path.into_iter().map(|label| label.to_vec().into()).collect());
    EnvelopeContent::ReadState { ingress_expiry: now() + 60_000_000_000, sender, paths: paths.collect() }
}

/// The certificate in the body of a call or read_state response.
fn certificate(body: &[u8]) -> Certificate {
    let map: std::collections::BTreeMap<String, serde_cbor::Value> = serde_cbor::from_slice(body).unwrap();
    let Some(serde_cbor::Value::Bytes(bytes)) = map.get("certificate") else {
        panic!("no certificate: {map:?}")
    };
    serde_cbor::from_slice(bytes).unwrap()
}
