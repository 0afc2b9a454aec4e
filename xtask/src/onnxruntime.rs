//! Puts ONNX Runtime's library below `target/onnxruntime`, where the programs of the build find it.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{program, target};

/// The release that figures and tests are made with.
const VERSION: &str = "1.32.0";

/// Fetches the release from the Python package of the same name, unless it is there already.
pub fn set_up() -> Result<PathBuf> {
    let folder = target().join("onnxruntime");
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == VERSION) {
        return Ok(folder);
    }
    let _ = fs::remove_dir_all(&folder);
    let wheel = folder.join("wheel");
    fs::create_dir_all(&wheel).with_context(|| format!("cannot make {}", wheel.display()))?;
    program("python3")
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary", ":all:", "--dest"])
        .arg(&wheel)
        .arg(format!("onnxruntime=={VERSION}"))
        .run()?;
    let Some(file) = fs::read_dir(&wheel)?.flatten().next() else { bail!("pip has fetched nothing") };
    // A wheel is a ZIP file.
    program("python3").args(["-m", "zipfile", "-e"]).arg(file.path()).arg(&wheel).run()?;
    for entry in fs::read_dir(wheel.join("onnxruntime/capi"))? {
        let entry = entry?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text.starts_with("libonnxruntime") || text.starts_with("onnxruntime") && text.ends_with(".dll") {
            fs::rename(entry.path(), folder.join(&name))?;
        }
    }
    fs::remove_dir_all(&wheel)?;
    fs::write(stamp, VERSION)?;
    Ok(folder)
}
