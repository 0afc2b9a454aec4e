//! Requests that are stale, forged or curious.

use anyhow::Result;
use candid::Principal;
use ic_agent::Identity;
use ic_agent::agent::RequestStatusResponse;
use ic_agent::identity::BasicIdentity;
use ic_certification::LookupResult;
use localnet::management_types::CanisterInstallMode;

use super::{agent, call, certificate, envelope, identity, now, post, read_state, started};

#[tokio::test]
async fn stale_and_forged_requests_are_refused() -> Result<()> {
    let (node, canister) = started().await;
    let path = format!("/api/v4/canister/{canister}/call");
    let (alice, mallory) = (identity(1), identity(2));
    let sender = alice.sender().unwrap();
    let soon = now() + 60_000_000_000;
    for expiry in [now() - 1_000_000_000, now() + 400_000_000_000] {
        let (status, text) = post(&node, &path, envelope(&call(canister, sender, expiry), &alice)).await;
        assert_eq!(status, 400);
        assert!(
            text.starts_with(b"Invalid request expiry: Specified ingress_expiry not within expected range")
        );
    }
    let content = call(canister, sender, soon);
    let good = envelope(&content, &alice);
    // Somebody else's signature, no signature, a signature of other content, an altered sender.
    let forged = [
        envelope(&content, &mallory),
        envelope(&content, &ic_agent::identity::AnonymousIdentity),
        {
            let signature = alice.sign(&call(canister, sender, soon + 1)).unwrap();
            let content = std::borrow::Cow::Borrowed(&content);
            let (sender_pubkey, sender_sig) = (signature.public_key, signature.signature);
            ic_agent::agent::Envelope { content, sender_pubkey, sender_sig, sender_delegation: None }
                .encode_bytes()
        },
        envelope(&call(canister, mallory.sender().unwrap(), soon), &alice),
    ];
    for body in forged {
        let (status, text) = post(&node, &path, body).await;
        let text = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(status, 403, "{text}");
        assert!(text.contains("Failed to authenticate request"), "{text}");
    }
    for (body, at) in [
        (good[..good.len() - 1].to_vec(), path.clone()),
        ([good.as_slice(), &[0]].concat(), path.clone()),
        (good.clone(), format!("/api/v4/canister/{}/call", Principal::management_canister())),
        (good.clone(), format!("/api/v3/canister/{canister}/query")),
    ] {
        assert_eq!(post(&node, &at, body).await.0, 400);
    }
    // Nothing of all this reached the canister; the good request does, once, however often it is sent.
    for _ in 0..3 {
        let (status, body) = post(&node, &path, good.clone()).await;
        assert_eq!(status, 200);
        let tree = certificate(&body).tree;
        let id = content.to_request_id();
        let LookupResult::Found(reply) = tree.lookup_path([b"request_status".as_slice(), &id[..], b"reply"])
        else {
            panic!("{tree:?}")
        };
        assert_eq!(reply[..4], [1, 0, 0, 0]);
    }
    Ok(())
}

#[tokio::test]
async fn a_certificate_shows_a_caller_only_its_own_requests() -> Result<()> {
    let (node, canister) = started().await;
    let (alice, bob) = (identity(1), identity(2));
    let mut ids = Vec::new();
    for who in [&alice, &bob] {
        let content = call(canister, who.sender().unwrap(), now() + 60_000_000_000);
        ids.push(content.to_request_id());
        post(&node, &format!("/api/v4/canister/{canister}/call"), envelope(&content, who)).await;
    }
    let path = format!("/api/v3/canister/{canister}/read_state");
    let read = async |who: &BasicIdentity, id: &[u8]| {
        let content = read_state(who.sender().unwrap(), vec![vec![b"request_status", id]]);
        post(&node, &path, envelope(&content, who)).await
    };
    assert_eq!(read(&bob, &ids[0][..]).await.0, 403);
    let (status, body) = read(&alice, &ids[0][..]).await;
    assert_eq!(status, 200);
    let tree = certificate(&body).tree;
    assert!(matches!(
        tree.lookup_path([b"request_status".as_slice(), &ids[0][..], b"status"]),
        LookupResult::Found(b"replied")
    ));
    assert_eq!(
        tree.lookup_path([b"request_status".as_slice(), &ids[1][..], b"reply"]),
        LookupResult::Unknown
    );
    assert_eq!(
        tree.lookup_path([b"canister".as_slice(), canister.as_slice(), b"certified_data"]),
        LookupResult::Unknown
    );

    // A request that does not exist is provably absent, also to an agent.
    let (_, body) = read(&alice, &[7; 32]).await;
    let tree = certificate(&body).tree;
    assert_eq!(tree.lookup_path([b"request_status".as_slice(), &[7; 32], b"status"]), LookupResult::Absent);
    let agent = agent(&node, identity(1)).await;
    let unknown = ic_agent::RequestId::new(&[7; 32]);
    let (status, _) = agent.request_status_raw(&unknown, canister).await?;
    assert!(matches!(status, RequestStatusResponse::Unknown));
    for forbidden in [vec![b"canister".as_slice(), canister.as_slice()], vec![b"request_status"], vec![]] {
        let content = read_state(alice.sender().unwrap(), vec![forbidden]);
        assert_eq!(post(&node, &path, envelope(&content, &alice)).await.0, 400);
    }
    Ok(())
}

#[tokio::test]
async fn private_metadata_is_for_controllers_only() -> Result<()> {
    let (node, _) = started().await;
    let (owner, stranger) = (identity(3), identity(4));
    let controller = owner.sender().unwrap();
    let wasm = wat::parse_str(
        r#"(module (@custom "icp:public told" "to all") (@custom "icp:private secret" "to some") (memory 1))"#,
    )?;
    let installed = node.with_subnet(move |subnet| {
        let canister = subnet.create_canister(controller)?;
        subnet.install(controller, canister, CanisterInstallMode::Install, &wasm, b"").map(|()| canister)
    });
    let canister = installed.await??;
    let path = format!("/api/v3/canister/{canister}/read_state");
    let read = async |who: &BasicIdentity, name: &[u8]| {
        let metadata = vec![b"canister".as_slice(), canister.as_slice(), b"metadata", name];
        let content = read_state(who.sender().unwrap(), vec![metadata.clone()]);
        let (status, body) = post(&node, &path, envelope(&content, who)).await;
        let found = || match certificate(&body).tree.lookup_path(metadata) {
            LookupResult::Found(bytes) => bytes.to_vec(),
            other => panic!("{other:?}"),
        };
        (status, if status == 200 { found() } else { body.clone() })
    };
    assert_eq!(read(&stranger, b"told").await, (200, b"to all".to_vec()));
    assert_eq!(read(&owner, b"secret").await, (200, b"to some".to_vec()));
    let (status, text) = read(&stranger, b"secret").await;
    assert_eq!((status, String::from_utf8_lossy(&text).contains("private")), (403, true));
    Ok(())
}
