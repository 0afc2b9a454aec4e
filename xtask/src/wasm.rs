//! Builds a package of the workspace as wasm: the same sources give the same bytes on every machine.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::command;

const TARGET: &str = "wasm32-unknown-unknown";

/// Builds `package` with the profile of its name and returns the module; `variables` are set meanwhile.
pub fn build(package: &str, variables: &[(&str, &Path)]) -> Result<Vec<u8>> {
    add_wasm_target()?;
    let cargo =
        command::cargo(["build", "--locked", "--package", package, "--profile", package, "--target", TARGET])
            .args(["--config", &remapped_paths()]);
    variables.iter().fold(cargo, |cargo, (name, value)| cargo.env(name, value)).run()?;
    let built = command::target().join(TARGET).join(package).join(package).with_extension("wasm");
    fs::read(&built).with_context(|| format!("cannot read {}", built.display()))
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

/// A folder of the build, for what is made of modules.
pub fn folder(path: &str) -> Result<PathBuf> {
    let folder = command::target().join(path);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}
