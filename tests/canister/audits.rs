//! Audits: drawn after the seal, never hidden, refused when the model leaves its tables.

use anyhow::Result;
use interface::{AbandonAudit, AuditState, AuditsRequest, Error};
use tests::{Answer, OWNER, STRANGER, World, audit_request, linear_model};

#[tokio::test(flavor = "multi_thread")]
async fn two_audits_of_one_model_draw_two_samples() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let model = world.register_model(&linear_model(&dataset, "twice", 1, 8)).await?;
    let mut seeds = Vec::new();
    for number in 1..=2 {
        let audit = world.request(model, &dataset, Some(100)).await?;
        let record = world.ended(audit).await?;
        assert_eq!(record.audit_of_model, number);
        assert!(record.drawn_at_ns.expect("it was drawn") >= record.requested_at_ns);
        seeds.push(record.seed.expect("it was drawn"));
    }
    assert_ne!(seeds[0], seeds[1]);
    assert_eq!(world.client(STRANGER)?.model(model).await?.audits, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_outside_its_table_refuses_the_audit_visibly() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let model = world.register_model(&linear_model(&dataset, "overflows", i16::MAX, 1)).await?;
    let audit = world.request(model, &dataset, Some(100)).await?;
    let record = world.ended(audit).await?;
    let AuditState::Refused { reason } = &record.state else { panic!("{:?}", record.state) };
    assert!(reason.contains("outside the activation's table"), "{reason}");
    let stats = world.client(OWNER)?.stats().await?;
    assert_eq!((stats.audits, stats.open_audits, stats.certificates), (1, 0, 0));
    let listed = world.client(STRANGER)?.audits(AuditsRequest::default()).await?;
    assert_eq!(listed.items, [record]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_for_another_encoding_is_refused_at_the_request() -> Result<()> {
    let world = World::start().await?;
    let german = world.register_dataset("german").await?;
    let compas = world.register_dataset("compas").await?;
    let model = world.register_model(&linear_model(&german, "for german", 1, 8)).await?;
    let refused: Answer<u64> =
        world.call(OWNER, "request_audit", audit_request(model, &compas, Some(100))).await?;
    assert!(matches!(refused, Err(Error::WrongEncoding { .. })), "{refused:?}");
    assert_eq!(world.client(OWNER)?.stats().await?.audits, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_make_no_sense_change_nothing() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let model = world.register_model(&linear_model(&dataset, "mine", 1, 8)).await?;
    let good = audit_request(model, &dataset, Some(100));
    let elsewhere = audit::Digest::of(b"nothing").into();
    let mut bad = vec![
        interface::AuditRequest { model: elsewhere, ..good.clone() },
        interface::AuditRequest { dataset: elsewhere, ..good.clone() },
        interface::AuditRequest { sample_size: Some(0), ..good.clone() },
        interface::AuditRequest { sample_size: Some(dataset.rows() + 1), ..good.clone() },
        interface::AuditRequest { valid_for_s: Some(u64::MAX), ..good.clone() },
        interface::AuditRequest { supersedes: Some(99), ..good.clone() },
    ];
    for policy in [
        "",
        "{}",
        "{\"name\":1}",
        "[[[[",
        r#"{"name":"p","min_group_size":1,"criteria":[],"favourable":"bad"}"#,
    ] {
        bad.push(interface::AuditRequest { policy: policy.to_owned(), ..good.clone() });
    }
    bad.push(interface::AuditRequest { policy: " ".repeat(70_000), ..good.clone() });
    for request in bad {
        let refused: Answer<u64> = world.call(OWNER, "request_audit", request.clone()).await?;
        assert!(refused.is_err(), "{request:?}");
    }
    assert_eq!(world.client(OWNER)?.stats().await?.audits, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_audit_stays_listed_and_counted() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("adult").await?;
    let model = world.register_model(&linear_model(&dataset, "shy", 1, 8)).await?;
    world.slow_down().await?;
    let audit = world.request(model, &dataset, None).await?;
    world.until(audit, |record| record.seed.is_some()).await?;
    let abandon = AbandonAudit { id: audit, reason: "the sample looks bad".to_owned() };
    let abandoned: Answer<()> = world.call(OWNER, "abandon_audit", abandon).await?;
    assert_eq!(abandoned, Ok(()));
    let record = world.ended(audit).await?;
    assert!(matches!(record.state, AuditState::Abandoned { .. }), "{:?}", record.state);
    assert!(record.seed.is_some(), "what was drawn stays visible");
    assert_eq!(world.client(STRANGER)?.model(model).await?.audits, 1);
    Ok(())
}
