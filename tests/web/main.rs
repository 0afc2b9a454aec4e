//! The npm package in Node, the canister's pages in a browser, and another library in the same browser.
//!
//! The files of two certificates are left in `target/web/fixtures`, to look at or to try a page on.

mod relay;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result};
use audit::Digest;
use check::{
    check, check_records,
    rerun::{Evidence, rerun},
};
use interface::export::{CertificateFile, RecordsFile};
use tests::{World, repository, showcase::Showcase, trust};

/// The scripts with tests, in order. What the relays pass on is refused for its age after five minutes.
const SCRIPTS: [&str; 5] = ["pages", "keyboard", "agent", "accessibility", "verify"];

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
async fn what_is_published_is_seen_and_checked_by_strangers() -> Result<()> {
    if !has_node() {
        assert!(std::env::var_os("CI").is_none(), "CI needs Node 20 or newer");
        eprintln!("Node 20 or newer is missing: neither the JavaScript package nor the pages are tested");
        return Ok(());
    }
    assert!(package().join("verify.wasm").exists(), "run `cargo xtask build-web` first");
    let fixtures = repository("target/web/fixtures");
    if fixtures.exists() {
        fs::remove_dir_all(&fixtures)?;
    }

    let showcase = Showcase::start().await?;
    let world = &showcase.world;
    for (name, certificate) in [
        ("replayed", showcase.replayed),
        ("proved", showcase.proved),
        ("spot-checked", showcase.spot_checked),
    ] {
        publish(world, certificate, &fixtures.join(name)).await?;
    }
    fs::write(fixtures.join("root.key"), hex::encode(&world.root_key))?;
    let (honest, forging) = (relay::start(world, false).await?, relay::start(world, true).await?);
    let mut failed = Vec::new();
    for name in SCRIPTS {
        let script = format!("tests/web/{name}.test.mjs");
        let mut node = showcase.node(["--test", "--test-reporter=spec", &script])?;
        node.env("ASSAY_WEB", package())
            .env("ASSAY_WEB_FIXTURES", &fixtures)
            .env("ASSAY_RELAYS", format!("{honest} {forging}"))
            .env("ASSAY_PREDICTION", repository("certifier/tests/mistakes/base"));
        // The node answers meanwhile.
        if !tokio::task::spawn_blocking(move || node.status()).await??.success() {
            failed.push(script);
        }
    }
    showcase.world.stop().await;
    assert!(failed.is_empty(), "tests in Node failed: {failed:?}");
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
    let mut parts: Vec<(String, &str, Digest)> = Vec::new();
    for (part, digest) in predicate.proofs.iter().enumerate() {
        parts.push((format!("proof-{part}"), "proof", *digest));
    }
    if let Some(log) = &predicate.log {
        parts.push(("log".to_owned(), "log", log.content));
        parts.extend(log.openings.iter().map(|opened| ("openings".to_owned(), "log", opened.content)));
    }
    let mut handed_in = Vec::new();
    for (name, kind, digest) in parts {
        let part = served(world, &format!("bytes/{kind}/{digest}/0")).await?;
        fs::write(folder.join(name), &part)?;
        handed_in.push(part);
    }
    for (name, content) in
        [("certificate.json", &export), ("records.json", &records), ("dataset", &dataset), ("model", &model)]
    {
        fs::write(folder.join(name), content)?;
    }
    let evidence = Evidence::new(certified, dataset, model, handed_in);
    let start = Instant::now();
    assert!(rerun(&certificate, &world.canister.to_text(), &evidence, &mut |_, _| ())?.is_equal());
    let rerun = start.elapsed();
    eprintln!("native: {} checked in {checked:.1?}, made again in {rerun:.1?}", folder.display());
    Ok(())
}

/// What the canister answers to a browser, through the node's gateway.
async fn served(world: &World, path: &str) -> Result<Vec<u8>> {
    let request = reqwest::Client::new().get(format!("{}/{path}", world.url()));
    let response = request.header("host", format!("{}.raw.localhost", world.canister)).send().await?;
    Ok(response.error_for_status()?.bytes().await?.to_vec())
}
