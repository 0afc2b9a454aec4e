//! Who may do what: a caller without the right gets an error and changes nothing.

use anyhow::Result;
use interface::{
    AbandonAudit, ArtefactKind, BeginUpload, DigestBytes, Error, Quotas, RevokeCertificate, Role, RoleChange,
};
use tests::{Answer, CONTROLLER, OWNER, REGISTRAR, STRANGER, World, audit_request, linear_model, principal};

#[tokio::test(flavor = "multi_thread")]
async fn only_registrars_bring_datasets() -> Result<()> {
    let world = World::start().await?;
    let dataset = certifier::dataset::read(&tests::repository("datasets/german"))?;
    let begin = BeginUpload {
        kind: ArtefactKind::Dataset,
        digest: dataset.digest().into(),
        size: dataset.bytes().len() as u64,
    };
    let refused: Answer<interface::UploadStatus> = world.call(STRANGER, "begin_upload", begin).await?;
    assert!(matches!(refused, Err(Error::NotAllowed { .. })), "{refused:?}");
    assert_eq!(world.client(STRANGER)?.stats().await?.uploads, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_neither_requests_nor_abandons_nor_revokes() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let model = world.register_model(&linear_model(&dataset, "mine", 1, 8)).await?;

    let request = audit_request(model, &dataset, Some(50));
    let refused: Answer<u64> = world.call(STRANGER, "request_audit", request).await?;
    assert!(matches!(refused, Err(Error::NotAllowed { .. })), "{refused:?}");

    let certificate = world.certify(model, &dataset, Some(50)).await?;
    let revoke = RevokeCertificate { id: certificate, reason: "I do not like it".to_owned() };
    let refused: Answer<()> = world.call(STRANGER, "revoke_certificate", revoke.clone()).await?;
    assert!(matches!(refused, Err(Error::NotAllowed { .. })), "{refused:?}");
    let abandon = AbandonAudit { id: 1, reason: "nor this".to_owned() };
    let refused: Answer<()> = world.call(STRANGER, "abandon_audit", abandon).await?;
    assert!(refused.is_err(), "{refused:?}");

    let revoked: Answer<()> = world.call(OWNER, "revoke_certificate", revoke).await?;
    assert_eq!(revoked, Ok(()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_controllers_give_roles_and_quotas() -> Result<()> {
    let world = World::start().await?;
    for number in [OWNER, REGISTRAR, STRANGER] {
        let change = RoleChange { role: Role::Registrar, principal: principal(number) };
        // Refused before it is executed, by `inspect_message`; the check is repeated in the method.
        let refused = world.call::<_, ()>(number, "add_role", change).await;
        assert!(refused.is_err_and(|cause| cause.to_string().contains("IC0406")));
        let quotas: Quotas = world.client(number)?.limits().await?.quotas;
        let refused = world.call::<_, ()>(number, "set_quotas", quotas).await;
        assert!(refused.is_err_and(|cause| cause.to_string().contains("IC0406")));
    }
    assert_eq!(world.client(STRANGER)?.roles().await?.len(), 1, "nobody was added");
    let quotas = world.client(CONTROLLER)?.limits().await?.quotas;
    let set: Answer<()> = world.call(CONTROLLER, "set_quotas", quotas).await?;
    assert_eq!(set, Ok(()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_belongs_to_its_principal() -> Result<()> {
    let world = World::start().await?;
    let digest = DigestBytes::from(audit::Digest::of(b"a model to come"));
    let begin = BeginUpload { kind: ArtefactKind::Model, digest, size: 100 };
    let begun: Answer<interface::UploadStatus> = world.call(OWNER, "begin_upload", begin).await?;
    assert!(begun.is_ok(), "{begun:?}");
    let chunk = interface::PutChunk { kind: ArtefactKind::Model, digest, index: 0, bytes: vec![7; 100] };
    let refused: Answer<()> = world.call(STRANGER, "put_chunk", chunk).await?;
    assert!(refused.is_err(), "{refused:?}");
    let key = interface::UploadKey { kind: ArtefactKind::Model, digest };
    let refused: Answer<()> = world.call(STRANGER, "seal_upload", key).await?;
    assert!(refused.is_err(), "{refused:?}");
    Ok(())
}
