//! Private models: only a proof of the registered weights, on the drawn sample, gets a certificate.

use std::sync::OnceLock;

use anyhow::Result;
use audit::{Activation, Certificate, Dataset, Digest, Layer, Model, certificate::Level};
use certifier::private;
use check::rerun::{Evidence, rerun};
use interface::{ArtefactKind, AuditState, Error, StateKind, UploadKey, VerifyAudit, VerifyInference};
use prover::{ModelSecret, ProverSetup};
use tests::{CONTROLLER, OWNER, STRANGER, World, import_model, linear_model, trust};
use verifier::Submission;

fn setup() -> &'static ProverSetup {
    static SETUP: OnceLock<ProverSetup> = OnceLock::new();
    SETUP.get_or_init(|| ProverSetup::new().expect("the generators can be read"))
}

/// A small linear model for german, quick to prove.
fn small(dataset: &Dataset, name: &str) -> Model {
    Model { activation_bits: 12, ..linear_model(dataset, name, 1, 12) }
}

#[track_caller]
fn refused(answer: Result<(), Error>, what: &str) {
    let cause = answer.expect_err("it must be refused").to_string();
    assert!(cause.contains(what), "{cause:?} does not say {what:?}");
}

/// Everything that an auditor downloads.
async fn evidence(world: &World, certificate: &Certificate) -> Result<Evidence> {
    let (client, predicate) = (world.client(STRANGER)?, &certificate.predicate);
    let mut proofs = Vec::new();
    for &proof in &predicate.proofs {
        proofs.push(client.download(ArtefactKind::Proof, proof, &mut |_, _| ()).await?);
    }
    let (dataset, model) = (predicate.dataset.digest, predicate.model.digest);
    Ok(Evidence {
        audit: client.audit(predicate.audit).await?,
        dataset: client.dataset(dataset).await?.record,
        dataset_bytes: client.download(ArtefactKind::Dataset, dataset, &mut |_, _| ()).await?,
        model: client.model(model).await?,
        model_bytes: client.download(ArtefactKind::PrivateModel, model, &mut |_, _| ()).await?,
        handed_in: proofs,
        classes: None,
        policy: client.policy(predicate.policy_digest).await?.into_bytes(),
    })
}

async fn certificate(world: &World, audit: u64) -> Result<Certificate> {
    let AuditState::Completed { certificate } = world.ended(audit).await?.state else {
        panic!("not completed")
    };
    let file = world.client(STRANGER)?.certificate(certificate).await?;
    Ok(check::check(&file, &trust(world)).authentic.expect("the certificate is authentic").certificate)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proved_audit_gets_a_certificate_that_anyone_can_check_and_verify_again() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let model = import_model("datasets/german/models/logistic.onnx", &dataset)?;
    let owned = world.register_private(setup(), &model, 1).await?;
    let record = world.drawn(&owned, &dataset, 300).await?;
    assert_eq!(record.state.kind(), StateKind::AwaitingProof);
    // What proofs are verified with is lost in an upgrade, and made again.
    world.upgrade().await?;
    let proof = world.prove(setup(), &owned, &record, &dataset, 0)?;
    world.client(STRANGER)?.verify_audit(VerifyAudit { audit: record.id, proof: proof.clone() }).await?;
    world.hand_in(OWNER, record.id, &proof).await??;

    let certificate = certificate(&world, record.id).await?;
    let predicate = &certificate.predicate;
    assert_eq!((predicate.level, &predicate.proofs), (Level::Proved, &vec![Digest::of(&proof)]));
    assert_eq!((predicate.model.digest, predicate.model.source), (owned.digest, None));
    // The same counts as a run of the weights that nobody else has.
    let public = world.register_model(&model).await?;
    assert_ne!(public, owned.digest);
    assert_eq!(predicate.counters, Submission::parse(&proof)?.counters);

    let mut evidence = evidence(&world, &certificate).await?;
    let canister = world.canister.to_text();
    assert!(rerun(&certificate, &canister, &evidence, &mut |_, _| ())?.is_equal());
    evidence.handed_in[0][200] ^= 1;
    assert!(rerun(&certificate, &canister, &evidence, &mut |_, _| ()).is_err());
    evidence.handed_in.clear();
    assert!(rerun(&certificate, &canister, &evidence, &mut |_, _| ()).is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_does_not_hold_changes_nothing() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let owned = world.register_private(setup(), &small(&dataset, "first"), 1).await?;
    let record = world.drawn(&owned, &dataset, 100).await?;
    let proof = world.prove(setup(), &owned, &record, &dataset, 0)?;

    // Another count in one cell.
    let mut submission = Submission::parse(&proof)?;
    let counted = submission.counters.iter().position(|&count| count > 0).expect("a sample is counted");
    submission.counters[counted] -= 1;
    submission.counters[counted ^ 1] += 1;
    refused(world.hand_in(OWNER, record.id, &submission.to_bytes()).await?, "does not hold");
    // Another part, a changed byte, missing and added ones.
    let submission = Submission { part: 1, ..Submission::parse(&proof)? };
    refused(world.hand_in(OWNER, record.id, &submission.to_bytes()).await?, "no part 1");
    let mut changed = proof.clone();
    let last = changed.len() - 40;
    changed[last] ^= 1;
    refused(world.hand_in(OWNER, record.id, &changed).await?, "closing proof");
    refused(world.hand_in(OWNER, record.id, &proof[..proof.len() - 32]).await?, "bytes");
    refused(world.hand_in(OWNER, record.id, &[proof.as_slice(), &[0]].concat()).await?, "bytes");
    // A stranger's upload, another model's audit, the same weights' other audit.
    refused(world.hand_in(STRANGER, record.id, &proof).await?, "owner");
    let other = world.drawn(&owned, &dataset, 100).await?;
    refused(world.hand_in(OWNER, other.id, &proof).await?, "proof");

    let unchanged = world.client(STRANGER)?.audit(record.id).await?;
    assert_eq!(unchanged, record);
    world.hand_in(OWNER, record.id, &proof).await??;
    let _ = certificate(&world, record.id).await?;
    // It is done; neither the same nor another proof is taken.
    let again = world.prove(setup(), &owned, &record, &dataset, 0)?;
    refused(world.hand_in(OWNER, record.id, &again).await?, "completed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_taken_from_its_owner_once_and_untouched() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let (model, secret) = (small(&dataset, "mine"), ModelSecret::new([1; 32]));
    let owner = world.client(OWNER)?.caller();
    let package = private::package(setup(), &model, &secret, owner)?;
    let seal = async |number: u8, bytes: &[u8]| -> Result<Result<(), Error>> {
        let (kind, digest) = (ArtefactKind::PrivateModel, Digest::of(bytes).into());
        world.client(number)?.put(kind, bytes, &mut |_, _| ()).await?;
        world.call(number, "seal_upload", UploadKey { kind, digest }).await
    };
    refused(seal(STRANGER, &package).await?, "owner");
    // Every stretch: architecture, commitments, proof.
    for at in [30, 40, package.len() - 16_000, package.len() - 2000, package.len() - 40] {
        let mut changed = package.clone();
        changed[at] ^= 1;
        assert!(seal(OWNER, &changed).await?.is_err(), "byte {at}");
    }
    assert!(seal(OWNER, &package[..package.len() - 1]).await?.is_err());
    seal(OWNER, &package).await??;
    // The same commitment under a fresh range proof would start its count of audits anew.
    let again = private::package(setup(), &model, &secret, owner)?;
    assert_ne!(again, package);
    refused(seal(OWNER, &again).await?, "registered as");
    Ok(())
}

/// The encoding's digest is its owner's word. Counts among two classes must not be read as counts among three.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_of_other_classes_or_inputs_than_the_datasets_is_not_audited() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let good = small(&dataset, "good");
    let three = Layer {
        units: 3,
        weights: good.layers[0].weights.repeat(3),
        bias: vec![0; 3],
        ..good.layers[0].clone()
    };
    let three = Layer { activation: Activation::Identity, ..three };
    let narrow = Layer { inputs: 5, weights: vec![1; 5], ..good.layers[0].clone() };
    for model in [
        Model { classes: 3, decision: audit::Decision::ArgMax, layers: vec![three], ..good.clone() },
        Model { layers: vec![narrow], ..good.clone() },
    ] {
        let owned = world.register_private(setup(), &model, 1).await?;
        let asked = world.request(owned.digest, &dataset, Some(100)).await;
        let cause = asked.expect_err("it must be refused").to_string();
        assert!(cause.contains("of the model"), "{cause}");
    }
    assert_eq!(world.client(STRANGER)?.stats().await?.audits, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn predictions_are_verified_by_query_and_others_refused() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let owned = world.register_private(setup(), &small(&dataset, "served"), 1).await?;
    let rows = (0..2).map(|row| dataset.row(row).expect("the row exists").features().collect());
    let asked = Digest::of(b"who asked");
    let prediction = owned.prove_prediction(setup(), asked, rows.collect())?;
    let (client, request) = (world.client(STRANGER)?, prediction.request()?);
    client.verify_inference(request.clone()).await?;
    let other = world.register_private(setup(), &small(&dataset, "another"), 2).await?;
    let mut features = request.features.clone();
    features[3] += 1;
    let mut outputs = request.outputs.clone();
    outputs[0] += 1;
    for changed in [
        VerifyInference {
            classes: request.classes.iter().map(|class| 1 - class).collect(),
            ..request.clone()
        },
        VerifyInference { context: Digest::of(b"somebody else").into(), ..request.clone() },
        VerifyInference { model: other.digest.into(), ..request.clone() },
        VerifyInference { features, ..request.clone() },
        VerifyInference { outputs, ..request.clone() },
        VerifyInference { outputs: Vec::new(), ..request.clone() },
        VerifyInference { proof: Vec::new(), ..request.clone() },
    ] {
        assert!(client.verify_inference(changed).await.is_err());
    }
    // As an update it would cost what nobody pays for.
    let update: Result<Result<(), Error>> = world.call(STRANGER, "verify_inference", request).await;
    assert!(update.is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_too_large_for_one_proof_is_proved_in_parts_in_order() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let inputs = dataset.schema().columns.len() as u32;
    let last = small(&dataset, "wide");
    let hidden = Layer {
        inputs,
        units: 1024,
        shift: 12,
        activation: Activation::Relu,
        weights: (0..inputs * 1024).map(|index| (index % 17) as i16 - 8).collect(),
        bias: vec![0; 1024],
    };
    let output = Layer { inputs: 1024, weights: vec![1; 1024], ..last.layers[0].clone() };
    // Tables of 16 bits make the rows of all samples too many for one proof.
    let model = Model { activation_bits: 16, layers: vec![hidden, output], ..last };
    let owned = world.register_private(setup(), &model, 1).await?;
    let record = world.drawn(&owned, &dataset, 1000).await?;
    let parts = [0, 1].map(|part| world.prove(setup(), &owned, &record, &dataset, part));
    let [first, second] = parts.map(|part| part.expect("the part is proved"));
    refused(world.hand_in(OWNER, record.id, &second).await?, "not the next");
    world.hand_in(OWNER, record.id, &first).await??;
    let half = world.client(STRANGER)?.audit(record.id).await?;
    assert_eq!(half.state, AuditState::AwaitingProof { done: 500, of: 1000 });
    let repeated = world.prove(setup(), &owned, &record, &dataset, 0)?;
    refused(world.hand_in(OWNER, record.id, &repeated).await?, "not the next");
    world.upgrade().await?;
    world.hand_in(OWNER, record.id, &second).await??;
    let certificate = certificate(&world, record.id).await?;
    assert_eq!(certificate.predicate.counters.iter().sum::<u32>(), 1000);
    let evidence = evidence(&world, &certificate).await?;
    let canister = world.canister.to_text();
    assert!(rerun(&certificate, &canister, &evidence, &mut |_, _| ())?.is_equal());
    let mut swapped = evidence.clone();
    swapped.handed_in.swap(0, 1);
    assert!(rerun(&certificate, &canister, &swapped, &mut |_, _| ()).is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn verifications_and_waiting_audits_are_limited() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let owned = world.register_private(setup(), &small(&dataset, "limited"), 1).await?;
    let record = world.drawn(&owned, &dataset, 50).await?;
    let quotas = world.client(CONTROLLER)?.limits().await?.quotas;
    let tight = interface::Quotas { verifications_per_day: 1, awaiting_audits: 1, ..quotas };
    let set: Result<(), Error> = world.call(CONTROLLER, "set_quotas", tight).await?;
    set?;
    let full = world.request(owned.digest, &dataset, Some(50)).await.expect_err("one waits already");
    assert!(full.to_string().contains("awaiting_audits"), "{full}");
    // One registration was verified today.
    let another = world.register_private(setup(), &small(&dataset, "another"), 2).await;
    let cause = another.expect_err("it must be refused").to_string();
    assert!(cause.contains("verifications_per_day"), "{cause}");
    // Wrong proofs, more than there is room for uploads, do not keep the right one out.
    let proof = world.prove(setup(), &owned, &record, &dataset, 0)?;
    let wrong = |number: usize| {
        let mut wrong = proof.clone();
        wrong[40 + number] ^= 1;
        wrong
    };
    for number in 0..31 {
        assert!(world.hand_in(OWNER, record.id, &wrong(number)).await?.is_err());
    }
    world.hand_in(OWNER, record.id, &proof).await??;
    // But they are not verified without end.
    let record = world.drawn(&owned, &dataset, 50).await?;
    for number in 0..32 {
        assert!(world.hand_in(OWNER, record.id, &wrong(number)).await?.is_err());
    }
    refused(world.hand_in(OWNER, record.id, &wrong(32)).await?, "refused_proofs");
    Ok(())
}
