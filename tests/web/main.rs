//! The npm package in Node, and the canister's pages in a browser, on one certificate of each level.
//!
//! The files are left in `target/web/fixtures`, to look at or to try a page on.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result};
use check::{
    check, check_records,
    rerun::{Evidence, rerun},
};
use interface::export::{CertificateFile, RecordsFile};
use prover::ProverSetup;
use tests::{OWNER, World, import_model, repository, trust};

/// Where `cargo xtask build-web` puts the package.
fn package() -> PathBuf {
    std::env::var_os("ASSAY_WEB").map_or_else(|| repository("target/web/package"), PathBuf::from)
}

fn has_node() -> bool {
    let version = Command::new("node").arg("--version").output();
    let version =
        version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let major = version.strip_prefix('v').and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    major.is_some_and(|major| major >= 20)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_package_accepts_what_holds_and_nothing_else() -> Result<()> {
    if !has_node() {
        assert!(std::env::var_os("CI").is_none(), "CI needs Node 20 or newer");
        eprintln!("Node 20 or newer is missing: the JavaScript package is not tested");
        return Ok(());
    }
    assert!(package().join("verify.wasm").exists(), "run `cargo xtask build-web` first");
    let fixtures = repository("target/web/fixtures");
    if fixtures.exists() {
        fs::remove_dir_all(&fixtures)?;
    }

    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let model = import_model("datasets/german/models/logistic.onnx", &dataset)?;
    let digest = world.register_model(&model).await?;
    let replayed = world.certify(digest, &dataset, Some(400)).await?;

    let setup = ProverSetup::new()?;
    let owned = world.register_private(&setup, &model, 1).await?;
    let record = world.drawn(&owned, &dataset, 300).await?;
    let proof = world.prove(&setup, &owned, &record, &dataset, 0)?;
    world.hand_in(OWNER, record.id, &proof).await??;
    let record = world.ended(record.id).await?;
    let interface::AuditState::Completed { certificate: proved } = record.state else {
        panic!("{:?}", record.state)
    };
    for (name, certificate) in [("replayed", replayed), ("proved", proved)] {
        publish(&world, certificate, &fixtures.join(name)).await?;
    }
    fs::write(fixtures.join("root.key"), hex::encode(&world.root_key))?;
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec"])
        .args(["verify", "page"].map(|name| repository(&format!("tests/web/{name}.test.mjs"))))
        .env("ASSAY_WEB", package())
        .env("ASSAY_WEB_FIXTURES", &fixtures)
        .env("ASSAY_ORIGIN", world.url().replace("127.0.0.1", &format!("{}.localhost", world.canister)))
        .env("ASSAY_PREDICTION", repository("certifier/tests/mistakes/base"));
    // The node answers meanwhile.
    let status = tokio::task::spawn_blocking(move || node.status()).await??;
    world.stop().await;
    assert!(status.success(), "the tests in Node failed");
    Ok(())
}

/// Downloads everything that the canister serves about a certificate, and tells how long the native checker takes.
async fn publish(world: &World, number: u64, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let export = served(world, &format!("export/{number}.json")).await?;
    let records = served(world, &format!("records/{number}.json")).await?;
    let start = Instant::now();
    let report = check(&CertificateFile::from_json(&export)?, &trust(world));
    let checked = start.elapsed();
    let certificate = report.authentic.with_context(|| format!("{:?}", report.steps))?.certificate;
    let report = check_records(&RecordsFile::from_json(&records)?, &certificate, &trust(world));
    let certified = report.records.with_context(|| format!("{:?}", report.steps))?;
    let predicate = &certificate.predicate;
    let dataset = served(world, &format!("bytes/dataset/{}/0", predicate.dataset.digest)).await?;
    let model = served(world, &format!("bytes/model/{}/0", predicate.model.digest)).await?;
    let mut proofs = Vec::new();
    for (part, digest) in predicate.proofs.iter().enumerate() {
        let proof = served(world, &format!("bytes/proof/{digest}/0")).await?;
        fs::write(folder.join(format!("proof-{part}")), &proof)?;
        proofs.push(proof);
    }
    for (name, content) in
        [("certificate.json", &export), ("records.json", &records), ("dataset", &dataset), ("model", &model)]
    {
        fs::write(folder.join(name), content)?;
    }
    let evidence = Evidence::new(certified, dataset, model, proofs);
    let start = Instant::now();
    assert!(rerun(&certificate, &world.canister.to_text(), &evidence, &mut |_, _| ())?.is_equal());
    let rerun = start.elapsed();
    eprintln!("native: {} checked in {checked:.1?}, made again in {rerun:.1?}", folder.display());
    Ok(())
}

/// What the canister answers to a browser, through the node's gateway.
async fn served(world: &World, path: &str) -> Result<Vec<u8>> {
    let request = reqwest::Client::new().get(format!("{}/{path}", world.url()));
    let response = request.header("host", format!("{}.localhost", world.canister)).send().await?;
    Ok(response.error_for_status()?.bytes().await?.to_vec())
}
