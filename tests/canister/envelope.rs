//! The canister's signed envelopes, as `assay certificate export --format dsse` gets them.

use anyhow::Result;
use candid::Principal;
use certifier::export::dsse::{EnvelopeError, verify};
use tests::{STRANGER, World, linear_model};

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_is_signed_by_this_canister_over_this_statement() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let model = world.register_model(&linear_model(&dataset, "signed", 1, 8)).await?;
    let id = world.certify(model, &dataset, Some(50)).await?;
    let client = world.client(STRANGER)?;
    let (envelope, body) = (client.envelope(id).await?, client.certificate(id).await?.body);
    let (canister, root_key) = (world.canister, world.root_key.as_slice());
    verify(&envelope, &body, canister, root_key)?;

    let other_body = [body.as_slice(), b" "].concat();
    let refused = |result: Result<(), EnvelopeError>| result.expect_err("it was changed");
    assert!(matches!(
        refused(verify(&envelope, &other_body, canister, root_key)),
        EnvelopeError::Other("statement")
    ));
    let another = Principal::management_canister();
    assert!(matches!(refused(verify(&envelope, &body, another, root_key)), EnvelopeError::Other("key")));
    let other_key: Vec<u8> = root_key.iter().rev().copied().collect();
    assert!(matches!(refused(verify(&envelope, &body, canister, &other_key)), EnvelopeError::Signature(_)));
    let text = String::from_utf8(envelope.clone())?;
    let damaged = text.replacen("\"sig\":\"2dn3", "\"sig\":\"2dn4", 1);
    assert!(matches!(
        refused(verify(damaged.as_bytes(), &body, canister, root_key)),
        EnvelopeError::Signature(_)
    ));
    let other_type = text.replacen("in-toto+json", "in-toto+text", 1);
    assert!(matches!(
        refused(verify(other_type.as_bytes(), &body, canister, root_key)),
        EnvelopeError::Other("type of payload")
    ));
    assert!(matches!(refused(verify(&envelope[1..], &body, canister, root_key)), EnvelopeError::Form(_)));
    assert!(client.envelope(id + 1).await.is_err(), "there is no such certificate");
    world.stop().await;
    Ok(())
}
