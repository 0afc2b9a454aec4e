//! What was answered so far, one call a line.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions, TryLockError},
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use audit::{
    Digest,
    canonical::{from_canonical_json, to_canonical_json},
    language::{Call, ItemSet, MAX_TRANSCRIPT, Parsed},
};
use serde::{Deserialize, Serialize};

use super::LanguageRunError;
use crate::log::LogRunError;

const NAME: &str = "journal.jsonl";

/// A call's place: the record's in the log, and the variant.
pub type Place = (u32, u32);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    index: u32,
    variant: u32,
    call: Call,
}

/// The journal of a folder, locked against other processes.
pub struct Journal {
    file: File,
    path: std::path::PathBuf,
    synced: Instant,
}

impl Journal {
    /// Opens a folder's journal and reads what it has. A last line without its end is cut off: a crash wrote it.
    pub fn open(
        folder: &Path,
        set: &ItemSet,
        rows: &[u32],
        seed: &Digest,
    ) -> Result<(Self, BTreeMap<Place, Call>), LanguageRunError> {
        let path = folder.join(NAME);
        let failed = |cause| LogRunError::File { path: path.clone(), cause };
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LogRunError::Busy(folder.to_owned()).into()),
            Err(TryLockError::Error(cause)) => return Err(failed(cause).into()),
        }
        let (mut calls, mut whole) = (BTreeMap::new(), 0);
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read =
                reader.by_ref().take(MAX_TRANSCRIPT as u64).read_until(b'\n', &mut line).map_err(failed)?;
            let Some(text) = line.strip_suffix(b"\n") else { break };
            whole += read as u64;
            let damaged = || LogRunError::Damaged { folder: folder.to_owned(), index: calls.len() as u32 };
            let Line { index, variant, call } =
                from_canonical_json("journal", MAX_TRANSCRIPT, text).map_err(|_| damaged())?;
            let row = rows.get(index as usize).copied().ok_or_else(damaged)?;
            let parsed = call.answer.as_ref().map_or(Parsed::Failed, |answer| answer.parse(set, seed, row));
            let prompt = set.prompt(seed, row, variant as usize);
            if prompt.as_ref() != Some(&call.prompt) || parsed != call.parsed {
                return Err(damaged().into());
            }
            // Only a call that failed is asked again.
            let before = calls.insert((index, variant), call);
            if before.is_some_and(|before: Call| before.answer.is_some()) {
                return Err(LogRunError::Damaged { folder: folder.to_owned(), index }.into());
            }
        }
        drop(reader);
        file.set_len(whole).and_then(|()| file.seek(SeekFrom::Start(whole))).map_err(failed)?;
        Ok((Self { file, path, synced: Instant::now() }, calls))
    }

    /// Appends a call. Unless it may be lost for so long when the power goes, it is on the disk when this returns.
    pub fn append(
        &mut self,
        (index, variant): Place,
        call: &Call,
        may_be_lost: Duration,
    ) -> Result<(), LanguageRunError> {
        let mut line = to_canonical_json("journal", &Line { index, variant, call: call.clone() })?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|cause| self.failed(cause))?;
        if self.synced.elapsed() < may_be_lost { Ok(()) } else { self.sync() }
    }

    /// Returns once everything is on the disk.
    pub fn sync(&mut self) -> Result<(), LanguageRunError> {
        self.file.sync_data().map_err(|cause| self.failed(cause))?;
        self.synced = Instant::now();
        Ok(())
    }

    fn failed(&self, cause: std::io::Error) -> LanguageRunError {
        LogRunError::File { path: self.path.clone(), cause }.into()
    }
}
