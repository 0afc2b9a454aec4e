//! The state directory: what a node needs to go on after a restart or a crash.
//!
//! | File | Content |
//! |---|---|
//! | `lock` | held by the node that uses the directory |
//! | `state` | one record of everything small, and for each memory the places of its pages; replaced by renaming |
//! | `pages` | pages of heaps and stable memories, 4096 bytes per slot |
//! | `blobs/<SHA-256>` | modules and chunks |
//!
//! A slot or blob that the current `state` refers to is never overwritten: a checkpoint writes changed pages to
//! free slots, makes them durable, and then replaces `state`. Whatever instant a crash picks, one complete state
//! is there.

mod load;
mod record;
mod save;
mod saver;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::NodeError;

pub(crate) use saver::Saver;

/// Version of the files.
const FORMAT: u32 = 1;
/// First bytes of `state`.
const MAGIC: &[u8; 8] = b"localnet";

/// An opened state directory.
pub(crate) struct Disk {
    directory: PathBuf,
    pages: File,
    _lock: File,
    saved: save::Saved,
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> NodeError {
    let path = path.to_owned();
    move |source| NodeError::Io { action, path, source }
}

impl Disk {
    /// Opens the directory, creating what is missing.
    ///
    /// # Errors
    ///
    /// When another node uses it, or it cannot be written.
    pub(crate) fn open(directory: &Path) -> Result<Self, NodeError> {
        let blobs = directory.join("blobs");
        std::fs::create_dir_all(&blobs).map_err(io("create", &blobs))?;
        let path = directory.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(io("open", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NodeError::Locked(directory.to_owned())),
            Err(TryLockError::Error(error)) => return Err(io("lock", &path)(error)),
        }
        let path = directory.join("pages");
        let pages = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let pages = pages.map_err(io("open", &path))?;
        Ok(Disk { directory: directory.to_owned(), pages, _lock: lock, saved: save::Saved::default() })
    }

    fn state_path(&self) -> PathBuf {
        self.directory.join("state")
    }

    fn blob_path(&self, hash: &[u8]) -> PathBuf {
        self.directory.join("blobs").join(hex::encode(hash))
    }
}

/// Writes a file so that after a crash it is either the old or the new one.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), NodeError> {
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary).map_err(io("create", &temporary))?;
    file.write_all(bytes).map_err(io("write", &temporary))?;
    file.sync_all().map_err(io("write", &temporary))?;
    std::fs::rename(&temporary, path).map_err(io("rename", &temporary))?;
    if let Some(directory) = path.parent() {
        let opened = File::open(directory).map_err(io("open", directory))?;
        opened.sync_all().map_err(io("write", directory))?;
    }
    Ok(())
}
