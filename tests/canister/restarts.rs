//! Nothing is lost or counted twice by an upgrade or by a node that stops.

use anyhow::Result;
use interface::AuditState;
use localnet::Config;
use tests::{STRANGER, World, linear_model, trust};

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_goes_on_after_upgrades_in_its_middle() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("adult").await?;
    let model = linear_model(&dataset, "upgraded", 3, 8);
    let digest = world.register_model(&model).await?;
    world.slow_down().await?;
    let audit = world.request(digest, &dataset, None).await?;
    for wanted in [10, 5000] {
        world.until(audit, |record| record_done(&record.state) >= wanted).await?;
        world.upgrade().await?;
    }
    let record = world.ended(audit).await?;
    let AuditState::Completed { certificate } = record.state else { panic!("{:?}", record.state) };
    assert!(record.replay_messages > 2, "the test needs several slices, got {}", record.replay_messages);
    let file = world.client(STRANGER)?.certificate(certificate).await?;
    let authentic = check::check(&file, &trust(&world)).authentic.expect("the certificate is authentic");
    assert_eq!(authentic.certificate.predicate.counters.iter().sum::<u32>(), dataset.rows());
    Ok(())
}

/// What is under way, e.g. the end of a timer's call, would run in code and memory that it was not made for.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_canister_is_not_upgraded() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let digest = world.register_model(&linear_model(&dataset, "running", 1, 8)).await?;
    let refused = world.upgrade_running().await.expect_err("it runs").to_string();
    assert!(refused.contains("stop the canister"), "{refused}");
    let audit = world.request(digest, &dataset, None).await?;
    assert!(matches!(world.ended(audit).await?.state, AuditState::Completed { .. }));
    world.upgrade().await?;
    assert_eq!(world.client(STRANGER)?.stats().await?.certificates, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_goes_on_after_the_canister_was_stopped_and_started() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("adult").await?;
    let digest = world.register_model(&linear_model(&dataset, "paused", 2, 8)).await?;
    world.slow_down().await?;
    let audit = world.request(digest, &dataset, None).await?;
    for wanted in [10, 5000, 20_000] {
        world.until(audit, |record| record_done(&record.state) >= wanted).await?;
        world.stop_and_start().await?;
    }
    let record = world.ended(audit).await?;
    assert!(matches!(record.state, AuditState::Completed { .. }), "{:?}", record.state);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_continues_from_its_disk() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = Config { state_dir: Some(folder.path().join("node")), ..Config::default() };
    let world = World::start_with(config.clone()).await?;
    let (canister, root_key) = (world.canister, world.root_key.clone());
    let dataset = world.register_dataset("adult").await?;
    let digest = world.register_model(&linear_model(&dataset, "stopped", 2, 8)).await?;
    let first = world.certify(digest, &dataset, Some(100)).await?;
    let before = world.client(STRANGER)?.certificate(first).await?;
    world.slow_down().await?;
    let audit = world.request(digest, &dataset, None).await?;
    world.until(audit, |record| record_done(&record.state) > 10).await?;
    world.stop().await;

    let world = World::restart(config, canister).await?;
    assert_eq!(world.root_key, root_key, "the node keeps its root key");
    let after = world.client(STRANGER)?.certificate(first).await?;
    assert_eq!((after.body, after.status), (before.body, before.status));
    let record = world.ended(audit).await?;
    assert!(matches!(record.state, AuditState::Completed { .. }), "{:?}", record.state);
    world.stop().await;
    Ok(())
}

fn record_done(state: &AuditState) -> u32 {
    match state {
        AuditState::Running { done, .. } => *done,
        AuditState::Completed { .. } => u32::MAX,
        _ => 0,
    }
}
