//! `cargo xtask test`: everything that must hold before a change lands.

use std::{env, time::Instant};

use anyhow::Result;
use clap::ValueEnum;

use crate::{
    canister, clients,
    command::{self, cargo},
    onnxruntime::{self, Build},
    web,
};

/// One step of `cargo xtask test`, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Step {
    /// `cargo fmt --check`
    Format,
    /// The canister's wasm, and the checker's with the npm package
    Canister,
    /// `clippy -D warnings`, native and wasm; the fuzz targets compile
    Lints,
    /// Install the clients that the tests drive
    Clients,
    /// Unit and end-to-end tests
    Tests,
    /// `rustdoc -D warnings`
    Docs,
}

/// Runs `only`, or every step; stops at the first failure.
pub fn run(only: &[Step]) -> Result<()> {
    let mut times = Vec::new();
    for &step in Step::value_variants() {
        if only.is_empty() || only.contains(&step) {
            let start = Instant::now();
            run_step(step)?;
            times.push(format!("{step:?} {} s", start.elapsed().as_secs()));
        }
    }
    eprintln!("all checks passed: {}", times.join(", "));
    Ok(())
}

fn run_step(step: Step) -> Result<()> {
    match step {
        Step::Format => cargo(["fmt", "--all", "--check"]).run(),
        Step::Canister => canister::build().map(drop),
        Step::Lints => {
            cargo(["clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"])
                .run()?;
            for package in ["canister", "web"] {
                let wasm = ["clippy", "--quiet", "--locked", "--package", package, "--profile", package];
                cargo(wasm).args(["--target", "wasm32-unknown-unknown", "--", "-D", "warnings"]).run()?;
            }
            // A package of its own, which would otherwise be left behind; running it needs a nightly compiler.
            let fuzz = ["check", "--quiet", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target-dir"];
            cargo(fuzz).arg(command::target().join("fuzz")).run()
        }
        Step::Clients => {
            clients::set_up()?;
            clients::browser()?;
            runtimes()
        }
        Step::Tests => {
            let wasm = canister::module();
            runtimes()?;
            clients::told(cargo(["test", "--quiet", "--locked", "--workspace"]))?
                .env("ASSAY_WASM", &wasm)
                .env("ASSAY_WEB", web::package())
                .run()?;
            if env::var_os("POCKET_IC_BIN").is_none() {
                eprintln!("POCKET_IC_BIN is not set: the main path is not tested on PocketIC");
                return Ok(());
            }
            cargo(["test", "--quiet", "--manifest-path", "tests/pocket-ic/Cargo.toml"])
                .env("ASSAY_WASM", wasm)
                .run()
        }
        Step::Docs => cargo(["doc", "--quiet", "--locked", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings")
            .run(),
    }
}

/// The builds of ONNX Runtime that the tests load.
fn runtimes() -> Result<()> {
    onnxruntime::set_up(Build::Cpu)?;
    // The packages of the others exist for some machines only; `certifier/tests/devices.rs` knows the same ones.
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        onnxruntime::set_up(Build::Openvino)?;
        onnxruntime::set_up(Build::Webgpu)?;
    }
    Ok(())
}
