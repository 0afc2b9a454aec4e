//! From an ONNX file to a certificate that a stranger checks offline and an auditor reruns.

use anyhow::Result;
use tests::{STRANGER, World, linear_model, main_path::certify_and_check, trust};

#[tokio::test(flavor = "multi_thread")]
async fn an_onnx_model_gets_a_certificate_that_a_stranger_can_check() -> Result<()> {
    let world = World::start().await?;
    certify_and_check(&world).await?;
    world.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_rows_are_audited_when_no_size_is_given() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let model = linear_model(&dataset, "all rows", 1, 8);
    let digest = world.register_model(&model).await?;
    let certificate = world.certify(digest, &dataset, None).await?;
    let file = world.client(STRANGER)?.certificate(certificate).await?;
    let authentic = check::check(&file, &trust(&world)).authentic.expect("the certificate is authentic");
    assert_eq!(authentic.certificate.predicate.sample.size, dataset.rows());
    assert_eq!(authentic.certificate.predicate.counters.iter().sum::<u32>(), dataset.rows());
    Ok(())
}
