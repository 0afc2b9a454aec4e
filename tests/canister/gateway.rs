//! The canister's pages through an HTTP gateway, which shows only what it has verified.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use audit::Digest;
use tests::{STRANGER, World, linear_model};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An answer: status, headers with small letters, body.
pub struct Answer {
    status: u16,
    pub headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What a browser at `http://<canister>.localhost` gets.
async fn ask(world: &World, method: &str, path: &str) -> Result<Answer> {
    ask_at(world, &format!("{}.localhost", world.canister), method, path).await
}

/// What is passed on without verification.
async fn raw_file(world: &World, path: &str) -> Result<Answer> {
    ask_at(world, &format!("{}.raw.localhost", world.canister), "GET", path).await
}

async fn ask_at(world: &World, host: &str, method: &str, path: &str) -> Result<Answer> {
    let address = world.url().strip_prefix("http://").context("the node speaks HTTP")?;
    let mut connection = TcpStream::connect(address).await?;
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    connection.read_to_end(&mut bytes).await?;
    let end =
        bytes.windows(4).position(|window| window == b"\r\n\r\n").context("there is no end of headers")?;
    let head = std::str::from_utf8(&bytes[..end])?.to_owned();
    let mut lines = head.lines();
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)).context("there is no status")?.parse()?;
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Ok(Answer { status, headers, body: bytes.split_off(end + 4) })
}

/// A page that is there, as the gateway verified it.
pub async fn page(world: &World, path: &str) -> Result<Answer> {
    let answer = ask(world, "GET", path).await?;
    ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text());
    Ok(answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_page_passes_a_gateways_verification() -> Result<()> {
    let world = World::start().await?;
    let dataset = world.register_dataset("german").await?;
    let model = world.register_model(&linear_model(&dataset, "on the web", 1, 8)).await?;
    let certificate = world.certify(model, &dataset, Some(100)).await?;
    let at = format!("/certificate/{certificate}");
    for (path, content) in [
        ("/".to_owned(), "german"),
        ("/about".to_owned(), "<!doctype html>"),
        ("/certificates/0".to_owned(), "on the web"),
        (at.clone(), "on the web"),
        (format!("{at}/badge.svg"), "<svg"),
        (format!("/model/{model}"), "on the web"),
        (format!("/dataset/{}", dataset.digest()), "german"),
        (format!("/dataset/{}/by/accuracy", dataset.digest()), "on the web"),
    ] {
        let answer = page(&world, &path).await?;
        assert!(answer.text().to_lowercase().contains(content), "{path}: {}", answer.text());
        assert!(answer.headers.contains_key("ic-certificate"), "{path}: {:?}", answer.headers);
    }
    let policy = page(&world, &at).await?.headers.remove("content-security-policy");
    assert!(policy.context("a page has a policy")?.contains("default-src 'none'"));

    // The statement is the one that the certificate seals; other bytes are known by their digests.
    let file = world.client(STRANGER)?.certificate(certificate).await?;
    assert_eq!(page(&world, &format!("{at}/body.json")).await?.body, file.body);
    let bytes = raw_file(&world, &format!("/bytes/model/{model}/0")).await?;
    assert_eq!((bytes.status, Digest::of(&bytes.body)), (200, model));
    let found = raw_file(&world, "/search?q=on+the+web").await?;
    assert!(found.text().contains("on the web") && !found.text().contains("<script"));
    // Where the gateway verifies, it certifies that these are not there.
    assert_eq!(ask(&world, "GET", "/search?q=on+the+web").await?.status, 404);

    let missing = ask(&world, "GET", "/nothing/here").await?;
    assert_eq!(missing.status, 404);
    assert!(missing.headers.contains_key("ic-certificate"), "that there is no such page is certified");
    let head = ask(&world, "HEAD", &at).await?;
    assert_eq!((head.status, head.body.len()), (200, 0));
    world.stop().await;
    Ok(())
}
