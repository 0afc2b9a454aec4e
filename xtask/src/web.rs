//! Builds the checker for browsers and JavaScript: the pages' assets, and the npm package.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};

use crate::{command, wasm};

/// Files of the package that the pages use, and what they are called there.
const SHARED: [(&str, &str); 2] = [("index.js", "verify.js"), ("module.js", "module.js")];
/// Files of `web/package` that go into the package besides.
const PACKAGED: [&str; 4] = ["package.json", "README.md", "index.d.ts", "example/verify.mjs"];
/// Files of the pages' own.
const PAGE: [&str; 2] = ["page.js", "worker.js"];
const LICENSES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];
const MODULE: &str = "verify.wasm";

/// Where [`build`] puts the npm package.
pub fn package() -> PathBuf {
    command::target().join("web/package")
}

/// Builds `target/web/assets` and `target/web/package` (ready for `npm pack`); returns the former.
pub fn build() -> Result<PathBuf> {
    let module = wasm::build("web", &[])?;
    let (assets, package) = (wasm::folder("web/assets")?, wasm::folder("web/package")?);
    wasm::folder("web/package/example")?;
    let sources = command::root().join("web");
    for (from, to) in SHARED {
        copy(&sources.join("package").join(from), &assets.join(to))?;
        copy(&sources.join("package").join(from), &package.join(from))?;
    }
    for name in PACKAGED {
        copy(&sources.join("package").join(name), &package.join(name))?;
    }
    for name in PAGE {
        copy(&sources.join("page").join(name), &assets.join(name))?;
    }
    for name in LICENSES {
        copy(&command::root().join(name), &package.join(name))?;
    }
    for folder in [&assets, &package] {
        fs::write(folder.join(MODULE), &module)?;
    }
    let mut zip = GzEncoder::new(Vec::new(), Compression::best());
    zip.write_all(&module)?;
    let zipped = zip.finish()?;
    fs::write(assets.join(MODULE).with_extension("wasm.gz"), &zipped)?;
    eprintln!("{}: {} bytes, {} gzipped", assets.join(MODULE).display(), module.len(), zipped.len());
    Ok(assets)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}
