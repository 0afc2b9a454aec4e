//! The state directory: what a node knows after an orderly stop, and after it was killed.

mod support;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use candid::Principal;
use ic_agent::Agent;
use localnet::management_types::CanisterInstallMode;
use localnet::{Config, Node, NodeError};
use support::{CALLER, COUNTER};

const CHILD: &str = "LOCALNET_TEST_CHILD";

fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("localnet-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

fn config(directory: &std::path::Path) -> Config {
    Config { state_dir: Some(directory.to_owned()), ..Config::default() }
}

async fn install(node: &Node, wat: &str) -> Principal {
    let wasm = wat::parse_str(wat).unwrap();
    let owner = Principal::anonymous();
    let installed = node.with_subnet(move |subnet| {
        let canister = subnet.create_canister(owner)?;
        subnet.install(owner, canister, CanisterInstallMode::Install, &wasm, b"").map(|()| canister)
    });
    installed.await.unwrap().unwrap()
}

async fn agent(url: String, root_key: Vec<u8>) -> Agent {
    let agent = Agent::builder().with_url(url).build().unwrap();
    agent.set_root_key(root_key);
    agent
}

#[tokio::test]
async fn a_restarted_node_goes_on_where_it_was() -> Result<()> {
    let directory = directory("restart");
    let node = Node::start(config(&directory)).await?;
    let root_key = node.root_key();
    let (counter, caller) = (install(&node, COUNTER).await, install(&node, CALLER).await);
    let first = agent(node.url(), root_key.clone()).await;
    for _ in 0..3 {
        first.update(&counter, "bump").with_arg(vec![]).call_and_wait().await?;
    }
    first.update(&caller, "arm").with_arg(vec![]).call_and_wait().await?;
    let second = Node::start(config(&directory)).await;
    assert!(matches!(second.err().context("two nodes in one directory")?, NodeError::Locked(_)));
    node.shutdown().await;

    let node = Node::start(config(&directory)).await?;
    assert_eq!(node.root_key(), root_key);
    let agent = agent(node.url(), root_key).await;
    let counts = agent.query(&counter, "read").with_arg(vec![]).call().await?;
    assert_eq!(counts, [3, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0]);
    assert_eq!(agent.update(&counter, "bump").with_arg(vec![]).call_and_wait().await?[..4], [4, 0, 0, 0]);
    // The timer that was set before fires in the new process; ids are not given out again.
    let fired = async || agent.query(&caller, "state").with_arg(vec![]).call().await.map(|state| state[12]);
    for _ in 0..100 {
        if fired().await? == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(fired().await?, 2);
    let third = install(&node, COUNTER).await;
    assert!(third != counter && third != caller);
    assert_eq!(node.save_failure(), None);
    node.shutdown().await;
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}

/// Not a test of its own: the process that [`a_killed_node_loses_only_its_last_moments`] starts and kills.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "its parent reads the URL")]
async fn child() -> Result<()> {
    let Ok(directory) = std::env::var(CHILD) else { return Ok(()) };
    let node = Node::start(config(directory.as_ref())).await?;
    let canister = install(&node, COUNTER).await;
    println!("\n{CHILD} {} {canister}", node.url());
    std::future::pending::<()>().await;
    Ok(())
}

#[tokio::test]
async fn a_killed_node_loses_only_its_last_moments() -> Result<()> {
    let directory = directory("killed");
    let mut child = Command::new(std::env::current_exe()?)
        .args(["child", "--exact", "--nocapture"])
        .env(CHILD, &directory)
        .stdout(Stdio::piped())
        .spawn()?;
    let output = BufReader::new(child.stdout.take().context("no output")?);
    let line = output.lines().map_while(Result::ok).find(|line| line.starts_with(CHILD));
    let line = line.context("the child ended")?;
    let [_, url, canister] = line.split(' ').collect::<Vec<_>>()[..] else { anyhow::bail!("{line}") };
    let canister = Principal::from_text(canister)?;
    let agent = Agent::builder().with_url(url).build()?;
    agent.fetch_root_key().await?;
    let root_key = agent.read_root_key();
    for _ in 0..5 {
        agent.update(&canister, "bump").with_arg(vec![]).call_and_wait().await?;
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    // From here on, updates may be lost: the node is killed in the middle of them.
    let hammer = tokio::spawn(async move {
        let mut answered = 5;
        while agent.update(&canister, "bump").with_arg(vec![]).call_and_wait().await.is_ok() {
            answered += 1;
        }
        answered
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    child.kill()?;
    child.wait()?;
    let answered = tokio::time::timeout(Duration::from_secs(120), hammer).await??;

    let node = Node::start(config(&directory)).await?;
    assert_eq!(node.root_key(), root_key);
    let agent = self::agent(node.url(), root_key).await;
    let counts = agent.query(&canister, "read").with_arg(vec![]).call().await?;
    let [heap, global, stable] =
        [0, 4, 8].map(|at| u32::from_le_bytes(counts[at..at + 4].try_into().unwrap()));
    assert_eq!([heap, global], [stable, stable], "heap, globals and stable memory are of one moment");
    assert!((5..=answered + 1).contains(&heap), "{heap} after {answered} answers");
    node.shutdown().await;
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}

#[tokio::test]
async fn an_address_in_use_or_a_directory_that_is_a_file_is_an_error() -> Result<()> {
    let node = Node::start(Config::default()).await?;
    let taken = Config { bind: node.address(), ..Config::default() };
    assert!(matches!(Node::start(taken).await, Err(NodeError::Bind { .. })));
    let file = directory("file");
    std::fs::write(&file, b"not a directory")?;
    assert!(matches!(Node::start(config(&file)).await, Err(NodeError::Io { .. })));
    std::fs::remove_file(&file)?;
    Ok(())
}
