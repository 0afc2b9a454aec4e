//! The HTTP interface, driven by an unmodified agent with all its checks on.

use anyhow::Result;
use candid::Principal;
use ic_agent::identity::BasicIdentity;
use ic_agent::{Agent, AgentError};
use localnet::management_types::CanisterInstallMode;
use localnet::{Config, Node};

const COUNTER: &str = include_str!("canisters/counter.wat");

fn identity(seed: u8) -> BasicIdentity {
    BasicIdentity::from_raw_key(&[seed; 32])
}

async fn agent(node: &Node, identity: impl ic_agent::Identity + 'static) -> Agent {
    let agent = Agent::builder().with_url(node.url()).with_identity(identity).build().unwrap();
    agent.fetch_root_key().await.unwrap();
    assert_eq!(agent.read_root_key(), node.root_key());
    agent
}

async fn counter(node: &Node) -> Principal {
    let wasm = wat::parse_str(COUNTER).unwrap();
    let controller = Principal::anonymous();
    let installed = node.with_subnet(move |subnet| {
        let canister = subnet.create_canister(controller)?;
        subnet.install(controller, canister, CanisterInstallMode::Install, &wasm, b"").map(|()| canister)
    });
    installed.await.unwrap().unwrap()
}

#[tokio::test]
async fn an_agent_calls_updates_and_queries_with_all_verification_on() -> Result<()> {
    let node = Node::start(Config::default()).await?;
    let canister = counter(&node).await;
    let agent = agent(&node, identity(1)).await;
    let reply = agent.update(&canister, "bump").with_arg(vec![]).call_and_wait().await?;
    assert_eq!(reply[..4], [1, 0, 0, 0]);
    let reply = agent.query(&canister, "read").with_arg(vec![]).call().await?;
    assert_eq!(reply[..4], [1, 0, 0, 0]);
    let caller = agent.query(&canister, "whoami").with_arg(vec![]).call().await?;
    assert_eq!(Principal::from_slice(&caller), agent.get_principal().unwrap());
    let error = agent.update(&canister, "bump_then_trap").with_arg(vec![]).call_and_wait().await.unwrap_err();
    assert!(
        matches!(&error, AgentError::CertifiedReject { reject, .. } if reject.reject_message.contains("deliberate")),
        "{error}"
    );
    node.shutdown().await;
    Ok(())
}
