//! Execution providers of ONNX Runtime other than the CPU's, on the command line: a process loads one library only.
//!
//! OpenVINO computes on the CPU. WebGPU needs a graphics driver; the software one that comes with Chromium will do, and
//! where there is no Chromium WebGPU is left out. The libraries lie where `cargo xtask test` puts them.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

/// Where Debian and others put what belongs to Chromium.
const BROWSERS: [&str; 2] = ["/usr/lib/chromium", "/opt/google/chrome"];

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The library of a device, beside the programs' folder.
fn library(device: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_assay")).ancestors().nth(2).unwrap();
    let folder = folder.join(format!("onnxruntime-{device}"));
    let files = fs::read_dir(&folder);
    let files = files.unwrap_or_else(|_| panic!("run `cargo xtask onnx-runtime --device {device}` first"));
    let mut names = files.map(|file| file.unwrap().path());
    names.find(|path| path.to_string_lossy().contains("libonnxruntime.so")).unwrap()
}

/// A software driver for Vulkan, with the loader beside it.
fn software_gpu() -> Option<PathBuf> {
    let found =
        BROWSERS.iter().map(Path::new).find(|folder| folder.join("vk_swiftshader_icd.json").is_file());
    found.map(Path::to_owned)
}

/// `assay log run` of a committed model on its dataset.
fn run(model: &str, output: &Path, arguments: &[&str]) -> Output {
    let (dataset, name) = model.split_once('/').unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.args(["log", "run", "--quiet", "--json", "--model"]);
    command.arg(repository(&format!("datasets/{dataset}/models/{name}.onnx")));
    command.arg("--dataset").arg(repository(&format!("datasets/{dataset}"))).arg("-o").arg(output);
    command.args(arguments).env_remove("ORT_DYLIB_PATH");
    if let Some(folder) = software_gpu() {
        command
            .env("LD_LIBRARY_PATH", &folder)
            .env("VK_ICD_FILENAMES", folder.join("vk_swiftshader_icd.json"));
    }
    command.output().unwrap()
}

/// Runs a model that the device can compute, one that it cannot alone, and that one with the CPU's help.
fn computes(device: &str, provider: &str, helped_provider: &str) {
    let folder = tempfile::tempdir().unwrap();
    let library = library(device);
    let on_device = ["--device", device, "--runtime-library", library.to_str().unwrap()];
    let (with_help, alone) = ([&on_device[..], &["--allow-fallback"]].concat(), &on_device[..]);

    for (model, arguments, expected) in [
        ("adult/mlp-64-32", alone, Ok((provider, false))),
        // Some of its operators are none of the device's.
        ("german/mlp-16-8", alone, Err("cannot run this model here")),
        ("german/mlp-16-8", &with_help, Ok((helped_provider, true))),
    ] {
        let name = format!("{}-{}", model.replace('/', "-"), arguments.len());
        let (log, cpu) = (folder.path().join(&name), folder.path().join(format!("{name}-cpu")));
        let output = run(model, &log, arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        let (provider, fallback) = match expected {
            Ok(facts) => facts,
            Err(message) => {
                assert_eq!(output.status.code(), Some(1), "{errors}");
                assert!(errors.contains(&format!("{device} {message}")), "{errors}");
                assert!(errors.contains("--allow-fallback"), "{errors}");
                assert!(!log.exists(), "a refused run leaves a folder");
                continue;
            }
        };
        assert!(output.status.success(), "{model}: {errors}");
        let facts: Value = serde_json::from_slice(&fs::read(log.join("run.json")).unwrap()).unwrap();
        assert_eq!(facts["runtime"]["provider"], provider, "{model}");
        assert_eq!(facts["runtime"]["fallback"], json!(fallback), "{model}");

        assert!(run(model, &cpu, &["--device", "cpu"]).status.success());
        let counters = |log: &Path| fs::read(log.join("counters.json")).unwrap();
        assert_eq!(counters(&log), counters(&cpu), "{model} decides otherwise on {device}");
    }
}

#[test]
fn openvino_computes_and_says_so() {
    // It cannot take a shape that the file leaves open, so the CPU computes all of the helped model.
    computes("openvino", "OpenVINOExecutionProvider", "CPUExecutionProvider");
}

#[test]
fn webgpu_computes_and_says_so() {
    if software_gpu().is_none() {
        assert!(env::var_os("CI").is_none(), "there is no Chromium with a software driver");
        eprintln!("there is no Chromium with a software driver: WebGPU is not tested");
        return;
    }
    computes("webgpu", "WebGpuExecutionProvider", "WebGpuExecutionProvider");
}
