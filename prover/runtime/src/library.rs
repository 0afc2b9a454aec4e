//! Where ONNX Runtime's library is.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use audit::Digest;

use crate::RuntimeError;

/// A library file.
pub struct Library {
    /// The file, without links.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// The library in this file.
pub fn at(path: &Path) -> Result<Library, RuntimeError> {
    let failed = |cause: io::Error| RuntimeError::Library { path: path.to_owned(), cause };
    let canonical = path.canonicalize().map_err(failed)?;
    let bytes = fs::read(&canonical).map_err(failed)?;
    Ok(Library { path: canonical, digest: Digest::of(&bytes) })
}

/// A library in a folder `onnxruntime` beside this program or up to two folders above, as in a build folder. The
/// working folder does not count: code is not loaded from wherever somebody happens to stand.
pub fn beside_program() -> Option<Library> {
    let program = env::current_exe().ok()?;
    let folders = program.ancestors().skip(1).take(3).map(|folder| folder.join("onnxruntime"));
    folders.filter_map(newest).find_map(|path| at(&path).ok())
}

/// The library in a folder; the one with the last name if there are several.
fn newest(folder: PathBuf) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    files.filter(|path| is_library(path)).max()
}

fn is_library(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with("libonnxruntime.so")
        || name == "onnxruntime.dll"
        || name.starts_with("libonnxruntime.") && name.ends_with(".dylib")
}
