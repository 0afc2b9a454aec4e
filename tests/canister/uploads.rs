//! Uploads: resumable, bounded, and sealed by digest to the last byte.

use anyhow::Result;
use audit::{Dataset, Digest};
use interface::{ArtefactKind, BeginUpload, DigestBytes, Error, PutChunk, UploadKey, UploadStatus};
use tests::{Answer, OWNER, REGISTRAR, World, linear_model, repository};

fn german() -> Result<Dataset> {
    Ok(certifier::dataset::read(&repository("datasets/german"))?)
}

/// Uploads `bytes` under `digest` in one chunk and returns what sealing says.
async fn seal(
    world: &World,
    person: u8,
    kind: ArtefactKind,
    digest: Digest,
    bytes: &[u8],
) -> Result<Answer<()>> {
    let digest = DigestBytes::from(digest);
    let begin = BeginUpload { kind, digest, size: bytes.len() as u64 };
    let begun: Answer<UploadStatus> = world.call(person, "begin_upload", begin).await?;
    if let Err(error) = begun {
        return Ok(Err(error));
    }
    let chunk = PutChunk { kind, digest, index: 0, bytes: bytes.to_vec() };
    let put: Answer<()> = world.call(person, "put_chunk", chunk).await?;
    if put.is_err() {
        return Ok(put);
    }
    world.call(person, "seal_upload", UploadKey { kind, digest }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_byte_does_not_seal() -> Result<()> {
    let world = World::start().await?;
    let dataset = german()?;
    let digest = dataset.digest();
    for position in [0, 8, dataset.bytes().len() / 2, dataset.bytes().len() - 1] {
        let mut bytes = dataset.bytes().to_vec();
        bytes[position] ^= 1;
        let refused = seal(&world, REGISTRAR, ArtefactKind::Dataset, digest, &bytes).await?;
        assert!(matches!(refused, Err(Error::DigestMismatch { .. })), "byte {position}: {refused:?}");
    }
    // The right bytes still seal under that digest.
    let sealed = seal(&world, REGISTRAR, ArtefactKind::Dataset, digest, dataset.bytes()).await?;
    assert_eq!(sealed, Ok(()));
    assert_eq!(world.client(OWNER)?.stats().await?.datasets, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_overlong_and_foreign_bytes_are_refused_with_their_own_digest() -> Result<()> {
    let world = World::start().await?;
    let dataset = german()?;
    let model = linear_model(&dataset, "a model", 1, 8).to_bytes();
    let longer = [dataset.bytes(), &[0]].concat();
    let shorter = &dataset.bytes()[..dataset.bytes().len() - 1];
    for bytes in [longer.as_slice(), shorter, &model, b"ASSAYDS\x02", &[0; 64]] {
        let refused = seal(&world, REGISTRAR, ArtefactKind::Dataset, Digest::of(bytes), bytes).await?;
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    }
    let mut wide = model.clone();
    wide.push(0);
    for bytes in [wide.as_slice(), &model[..model.len() - 1], dataset.bytes()] {
        let refused = seal(&world, OWNER, ArtefactKind::Model, Digest::of(bytes), bytes).await?;
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    }
    let stats = world.client(OWNER)?.stats().await?;
    assert_eq!((stats.datasets, stats.models), (0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_beyond_the_limits_are_refused_before_a_byte_is_sent() -> Result<()> {
    let world = World::start().await?;
    let digest = DigestBytes::from(Digest::of(b"huge"));
    for (person, kind) in [(REGISTRAR, ArtefactKind::Dataset), (OWNER, ArtefactKind::Model)] {
        for size in [0, u64::MAX, kind.max_bytes() + 1] {
            let begin = BeginUpload { kind, digest, size };
            let refused: Answer<UploadStatus> = world.call(person, "begin_upload", begin).await?;
            let expected = matches!(refused, Err(Error::TooLarge { .. } | Error::OutOfRange { .. }));
            assert!(expected, "{size} bytes: {refused:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_upload_goes_on_where_it_stopped() -> Result<()> {
    let world = World::start().await?;
    let dataset = certifier::dataset::read(&repository("datasets/adult"))?;
    let (kind, digest) = (ArtefactKind::Dataset, DigestBytes::from(dataset.digest()));
    let chunk_bytes = interface::CHUNK_BYTES as usize;
    let begin = BeginUpload { kind, digest, size: dataset.bytes().len() as u64 };
    let begun: Answer<UploadStatus> = world.call(REGISTRAR, "begin_upload", begin).await?;
    let chunks = begun.expect("a registrar may begin").chunks;
    assert!(chunks > 2, "the test needs several chunks");
    let first = dataset.bytes()[..chunk_bytes].to_vec();
    let put: Answer<()> =
        world.call(REGISTRAR, "put_chunk", PutChunk { kind, digest, index: 0, bytes: first }).await?;
    assert_eq!(put, Ok(()));
    // A seal with chunks missing says so and keeps what is there.
    let early: Answer<()> = world.call(REGISTRAR, "seal_upload", UploadKey { kind, digest }).await?;
    assert!(matches!(early, Err(Error::Incomplete { .. })), "{early:?}");

    world.upgrade().await?;
    let mut reported = Vec::new();
    let mut progress = |arrived, total| reported.push((arrived, total));
    world.client(REGISTRAR)?.upload(kind, dataset.bytes(), &mut progress).await?;
    assert_eq!(reported.first(), Some(&(chunk_bytes as u64, dataset.bytes().len() as u64)));
    assert_eq!(reported.len(), chunks as usize);
    let bytes = world.client(OWNER)?.download(kind, dataset.digest(), &mut |_, _| ()).await?;
    assert!(bytes == dataset.bytes(), "the canister gives back what was sealed");
    Ok(())
}
