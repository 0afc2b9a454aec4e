//! The npm package, in Node, on what a canister really published: one certificate of each level with all that is behind it.
//!
//! The files are left in `target/web/fixtures`, to look at or to try a page on.

use std::{fs, path::PathBuf, process::Command, time::Instant};

use anyhow::{Context, Result};
use candid::{Decode, Encode};
use check::{
    check, check_records,
    rerun::{Evidence, rerun},
};
use interface::{
    ArtefactKind, Proof, WitnessRequest,
    certified::{audit_json, audit_key, dataset_json, dataset_key, model_json, model_key},
    export::{CertificateFile, RecordTexts, RecordsFile},
};
use prover::ProverSetup;
use tests::{Answer, OWNER, STRANGER, World, import_model, repository, trust};

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
    world.stop().await;

    let status = Command::new("node")
        .args(["--test", "--test-reporter=spec"])
        .args(["verify", "page"].map(|name| repository(&format!("tests/web/{name}.test.mjs"))))
        .env("ASSAY_WEB", package())
        .env("ASSAY_WEB_FIXTURES", &fixtures)
        .env("ASSAY_PREDICTION", repository("certifier/tests/mistakes/base"))
        .status()?;
    assert!(status.success(), "the tests in Node failed");
    Ok(())
}

/// Writes everything that the canister serves about a certificate, and tells how long the native checker takes.
async fn publish(world: &World, number: u64, folder: &PathBuf) -> Result<()> {
    fs::create_dir_all(folder)?;
    let client = world.client(STRANGER)?;
    let file: CertificateFile = client.certificate(number).await?;
    let start = Instant::now();
    let certificate = check(&file, &trust(world)).authentic.context("it is authentic")?.certificate;
    let checked = start.elapsed();
    let predicate = &certificate.predicate;
    let audit = client.audit(predicate.audit).await?;
    let dataset = client.dataset(predicate.dataset.digest).await?.record;
    let model = client.model(predicate.model.digest).await?;
    let keys = vec![audit_key(audit.id), dataset_key(dataset.digest), model_key(model.digest)];
    let query = world.agent(STRANGER)?;
    let query = query.query(&world.canister, "witness").with_arg(Encode!(&WitnessRequest::Keys(keys))?);
    let proof = Decode!(&query.call().await?, Answer<Proof>)??;
    let texts = RecordTexts {
        audit: audit_json(&audit)?,
        dataset: dataset_json(&dataset)?,
        model: model_json(&model)?,
        policy: client.policy(predicate.policy_digest).await?.into_bytes(),
    };
    let ic_certificate = proof.ic_certificate.context("a query gets one")?.into_vec();
    let records = RecordsFile::new(world.canister, number, texts, ic_certificate, proof.witness);
    let report = check_records(&records, &certificate, &trust(world));
    let (dataset, model) = (predicate.dataset.digest, predicate.model.digest);
    let dataset = client.download(ArtefactKind::Dataset, dataset, &mut |_, _| ()).await?;
    let model = client.download(ArtefactKind::Model, model, &mut |_, _| ()).await?;
    let mut proofs = Vec::new();
    for (part, &digest) in predicate.proofs.iter().enumerate() {
        let proof = client.download(ArtefactKind::Proof, digest, &mut |_, _| ()).await?;
        fs::write(folder.join(format!("proof-{part}")), &proof)?;
        proofs.push(proof);
    }
    fs::write(folder.join("certificate.json"), file.to_json())?;
    fs::write(folder.join("records.json"), records.to_json())?;
    fs::write(folder.join("dataset"), &dataset)?;
    fs::write(folder.join("model"), &model)?;
    let evidence = Evidence::new(report.records.context("they are certified")?, dataset, model, proofs);
    let start = Instant::now();
    assert!(rerun(&certificate, &world.canister.to_text(), &evidence, &mut |_, _| ())?.is_equal());
    let rerun = start.elapsed();
    eprintln!("native: {} checked in {checked:.1?}, made again in {rerun:.1?}", folder.display());
    Ok(())
}
