//! What an agent does, and what it refuses.

use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use candid::{Encode, Principal};
use ic_agent::identity::{DelegatedIdentity, Delegation, Prime256v1Identity, Secp256k1Identity};
use ic_agent::{Agent, AgentError, Identity};
use localnet::management_types::{CanisterIdRecord, CanisterStatusResult};
use localnet::{Config, Node};

use super::{agent, agent_at, call, counter, envelope, identity, now, post, started};

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
