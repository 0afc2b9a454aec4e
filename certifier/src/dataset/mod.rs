//! Reads a dataset folder: a Croissant manifest with an `assay:audit` block, and the table it describes.
//!
//! The manifest says what the rows mean; its exact bytes become part of the dataset, so a dataset's digest covers
//! the encoding, the group rules and the favourable class too. Numbers stay decimal: nothing here is a float.

mod error;
mod manifest;
mod rule;
mod table;

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use audit::Dataset;

pub use error::{CellProblem, DatasetError, HeaderProblem, ManifestProblem};

/// Name of the manifest in a dataset folder.
pub const MANIFEST_NAME: &str = "croissant.json";
/// Longest table, in bytes.
pub const MAX_TABLE: u64 = 256 << 20;
/// Longest field of a table, in bytes.
pub const MAX_FIELD: usize = 1024;

/// Reads a dataset folder, or the manifest in it, and checks every row.
pub fn read(path: &Path) -> Result<Dataset, DatasetError> {
    let manifest_path = manifest_path(path);
    let manifest = read_bounded(&manifest_path, audit::schema::MAX_MANIFEST.into())?;
    let plan = manifest::parse(&manifest_path, manifest)?;
    let table_path = manifest_path.with_file_name(&plan.file);
    let table = read_bounded(&table_path, MAX_TABLE)?;
    table::encode(&table_path, &table, &manifest_path, plan)
}

fn manifest_path(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(MANIFEST_NAME) } else { path.to_owned() }
}

pub(crate) fn read_bounded(path: &Path, max: u64) -> Result<Vec<u8>, DatasetError> {
    let failed = |cause| DatasetError::Read { path: path.to_owned(), cause };
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(max + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > max {
        return Err(DatasetError::TooLarge { path: path.to_owned(), max });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
