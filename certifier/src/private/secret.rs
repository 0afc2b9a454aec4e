use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use prover::{ModelSecret, Randomness};

use tempfile::NamedTempFile;

use super::PrivateError;

/// First line of a secret's file.
const SECRET_HEADER: &str = "assay model secret 1";
/// Longest file with a secret that is read, in bytes.
const MAX_SECRET: u64 = 1024;

/// Where a model's secret lies, unless it is said otherwise: beside the model.
pub fn secret_path(model: &Path) -> PathBuf {
    model.with_extension("assay-secret")
}

/// Where a model's package lies, unless it is said otherwise: beside the model.
pub fn package_path(model: &Path) -> PathBuf {
    model.with_extension("assay-package")
}

/// Makes a secret in a new file with mode 0600, or reads an existing one.
pub fn secret(path: &Path) -> Result<ModelSecret, PrivateError> {
    if path.exists() {
        return read_secret(path);
    }
    let failed = |cause| PrivateError::Write { path: path.to_owned(), cause };
    let seed = Randomness::fresh()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    writeln!(file, "{SECRET_HEADER}\n{}", hex::encode(seed))
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    Ok(ModelSecret::new(seed))
}

/// Reads a secret that only its owner can read.
pub fn read_secret(path: &Path) -> Result<ModelSecret, PrivateError> {
    #[cfg(unix)]
    {
        let failed = |cause| PrivateError::Read { path: path.to_owned(), cause };
        let metadata = fs::metadata(path).map_err(failed)?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(PrivateError::Exposed { path: path.to_owned(), mode });
        }
    }
    let text = String::from_utf8_lossy(&read(path, MAX_SECRET)?).into_owned();
    let seed = text.strip_prefix(SECRET_HEADER).and_then(|rest| hex::decode(rest.trim()).ok());
    let seed = seed.and_then(|seed| <[u8; 32]>::try_from(seed).ok());
    seed.map(ModelSecret::new).ok_or_else(|| PrivateError::NotASecret(path.to_owned()))
}

/// Writes a file whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), PrivateError> {
    let failed = |cause| PrivateError::Write { path: path.to_owned(), cause };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        file.as_file().set_permissions(mode).map_err(failed)?;
    }
    file.persist(path).map(drop).map_err(|cause| failed(cause.error))
}

/// Reads a file of bounded size.
pub fn read(path: &Path, max: u64) -> Result<Vec<u8>, PrivateError> {
    let failed = |cause| PrivateError::Read { path: path.to_owned(), cause };
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(max + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > max {
        return Err(failed(io::Error::other(format!("it has more than {max} bytes"))));
    }
    Ok(bytes)
}
