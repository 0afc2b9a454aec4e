//! Builds the canister's wasm as it is deployed: public Candid metadata inside, no path of this machine.

use std::{fs, io::Write as _, path::PathBuf};

use anyhow::{Result, ensure};
use flate2::{Compression, write::GzEncoder};

use crate::{command, wasm, web};

/// Largest wasm that one install message carries next to its argument.
const MAX_INSTALL_BYTES: usize = (2 << 20) - 500;

/// Where [`build`] puts the module, gzipped as it is installed.
pub fn module() -> PathBuf {
    command::target().join("canister/verifier.wasm.gz")
}

/// Builds the module and returns its path, [`module`]. The same sources give the same bytes.
pub fn build() -> Result<PathBuf> {
    // The canister serves the checker to browsers.
    let assets = web::build()?;
    let mut wasm = wasm::build("canister", &[("ASSAY_WEB_ASSETS", assets.as_path())])?;
    let interface = command::root().join("verifier-canister/interface/verifier_canister.did");
    add_custom_section(&mut wasm, "icp:public candid:service", &fs::read(interface)?);
    let mut zip = GzEncoder::new(Vec::new(), Compression::best());
    zip.write_all(&wasm)?;
    let zipped = zip.finish()?;
    ensure!(
        zipped.len() <= MAX_INSTALL_BYTES,
        "the gzipped wasm has {} bytes, one message carries {MAX_INSTALL_BYTES}",
        zipped.len()
    );
    wasm::folder("canister")?;
    let path = module();
    fs::write(&path, &zipped)?;
    eprintln!("{}: {} bytes, {} unpacked", path.display(), zipped.len(), wasm.len());
    Ok(path)
}

/// Appends a wasm custom section.
fn add_custom_section(wasm: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut body = leb128(name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(content);
    wasm.push(0);
    wasm.extend(leb128(body.len()));
    wasm.extend(body);
}

fn leb128(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
