//! An auditor runs an audit again and says so.

use anyhow::Result;
use certifier::client::ClientError;
use interface::{Attest, Finding, Role, RoleChange};
use tests::{CONTROLLER, OWNER, STRANGER, World, import_model, principal};

#[tokio::test(flavor = "multi_thread")]
async fn findings_are_listed_with_proof() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let model = import_model("datasets/german/models/logistic.onnx", &dataset)?;
    let digest = world.register_model(&model).await?;
    let certificate = world.certify(digest, &dataset, Some(300)).await?;
    assert_eq!(world.client(STRANGER)?.attestations(certificate).await?, []);

    let role = RoleChange { role: Role::Auditor, principal: principal(STRANGER) };
    world.client(CONTROLLER)?.add_role(role).await?;
    let file = world.client(STRANGER)?.certificate(certificate).await?;
    let rerun = Some(audit::Digest::of(&file.body).into());
    let agrees = Attest { certificate, finding: Finding::Agrees, rerun, note: "natively".to_owned() };
    let refused = world.client(OWNER)?.attest(agrees.clone()).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused { .. }), "{refused}");
    world.client(STRANGER)?.attest(agrees).await?;
    // Both as it is and after an upgrade, the list is whole.
    for _ in 0..2 {
        let findings = world.client(OWNER)?.attestations(certificate).await?;
        let [one] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!(
            (one.auditor, one.finding, one.note.as_str()),
            (principal(STRANGER), Finding::Agrees, "natively")
        );
        world.upgrade().await?;
    }
    Ok(())
}
