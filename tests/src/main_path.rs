//! From an ONNX file to a certificate that a stranger checks offline and an auditor reruns, on any node.

use anyhow::Result;
use audit::{Digest, Engine, Replay, Verdict, draw_sample};
use interface::{AuditState, CertificatesRequest};

use crate::{STRANGER, World, import_model, trust};

/// Registers german and its logistic regression, audits 400 rows, checks the certificate and repeats the replay.
pub async fn certify_and_check(world: &World) -> Result<()> {
    let dataset = world.register_dataset("german").await?;
    let model = import_model("datasets/german/models/logistic.onnx", &dataset)?;
    let digest = world.register_model(&model).await?;
    let audit = world.request(digest, &dataset, Some(400)).await?;
    let record = world.ended(audit).await?;
    let AuditState::Completed { certificate } = record.state else { panic!("{:?}", record.state) };

    let file = world.client(STRANGER)?.certificate(certificate).await?;
    let report = check::check(&file, &trust(world));
    let authentic = report.authentic.unwrap_or_else(|| panic!("{:?}", report.steps));
    let predicate = &authentic.certificate.predicate;
    assert_eq!(predicate.model.digest, digest);
    assert_eq!(predicate.dataset.digest, dataset.digest());
    assert_eq!(predicate.verdict, Verdict::Pass);

    // The canister's counts (wasm, SIMD) equal a native replay of the sample that the seed gives.
    let seed = record.seed.expect("a completed audit has drawn a sample");
    let sample = draw_sample(&Digest::from(seed).0, dataset.rows(), 400);
    let mut replay = Replay::new(&model, dataset.schema())?;
    let mut engine = Engine::new(&model);
    for &index in &sample {
        replay.step(&mut engine, index, dataset.row(index).expect("the row exists"))?;
    }
    assert_eq!(replay.counts().total(), 400);
    assert_eq!(predicate.counters, replay.counts().counters());

    let listed = world.client(STRANGER)?.certificates(CertificatesRequest::default()).await?;
    assert_eq!(listed.items.len(), 1);
    Ok(())
}
