//! Builds the canister's wasm as it is deployed: public Candid metadata inside, no path of this machine.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use flate2::{Compression, write::GzEncoder};

use crate::command;

const TARGET: &str = "wasm32-unknown-unknown";

/// Largest wasm that one install message carries next to its argument.
const MAX_INSTALL_BYTES: usize = (2 << 20) - 500;

/// Where [`build`] puts the module, gzipped as it is installed.
pub fn module() -> PathBuf {
    command::target().join("canister/verifier.wasm.gz")
}

/// Builds the module and returns its path, [`module`]. The same sources give the same bytes.
pub fn build() -> Result<PathBuf> {
    add_wasm_target()?;
    command::cargo([
        "build",
        "--locked",
        "--package",
        "canister",
        "--profile",
        "canister",
        "--target",
        TARGET,
    ])
    .args(["--config", &remapped_paths()])
    .run()?;
    let built = command::target().join(TARGET).join("canister/canister.wasm");
    let mut wasm = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
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
    let path = module();
    fs::create_dir_all(command::target().join("canister"))?;
    fs::write(&path, &zipped)?;
    eprintln!("{}: {} bytes, {} unpacked", path.display(), zipped.len(), wasm.len());
    Ok(path)
}

fn add_wasm_target() -> Result<()> {
    let sysroot = std::process::Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--print", "sysroot"])
        .output()
        .context("cannot start rustc")?;
    let sysroot = String::from_utf8(sysroot.stdout)?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).exists() {
        return Ok(());
    }
    if command::program("rustup").args(["target", "add", TARGET]).run().is_err() {
        bail!("the Rust target {TARGET} is missing; install it with your distribution's or rustup's means");
    }
    Ok(())
}

/// Rust flags that replace this machine's paths, so that everyone builds the same bytes.
fn remapped_paths() -> String {
    let home = env::var("HOME").unwrap_or_default();
    let cargo = env::var("CARGO_HOME").unwrap_or_else(|_| format!("{home}/.cargo"));
    let root = command::root();
    let flags = [(cargo.as_str(), "cargo"), (&root.to_string_lossy(), "assay")]
        .map(|(from, to)| format!("\"--remap-path-prefix={from}={to}\""));
    format!("target.{TARGET}.rustflags=[{}]", flags.join(","))
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
