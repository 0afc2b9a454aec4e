//! Stands between a client and the node, and alters answers.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A forwarding server that flips a bit of the last byte of `needle` wherever an answer holds it.
pub struct Forger {
    /// Where clients reach it.
    pub url: String,
    forged: Arc<AtomicUsize>,
}

impl Forger {
    /// Starts in front of the node at `url`.
    pub async fn start(url: &str, needle: Vec<u8>) -> Result<Self> {
        let node = url.strip_prefix("http://").context("the node speaks HTTP")?.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let forged = Arc::new(AtomicUsize::new(0));
        let counter = forged.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (node, needle, forged) = (node.clone(), needle.clone(), counter.clone());
                tokio::spawn(async move {
                    // A connection that breaks is the client's to notice.
                    let _ = forward(client, &node, &needle, &forged).await;
                });
            }
        });
        Ok(Self { url, forged })
    }

    /// How many answers were altered.
    pub fn forged(&self) -> usize {
        self.forged.load(Ordering::SeqCst)
    }
}

async fn forward(client: TcpStream, node: &str, needle: &[u8], forged: &AtomicUsize) -> Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_node, mut to_node) = TcpStream::connect(node).await?.into_split();
    let asking = async { tokio::io::copy(&mut from_client, &mut to_node).await.map(drop) };
    let answering = async {
        let mut buffer = vec![0; 1 << 20];
        loop {
            let length = from_node.read(&mut buffer).await?;
            let Some(answer) = buffer.get_mut(..length).filter(|answer| !answer.is_empty()) else { break };
            if let Some(at) = answer.windows(needle.len()).position(|window| window == needle) {
                answer[at + needle.len() - 1] ^= 1;
                forged.fetch_add(1, Ordering::SeqCst);
            }
            to_client.write_all(answer).await?;
        }
        to_client.shutdown().await
    };
    tokio::select! {
        ended = asking => ended?,
        ended = answering => ended?,
    }
    Ok(())
}
