//! A certificate that was changed anywhere, or is shown for what it is not, is not accepted.

use anyhow::Result;
use check::{Standing, Trust};
use interface::export::CertificateFile;
use tests::{OWNER, STRANGER, World, linear_model, trust};

/// A part of the file, to be changed.
type Part = fn(&mut CertificateFile) -> &mut Vec<u8>;

struct Issued {
    world: World,
    file: CertificateFile,
    trust: Trust,
}

async fn issued() -> Result<Issued> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let model = world.register_model(&linear_model(&dataset, "tampered", 1, 8)).await?;
    let certificate = world.certify(model, &dataset, Some(200)).await?;
    let file = world.client(STRANGER)?.certificate(certificate).await?;
    let trust = trust(&world);
    assert!(check::check(&file, &trust).authentic.is_some(), "untouched, it is accepted");
    Ok(Issued { world, file, trust })
}

fn accepted(file: &CertificateFile, trust: &Trust) -> bool {
    check::check(file, trust).authentic.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_any_part_is_refused() -> Result<()> {
    let Issued { file, trust, .. } = issued().await?;
    let parts: [(&str, Part); 4] = [
        ("body", |file| &mut file.body),
        ("status", |file| &mut file.status),
        ("IC certificate", |file| &mut file.ic_certificate),
        ("witness", |file| &mut file.witness),
    ];
    for (name, part) in parts {
        let length = part(&mut file.clone()).len();
        for position in (0..length).step_by((length / 40).max(1)).chain([length - 1]) {
            let mut changed = file.clone();
            part(&mut changed)[position] ^= 1 << (position % 8);
            assert!(!accepted(&changed, &trust), "{name}, byte {position}");
        }
        let mut longer = file.clone();
        part(&mut longer).push(0);
        assert!(!accepted(&longer, &trust), "{name} with a trailing byte");
        let mut shorter = file.clone();
        part(&mut shorter).pop();
        assert!(!accepted(&shorter, &trust), "{name} without its last byte");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_canister_another_node_and_an_old_signature_are_refused() -> Result<()> {
    let Issued { file, trust, .. } = issued().await?;
    let elsewhere = Trust { canister: Some(candid::Principal::from_slice(&[9, 9, 1, 1])), ..trust.clone() };
    assert!(!accepted(&file, &elsewhere), "another canister was wanted");

    let node = localnet::Node::start(localnet::Config::default()).await?;
    let foreign = Trust { root_key: node.root_key(), ..trust.clone() };
    assert!(!accepted(&file, &foreign), "another node's root key");

    let mainnet = Trust { root_key: check::ic_certificate::MAINNET_ROOT_KEY.to_vec(), ..trust.clone() };
    assert!(!accepted(&file, &mainnet), "the main network's root key");

    let later = Trust { now_ns: trust.now_ns + 3600 * 1_000_000_000, ..trust.clone() };
    assert!(!accepted(&file, &later), "an hour old, five minutes allowed");
    let any_age = Trust { max_age_s: None, ..later };
    assert!(accepted(&file, &any_age), "an archived certificate, any age allowed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_two_certificates_do_not_mix() -> Result<()> {
    let Issued { world, file, trust } = issued().await?;
    let dataset = certifier::dataset::read(&tests::repository("datasets/german"))?;
    let model = world.register_model(&linear_model(&dataset, "another", -1, 8)).await?;
    let second = world.certify(model, &dataset, Some(200)).await?;
    let other = world.client(STRANGER)?.certificate(second).await?;
    let mixes: [fn(&mut CertificateFile, &CertificateFile); 5] = [
        |file, other| file.body.clone_from(&other.body),
        |file, other| file.status.clone_from(&other.status),
        |file, other| file.witness.clone_from(&other.witness),
        |file, other| file.ic_certificate.clone_from(&other.ic_certificate),
        |file, other| {
            file.body.clone_from(&other.body);
            file.status.clone_from(&other.status);
        },
    ];
    for (number, mix) in mixes.iter().enumerate() {
        let mut mixed = file.clone();
        mix(&mut mixed, &other);
        assert!(!accepted(&mixed, &trust), "mix {number}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_certificate_cannot_be_shown_as_valid() -> Result<()> {
    let Issued { world, file, trust } = issued().await?;
    let certificate = check::check(&file, &trust).authentic.expect("it is authentic").certificate;
    let id = certificate.predicate.certificate;
    let revoke = interface::RevokeCertificate { id, reason: "retrained".to_owned() };
    world.client(OWNER)?.revoke_certificate(revoke).await?;
    let now = world.client(STRANGER)?.certificate(id).await?;
    let authentic =
        check::check(&now, &tests::trust(&world)).authentic.expect("revoked ones are authentic too");
    assert!(matches!(authentic.standing, Standing::Revoked { .. }), "{:?}", authentic.standing);
    // The status of before does not fit the tree of now.
    let mut mixed = now;
    mixed.status = file.status;
    assert!(!accepted(&mixed, &tests::trust(&world)));
    Ok(())
}
