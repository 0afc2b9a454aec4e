//! Takes the pictures of the README: `cargo xtask screenshots`.

use anyhow::Result;
use tests::showcase::Showcase;

#[tokio::main]
async fn main() -> Result<()> {
    Showcase::start().await?.run("screenshots.mjs", "docs/screenshots").await
}
