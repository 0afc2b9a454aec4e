//! The HTTP interface, driven by an unmodified agent with all its checks on, and by forged requests.

mod support;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use candid::{Encode, Principal};
use ic_agent::agent::{EnvelopeContent, RequestStatusResponse};
use ic_agent::identity::{
    BasicIdentity, DelegatedIdentity, Delegation, Prime256v1Identity, Secp256k1Identity,
};
use ic_agent::{Agent, AgentError, Identity};
use ic_certification::{Certificate, LookupResult};
use localnet::management_types::{CanisterIdRecord, CanisterInstallMode, CanisterStatusResult};
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

#[tokio::test]
async fn an_agent_calls_updates_and_queries_with_all_verification_on() -> Result<()> {
    let (node, canister) = started().await;
    let agent = agent(&node, identity(1)).await;
    agent.fetch_root_key().await?;
    assert_eq!(agent.read_root_key(), node.root_key());
    let reply = agent.update(&canister, "bump").with_arg(vec![]).call_and_wait().await?;
    assert_eq!(reply[..4], [1, 0, 0, 0]);
    let reply = agent.query(&canister, "read").with_arg(vec![]).call().await?;
    assert_eq!(reply[..4], [1, 0, 0, 0]);
    let error = agent.update(&canister, "bump_then_trap").with_arg(vec![]).call_and_wait().await.unwrap_err();
    let AgentError::CertifiedReject { reject, .. } = &error else { panic!("{error}") };
    assert!(reject.reject_message.contains("deliberate"), "{error}");
    let error = agent.query(&canister, "forever_query").with_arg(vec![]).call().await.unwrap_err();
    assert!(matches!(error, AgentError::UncertifiedReject { .. }), "{error}");
    node.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn every_kind_of_key_signs_and_delegations_are_followed() -> Result<()> {
    let (node, canister) = started().await;
    let whoami = async |identity: Box<dyn Identity>| {
        let sender = identity.sender().unwrap();
        let agent = agent(&node, identity).await;
        let caller = agent.query(&canister, "whoami").with_arg(vec![]).call().await?;
        assert_eq!(Principal::from_slice(&caller), sender);
        agent.update(&canister, "bump").with_arg(vec![]).call_and_wait().await
    };
    let secp = || Secp256k1Identity::from_private_key(k256::SecretKey::from_slice(&[5; 32]).unwrap());
    whoami(Box::new(ic_agent::identity::AnonymousIdentity)).await?;
    whoami(Box::new(secp())).await?;
    whoami(Box::new(Prime256v1Identity::from_private_key(p256::SecretKey::from_slice(&[5; 32]).unwrap())))
        .await?;

    let delegate = |expiration, targets| {
        let root = identity(9);
        let delegation =
            Delegation { pubkey: secp().public_key().unwrap(), expiration, targets, permissions: None };
        let signature = root.sign_delegation(&delegation).unwrap();
        let signed =
            ic_agent::identity::SignedDelegation { delegation, signature: signature.signature.unwrap() };
        DelegatedIdentity::new_unchecked(root.public_key().unwrap(), Box::new(secp()), vec![signed])
    };
    let later = now() + 600_000_000_000;
    whoami(Box::new(delegate(later, None))).await?;
    whoami(Box::new(delegate(later, Some(vec![canister])))).await?;
    for (identity, reason) in [
        (delegate(now() - 1, None), "expired"),
        (delegate(later, Some(vec![Principal::management_canister()])), "not valid for canister"),
    ] {
        let body = envelope(&call(canister, identity.sender().unwrap(), now() + 60_000_000_000), &identity);
        let (status, text) = post(&node, &format!("/api/v4/canister/{canister}/call"), body).await;
        assert_eq!(status, 403);
        assert!(String::from_utf8_lossy(&text).contains(reason), "{}", String::from_utf8_lossy(&text));
    }
    Ok(())
}

#[tokio::test]
async fn stale_and_forged_requests_are_refused() -> Result<()> {
    let (node, canister) = started().await;
    let path = format!("/api/v4/canister/{canister}/call");
    let (alice, mallory) = (identity(1), identity(2));
    let sender = alice.sender().unwrap();
    let soon = now() + 60_000_000_000;
    for expiry in [now() - 1_000_000_000, now() + 400_000_000_000] {
        let (status, text) = post(&node, &path, envelope(&call(canister, sender, expiry), &alice)).await;
        assert_eq!(status, 400);
        assert!(
            text.starts_with(b"Invalid request expiry: Specified ingress_expiry not within expected range")
        );
    }
    let content = call(canister, sender, soon);
    let good = envelope(&content, &alice);
    // Somebody else's signature, no signature, a signature of other content, an altered sender.
    let forged = [
        envelope(&content, &mallory),
        envelope(&content, &ic_agent::identity::AnonymousIdentity),
        {
            let signature = alice.sign(&call(canister, sender, soon + 1)).unwrap();
            let content = std::borrow::Cow::Borrowed(&content);
            let (sender_pubkey, sender_sig) = (signature.public_key, signature.signature);
            ic_agent::agent::Envelope { content, sender_pubkey, sender_sig, sender_delegation: None }
                .encode_bytes()
        },
        envelope(&call(canister, mallory.sender().unwrap(), soon), &alice),
    ];
    for body in forged {
        let (status, text) = post(&node, &path, body).await;
        let text = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(status, 403, "{text}");
        assert!(text.contains("Failed to authenticate request"), "{text}");
    }
    for (body, at) in [
        (good[..good.len() - 1].to_vec(), path.clone()),
        ([good.as_slice(), &[0]].concat(), path.clone()),
        (good.clone(), format!("/api/v4/canister/{}/call", Principal::management_canister())),
        (good.clone(), format!("/api/v3/canister/{canister}/query")),
    ] {
        assert_eq!(post(&node, &at, body).await.0, 400);
    }
    // Nothing of all this reached the canister; the good request does, once, however often it is sent.
    for _ in 0..3 {
        let (status, body) = post(&node, &path, good.clone()).await;
        assert_eq!(status, 200);
        let tree = certificate(&body).tree;
        let id = content.to_request_id();
        let LookupResult::Found(reply) = tree.lookup_path([b"request_status".as_slice(), &id[..], b"reply"])
        else {
            panic!("{tree:?}")
        };
        assert_eq!(reply[..4], [1, 0, 0, 0]);
    }
    Ok(())
}

#[tokio::test]
async fn a_certificate_shows_a_caller_only_its_own_requests() -> Result<()> {
    let (node, canister) = started().await;
    let (alice, bob) = (identity(1), identity(2));
    let mut ids = Vec::new();
    for who in [&alice, &bob] {
        let content = call(canister, who.sender().unwrap(), now() + 60_000_000_000);
        ids.push(content.to_request_id());
        post(&node, &format!("/api/v4/canister/{canister}/call"), envelope(&content, who)).await;
    }
    let path = format!("/api/v3/canister/{canister}/read_state");
    let read = async |who: &BasicIdentity, id: &[u8]| {
        let content = read_state(who.sender().unwrap(), vec![vec![b"request_status", id]]);
        post(&node, &path, envelope(&content, who)).await
    };
    assert_eq!(read(&bob, &ids[0][..]).await.0, 403);
    let (status, body) = read(&alice, &ids[0][..]).await;
    assert_eq!(status, 200);
    let tree = certificate(&body).tree;
    assert!(matches!(
        tree.lookup_path([b"request_status".as_slice(), &ids[0][..], b"status"]),
        LookupResult::Found(b"replied")
    ));
    assert_eq!(
        tree.lookup_path([b"request_status".as_slice(), &ids[1][..], b"reply"]),
        LookupResult::Unknown
    );
    assert_eq!(
        tree.lookup_path([b"canister".as_slice(), canister.as_slice(), b"certified_data"]),
        LookupResult::Unknown
    );

    // A request that does not exist is provably absent, also to an agent.
    let (_, body) = read(&alice, &[7; 32]).await;
    let tree = certificate(&body).tree;
    assert_eq!(tree.lookup_path([b"request_status".as_slice(), &[7; 32], b"status"]), LookupResult::Absent);
    let agent = agent(&node, identity(1)).await;
    let unknown = ic_agent::RequestId::new(&[7; 32]);
    let (status, _) = agent.request_status_raw(&unknown, canister).await?;
    assert!(matches!(status, RequestStatusResponse::Unknown));
    for forbidden in [vec![b"canister".as_slice(), canister.as_slice()], vec![b"request_status"], vec![]] {
        let content = read_state(alice.sender().unwrap(), vec![forbidden]);
        assert_eq!(post(&node, &path, envelope(&content, &alice)).await.0, 400);
    }
    Ok(())
}

/// A proxy that alters what the node answers.
async fn proxy(node: &Node, alter: fn(&str, &mut Vec<u8>)) -> String {
    let upstream = node.url();
    let forward = async move |State(upstream): State<String>,
                              method: Method,
                              uri: Uri,
                              headers: HeaderMap,
                              body: Bytes| {
        let request =
            reqwest::Client::new().request(method, format!("{upstream}{uri}")).headers(headers).body(body);
        let response = request.send().await.unwrap();
        let status = response.status();
        let mut bytes = response.bytes().await.unwrap().to_vec();
        alter(uri.path(), &mut bytes);
        (status, [("content-type", "application/cbor")], bytes)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(forward).with_state(upstream);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Flips a bit of the first occurrence of `needle`.
fn flip(bytes: &mut [u8], needle: &[u8]) {
    if let Some(at) = bytes.windows(needle.len()).position(|window| window == needle) {
        bytes[at] ^= 1;
    }
}

#[tokio::test]
async fn an_agent_rejects_every_answer_that_was_tampered_with() -> Result<()> {
    let (node, canister) = started().await;
    let honest = agent_at(proxy(&node, |_, _| {}).await, identity(1), node.root_key()).await;
    let arg = b"the argument that comes back".to_vec();
    let echo = async |agent: &Agent| {
        agent
            .update(&canister, "echo")
            .with_arg(b"the argument that comes back".to_vec())
            .call_and_wait()
            .await
    };
    let read = async |agent: &Agent| agent.query(&canister, "read").with_arg(vec![]).call().await;
    assert_eq!(echo(&honest).await?, arg);
    read(&honest).await?;

    let reply = proxy(&node, |path, bytes| {
        if path.ends_with("/call") {
            flip(bytes, b"the argument");
        }
    });
    let agent = agent_at(reply.await, identity(1), node.root_key()).await;
    let error = echo(&agent).await.unwrap_err();
    assert!(matches!(error, AgentError::CertificateVerificationFailed()), "{error}");

    let query = proxy(&node, |path, bytes| {
        if path.ends_with("/query") {
            flip(bytes, b"\0\0\0\0");
        }
    });
    let agent = agent_at(query.await, identity(1), node.root_key()).await;
    let error = read(&agent).await.unwrap_err();
    assert!(matches!(error, AgentError::QuerySignatureVerificationFailed), "{error}");

    let other = Node::start(Config::default()).await?;
    let agent = agent_at(node.url(), identity(1), other.root_key()).await;
    let error = echo(&agent).await.unwrap_err();
    assert!(matches!(error, AgentError::CertificateVerificationFailed()), "{error}");
    Ok(())
}

#[tokio::test]
async fn the_management_canister_is_reached_over_http() -> Result<()> {
    let (node, _) = started().await;
    let owner = identity(4);
    let me = owner.sender().unwrap();
    let canister = counter(&node, me).await;
    let agent = agent(&node, owner).await;
    let management = Principal::management_canister();
    let record = Encode!(&CanisterIdRecord { canister_id: canister })?;
    let call = agent.update(&management, "canister_status").with_effective_canister_id(canister);
    let reply = call.with_arg(record.clone()).call_and_wait().await?;
    let status: CanisterStatusResult = candid::decode_one(&reply)?;
    assert_eq!(status.settings.controllers, [me]);
    let query = agent.query(&management, "canister_status").with_effective_canister_id(canister);
    let again: CanisterStatusResult = candid::decode_one(&query.with_arg(record.clone()).call().await?)?;
    assert_eq!(again.module_hash, status.module_hash);
    let hash = agent.read_state_canister_info(canister, "module_hash").await?;
    assert_eq!(Some(hash), status.module_hash);
    assert_eq!(agent.read_state_canister_controllers(canister).await?, [me]);
    let subnet = agent.get_subnet_by_canister(&canister).await?;
    assert_eq!(subnet.id(), Principal::self_authenticating(node.root_key()));

    let stranger = self::agent(&node, identity(5)).await;
    let call = stranger.update(&management, "stop_canister").with_effective_canister_id(canister);
    let error = call.with_arg(record).call_and_wait().await.unwrap_err();
    let AgentError::CertifiedReject { reject, .. } = error else { panic!("{error}") };
    assert_eq!(reject.error_code.as_deref(), Some("IC0512"));
    Ok(())
}

#[tokio::test]
async fn queries_are_answered_while_a_long_update_runs_and_slow_calls_are_polled() -> Result<()> {
    let (node, canister) = started().await;
    let agent = agent(&node, identity(1)).await;
    let slow = tokio::spawn({
        let agent = agent.clone();
        async move { agent.update(&canister, "forever").with_arg(vec![]).call_and_wait().await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let asked = std::time::Instant::now();
    agent.query(&canister, "read").with_arg(vec![]).call().await?;
    assert!(!slow.is_finished(), "the update was to run longer than a query");
    assert!(asked.elapsed() < Duration::from_secs(2), "the query waited {:?}", asked.elapsed());
    let error = slow.await?.unwrap_err();
    let AgentError::CertifiedReject { reject, .. } = error else { panic!("{error}") };
    assert_eq!(reject.error_code.as_deref(), Some("IC0522"));
    assert!(reject.reject_message.contains("40000000000"), "{}", reject.reject_message);
    Ok(())
}
