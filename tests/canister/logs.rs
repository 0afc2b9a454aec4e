//! Audits by prediction logs on the real module: an auditor who runs what was opened, a canister that does it itself, and
//! owners who lie.

use anyhow::Result;
use audit::{
    Certificate,
    certificate::Level,
    log::{Openings, SubmissionHeader},
};
use certifier::{
    client::ClientError,
    log::{Source, rerun as run_openings},
};
use check::{
    Standing, Trust, check,
    rerun::{Comparison, Evidence, rerun},
};
use interface::{
    ArtefactKind, AuditState, CertificateState, DisputePrediction, ReportOpenings, RevokeKey, Role,
    RoleChange,
};
use tests::{
    CONTROLLER, OWNER, STRANGER, World, import_model,
    logs::{embedded, onnx},
    principal, repository,
};

const SAMPLE: u32 = 400;
const OPENED: u32 = 100;

/// Everything that a stranger downloads, counted again.
pub async fn count_again(world: &World, certificate: u64, classes: Option<Vec<u8>>) -> Result<Comparison> {
    let client = world.client(STRANGER)?;
    let file = client.certificate(certificate).await?;
    let certificate = Certificate::parse(&file.body)?;
    let predicate = &certificate.predicate;
    let (dataset, model) = (predicate.dataset.digest, predicate.model.digest);
    let mut handed_in = Vec::new();
    if let Some(log) = &predicate.log {
        handed_in.push(client.download(ArtefactKind::Log, log.content, &mut |_, _| ()).await?);
        if let Some(opened) = &log.openings {
            let kind = ArtefactKind::Openings;
            handed_in.push(client.download(kind, opened.content, &mut |_, _| ()).await?);
        }
    }
    let evidence = Evidence {
        audit: client.audit(predicate.audit).await?,
        dataset: client.dataset(dataset).await?.record,
        dataset_bytes: client.download(ArtefactKind::Dataset, dataset, &mut |_, _| ()).await?,
        model: client.model(model).await?,
        model_bytes: client.download(ArtefactKind::Model, model, &mut |_, _| ()).await?,
        handed_in,
        classes,
        policy: client.policy(predicate.policy_digest).await?.into_bytes(),
    };
    Ok(rerun(&certificate, &world.canister.to_text(), &evidence, &mut |_, _| ())?)
}

async fn standing(world: &World, certificate: u64) -> Result<Standing> {
    let file = world.client(STRANGER)?.certificate(certificate).await?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let trust = Trust {
        root_key: world.root_key.clone(),
        canister: Some(world.canister),
        now_ns: u64::try_from(now.as_nanos())?,
        max_age_s: None,
    };
    Ok(check(&file, &trust).authentic.expect("it is authentic").standing)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_runs_what_was_opened() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let file = std::fs::read(repository("datasets/german/models/mlp-16-8.onnx"))?;
    let model = world.register_logged("mlp", &file, &dataset).await?;
    let key = world.add_key().await?;
    let record = world.request_log(model, &dataset, SAMPLE, OPENED).await?;
    let folder = tempfile::tempdir()?;
    let source = audit::Digest::of(&file);
    let record = world.log(&record, &dataset, onnx(&file), source, folder.path()).await?;
    assert_eq!(record.state, AuditState::AwaitingOpenings { openings: OPENED });
    let (openings, record) = world.open(&record, folder.path()).await?;
    assert_eq!(record.state, AuditState::AwaitingAuditor { openings: OPENED });

    // The auditor has the file from its owner; all else comes from the canister.
    let auditor = world.client(STRANGER)?;
    let agrees = ReportOpenings { audit: record.id, agrees: true, note: String::new() };
    let refused = auditor.report_openings(agrees.clone()).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused { .. }), "{refused}");
    let role = RoleChange { role: Role::Auditor, principal: principal(STRANGER) };
    world.client(CONTROLLER)?.add_role(role).await?;
    let content = record.log.as_ref().unwrap().submitted.as_ref().unwrap().content;
    let log = auditor.download(ArtefactKind::Log, content.into(), &mut |_, _| ()).await?;
    let signed = SubmissionHeader::parse(&log)?.signed;
    let openings = Openings::parse(&openings)?;
    openings.verify(signed.statement())?;
    let (found, _) = run_openings(&file, &dataset, signed.statement(), &openings, &embedded(), 1e-4)?;
    assert_eq!(found, []);
    auditor.report_openings(agrees).await?;

    let certificate = world.certificate_of(record.id).await?;
    let body = Certificate::parse(&auditor.certificate(certificate).await?.body)?;
    let predicate = &body.predicate;
    assert_eq!(predicate.level, Level::SpotChecked);
    let logged = predicate.log.as_ref().unwrap();
    assert_eq!(logged.signer, key);
    let opened = logged.openings.as_ref().unwrap();
    assert_eq!(opened.checked.as_ref().unwrap().by, principal(STRANGER).to_text());
    // 4 lies in 400 stay unseen with C(396, 100)/C(400, 100).
    assert_eq!((predicate.odds[1].lies, predicate.odds[1].detected.as_str()), (4, "0.685182"));

    // Counting needs no model; whoever has it finds each prediction right, or not.
    let counted = count_again(&world, certificate, None).await?;
    assert!(counted.is_equal() && !counted.logged.unwrap().ran);
    let entries: Vec<u8> = log[log.len() - 33 * SAMPLE as usize..].chunks(33).map(|entry| entry[0]).collect();
    assert!(count_again(&world, certificate, Some(entries.clone())).await?.is_equal());
    let mut other = entries;
    other[7] ^= 1;
    let comparison = count_again(&world, certificate, Some(other)).await?;
    assert!(!comparison.is_equal());
    let wrong = comparison.logged.as_ref().unwrap().wrong.as_slice();
    assert!(matches!(wrong, [one] if one.index == 7), "{wrong:?}");
    assert!(comparison.differences().any(|one| one.path == "predicate.log.root"));

    // A key that is revoked signs no more; what it signed stays.
    let owner = world.client(OWNER)?;
    owner.revoke_key(RevokeKey { key: key.into(), reason: "laptop lost".to_owned() }).await?;
    let keys = auditor.keys(principal(OWNER)).await?;
    assert!(matches!(keys.as_slice(), [one] if one.revoked.as_ref().unwrap().reason == "laptop lost"));
    let record = world.request_log(model, &dataset, 10, 0).await?;
    let other = tempfile::tempdir()?;
    let refused = world.log(&record, &dataset, onnx(&file), source, other.path()).await.unwrap_err();
    assert!(refused.to_string().contains("revoked"), "{refused}");
    assert_eq!(standing(&world, certificate).await?, Standing::Stands);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_canister_runs_what_was_opened_of_a_public_model() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let model = import_model("datasets/german/models/logistic.onnx", &dataset)?;
    let other = import_model("datasets/german/models/mlp-16-8.onnx", &dataset)?;
    let (digest, bytes) = (world.register_model(&model).await?, model.to_bytes());
    world.add_key().await?;
    let honest = Source::Integer { bytes: &bytes };
    let (record, folder) = (world.request_log(digest, &dataset, 1000, OPENED).await?, tempfile::tempdir()?);
    let record = world.log(&record, &dataset, honest, digest, folder.path()).await?;
    world.upgrade().await?;
    let (_, record) = world.open(&record, folder.path()).await?;
    let certificate = world.certificate_of(record.id).await?;
    let comparison = count_again(&world, certificate, None).await?;
    assert!(comparison.is_equal());
    let logged = comparison.logged.unwrap();
    assert!(logged.ran && logged.wrong.is_empty());
    // The same counts as a replay of the whole dataset.
    let replayed = world.certify(digest, &dataset, None).await?;
    let counters = async |id| -> Result<Vec<u32>> {
        Ok(Certificate::parse(&world.client(STRANGER)?.certificate(id).await?.body)?.predicate.counters)
    };
    assert_eq!(counters(certificate).await?, counters(replayed).await?);
    let index = 3;
    let dispute = world.client(STRANGER)?.dispute_prediction(DisputePrediction { certificate, index }).await;
    assert!(matches!(dispute.unwrap_err(), ClientError::Refused { .. }), "the prediction is right");

    // Another model's predictions under this one's name: about one in ten differs, and a hundred are opened.
    let bytes = other.to_bytes();
    let lying = Source::Integer { bytes: &bytes };
    let (record, folder) = (world.request_log(digest, &dataset, 1000, OPENED).await?, tempfile::tempdir()?);
    let record = world.log(&record, &dataset, lying, digest, folder.path()).await?;
    let (_, record) = world.open(&record, folder.path()).await?;
    let AuditState::Refused { reason } = record.state else { panic!("{:?}", record.state) };
    assert!(reason.contains("the log says"), "{reason}");

    // Without openings nobody looks, until somebody does.
    let lying = Source::Integer { bytes: &bytes };
    let (record, folder) = (world.request_log(digest, &dataset, 1000, 0).await?, tempfile::tempdir()?);
    let record = world.log(&record, &dataset, lying, digest, folder.path()).await?;
    let certificate = world.certificate_of(record.id).await?;
    assert_eq!(standing(&world, certificate).await?, Standing::Stands);
    let comparison = count_again(&world, certificate, None).await?;
    assert!(!comparison.is_equal());
    let wrong = comparison.logged.unwrap().wrong[0];
    let request = DisputePrediction { certificate, index: wrong.index };
    world.client(STRANGER)?.dispute_prediction(request).await?;
    let Standing::Suspended { row, by, .. } = standing(&world, certificate).await? else { panic!() };
    assert_eq!((row, by), (wrong.row, principal(STRANGER).to_text()));
    let listed = world.client(STRANGER)?.certificates(Default::default()).await?.items;
    let state = &listed.iter().find(|one| one.id == certificate).unwrap().state;
    assert!(matches!(state, CertificateState::Suspended { logged, .. } if *logged == wrong.logged));
    Ok(())
}
