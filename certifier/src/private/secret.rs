use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::Path,
};

use prover::{ModelSecret, Randomness};

use super::PrivateError;

/// First line of a secret's file.
const SECRET_HEADER: &str = "assay model secret 1";
/// Longest file with a secret that is read, in bytes.
const MAX_SECRET: u64 = 1024;

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
