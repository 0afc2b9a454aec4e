//! A caller's key, kept in a PEM file that only its owner can read.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ic_agent::{
    Identity,
    identity::{BasicIdentity, Prime256v1Identity, Secp256k1Identity},
};

/// Longest PEM file that is read, in bytes.
const MAX_PEM: u64 = 16 << 10;
/// PKCS#8 version 1 of an Ed25519 key (RFC 8410), before its 32 bytes.
const PKCS8_ED25519: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Why an identity cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// Others than the owner may read the file.
    #[error("{} is readable by others (mode {mode:03o})", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a private key that the Internet Computer knows.
    #[error("{} holds no Ed25519, secp256k1 or P-256 private key in PEM form", .0.display())]
    NotAKey(PathBuf),
    /// The file cannot be made.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// No randomness.
    #[error("the operating system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

impl IdentityError {
    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Read { path, cause } if cause.kind() == io::ErrorKind::NotFound => {
                format!("make one with `assay identity new {}`", path.display())
            }
            Self::Read { .. } => "check the file's owner and permissions".into(),
            Self::Exposed { path, .. } => {
                format!("`chmod 600 {}`, or make a new one if others could have read it", path.display())
            }
            Self::NotAKey(_) => {
                "make one with `assay identity new FILE`; encrypted keys are not supported".into()
            }
            Self::Write { cause, .. } if cause.kind() == io::ErrorKind::AlreadyExists => {
                "an existing key is never overwritten: choose another name".into()
            }
            Self::Write { .. } => "check that the folder exists and is writable".into(),
            Self::Random(_) => "try again".into(),
        }
    }
}

/// Makes an Ed25519 key and writes it to a new file with mode 0600.
pub fn create(path: &Path) -> Result<Arc<dyn Identity>, IdentityError> {
    let failed = |cause| IdentityError::Write { path: path.to_owned(), cause };
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(IdentityError::Random)?;
    let der = [&PKCS8_ED25519[..], &key].concat();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
    let mut file = create_private(path).map_err(failed)?;
    file.write_all(pem.as_bytes()).map_err(failed)?;
    Ok(Arc::new(BasicIdentity::from_raw_key(&key)))
}

/// Reads a key; refuses a file that others may read.
pub fn load(path: &Path) -> Result<Arc<dyn Identity>, IdentityError> {
    let failed = |cause| IdentityError::Read { path: path.to_owned(), cause };
    let file = File::open(path).map_err(failed)?;
    let mode = permissions(&file.metadata().map_err(failed)?);
    if mode & 0o077 != 0 {
        return Err(IdentityError::Exposed { path: path.to_owned(), mode });
    }
    let mut pem = String::new();
    file.take(MAX_PEM).read_to_string(&mut pem).map_err(failed)?;
    parse(&pem).ok_or_else(|| IdentityError::NotAKey(path.to_owned()))
}

fn parse(pem: &str) -> Option<Arc<dyn Identity>> {
    if let Ok(identity) = BasicIdentity::from_pem(pem) {
        return Some(Arc::new(identity));
    }
    if let Ok(identity) = Secp256k1Identity::from_pem(pem) {
        return Some(Arc::new(identity));
    }
    Prime256v1Identity::from_pem(pem).ok().map(|identity| Arc::new(identity) as Arc<dyn Identity>)
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(unix)]
fn permissions(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o777
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(not(unix))]
fn permissions(_: &fs::Metadata) -> u32 {
    0o600
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_new_key_is_private_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("me.pem");
        let made = create(&path).unwrap().sender().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load(&path).unwrap().sender().unwrap(), made);
        assert!(matches!(create(&path), Err(IdentityError::Write { .. })), "never overwritten");
    }

    #[test]
    fn an_exposed_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("me.pem");
        create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load(&path), Err(IdentityError::Exposed { mode: 0o640, .. })));
    }

    #[test]
    fn something_else_is_not_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("me.pem");
        create_private(&path).unwrap().write_all(b"-----BEGIN CERTIFICATE-----\n").unwrap();
        assert!(matches!(load(&path), Err(IdentityError::NotAKey(_))));
        assert!(matches!(load(folder.path().join("other").as_path()), Err(IdentityError::Read { .. })));
    }
}
