//! The files of a log.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use audit::{
    Digest,
    canonical::{from_canonical_json, to_canonical_json},
    log::{MAX_RECORDS, MAX_SCORES, Record},
};

use super::{LogRunError, Parameters};

/// Longest `run.json` or `counters.json`, in bytes.
const MAX_JSON: u64 = 2 << 20;
/// Longest `records.bin`, in bytes.
const MAX_RECORD_BYTES: u64 = MAX_RECORDS as u64 * Record::LEN as u64;
/// Longest `outputs.bin`, in bytes.
const MAX_OUTPUT_BYTES: u64 = MAX_RECORDS as u64 * MAX_SCORES as u64 * 4;

/// Transcripts of a language model, one a line.
const TRANSCRIPTS: &str = "transcripts.jsonl";
/// Longest `transcripts.jsonl`, in bytes.
const MAX_TRANSCRIPT_BYTES: u64 = 4 << 30;

/// A log's folder.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Begins a log in a new or empty folder, or goes on with one that has the same parameters.
    pub fn begin(&self, parameters: &Parameters) -> Result<(), LogRunError> {
        fs::create_dir_all(&self.0).map_err(LogRunError::file(&self.0))?;
        if self.0.join("run.json").exists() {
            return same(&self.0, &self.parameters()?, parameters);
        }
        let entries = fs::read_dir(&self.0).map_err(LogRunError::file(&self.0))?;
        // A secret alone is left when the first moment of a run was its last.
        if entries.flatten().any(|entry| entry.file_name() != "secret") {
            return Err(LogRunError::NotALog(self.0.clone()));
        }
        self.make_secret()?;
        // The parameters come last: a folder that has them has all that a run needs.
        self.write_file("run.json", &to_canonical_json("parameters", parameters)?)
    }

    pub fn parameters(&self) -> Result<Parameters, LogRunError> {
        let path = self.0.join("run.json");
        if !path.exists() {
            return Err(LogRunError::NotALog(self.0.clone()));
        }
        Ok(from_canonical_json("parameters", MAX_JSON as usize, &read(&path, MAX_JSON)?)?)
    }

    fn make_secret(&self) -> Result<(), LogRunError> {
        let path = self.0.join("secret");
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|cause| LogRunError::file(&path)(cause.into()))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(LogRunError::file(&path))?;
        let text = format!("{}\n", Digest(secret));
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(LogRunError::file(&path))
    }

    pub fn secret(&self) -> Result<[u8; 32], LogRunError> {
        let text = read(&self.0.join("secret"), 128)?;
        let digest: Option<Digest> = String::from_utf8_lossy(&text).trim().parse().ok();
        digest.map(|digest| digest.0).ok_or_else(|| LogRunError::NotALog(self.0.clone()))
    }

    pub fn records(&self) -> Result<Vec<u8>, LogRunError> {
        read(&self.0.join("records.bin"), MAX_RECORD_BYTES)
    }

    pub fn outputs(&self) -> Result<Vec<u8>, LogRunError> {
        read(&self.0.join("outputs.bin"), MAX_OUTPUT_BYTES)
    }

    /// Writes the whole log of a language model: what counts as complete comes last.
    pub fn write_whole(
        &self,
        transcripts: &[u8],
        records: &[u8],
        counters: &[u32],
    ) -> Result<(), LogRunError> {
        self.write_file(TRANSCRIPTS, transcripts)?;
        self.write_file("records.bin", records)?;
        self.write_counters(counters)
    }

    pub fn counters(&self) -> Result<Vec<u32>, LogRunError> {
        let path = self.0.join("counters.json");
        Ok(from_canonical_json("counters", MAX_JSON as usize, &read(&path, MAX_JSON)?)?)
    }

    pub fn write_counters(&self, counters: &[u32]) -> Result<(), LogRunError> {
        self.write_file("counters.json", &to_canonical_json("counters", &counters)?)
    }

    fn write_file(&self, name: &str, bytes: &[u8]) -> Result<(), LogRunError> {
        crate::private::write(&self.0.join(name), bytes)
            .map_err(|cause| LogRunError::file(&self.0.join(name))(std::io::Error::other(cause.to_string())))
    }

    /// Opens both files for appending, so that no other process does.
    pub fn appender(&self) -> Result<Appender, LogRunError> {
        let open = |name| {
            let path = self.0.join(name);
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
            file.map_err(LogRunError::file(&path))
        };
        let (records, outputs) = (open("records.bin")?, open("outputs.bin")?);
        match records.try_lock() {
            Ok(()) => Ok(Appender { folder: self.0.clone(), records, outputs }),
            Err(TryLockError::WouldBlock) => Err(LogRunError::Busy(self.0.clone())),
            Err(TryLockError::Error(cause)) => Err(LogRunError::file(&self.0)(cause)),
        }
    }
}

/// The outputs of a complete log, by place.
pub struct Outputs {
    bytes: Vec<u8>,
    /// Bytes of each where all have equally many; else each ends with a line break, which is not part of it.
    width: Option<usize>,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl Outputs {
    pub fn read(folder: &Folder, parameters: &Parameters) -> Result<Self, LogRunError> {
        if parameters.language.is_none() {
            let width = Some(4 * parameters.scores as usize);
            return Ok(Self { bytes: folder.outputs()?, width, ends: Vec::new() });
        }
        let bytes = read(&folder.0.join(TRANSCRIPTS), MAX_TRANSCRIPT_BYTES)?;
        let breaks = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let ends = breaks.map(|(at, _)| at).collect();
        Ok(Self { bytes, width: None, ends })
    }

    pub fn get(&self, at: usize) -> Option<&[u8]> {
        match self.width {
            Some(width) => self.bytes.get(width * at..width * (at + 1)),
            None => {
                let before = at
                    .checked_sub(1)
                    .map(|before| self.ends.get(before))
                    .map_or(Some(0), |end| Some(end? + 1));
                self.bytes.get(before?..*self.ends.get(at)?)
            }
        }
    }
}

/// Both files of a log, locked.
pub struct Appender {
    folder: PathBuf,
    records: File,
    outputs: File,
}

impl Appender {
    /// Cuts off what a crash left of a batch, and returns how many predictions remain. Only whole batches do, so that
    /// a run that was interrupted asks the model for the same batches as one that was not.
    pub fn recover(&mut self, width: u64, batch: u32, all: u32) -> Result<u32, LogRunError> {
        let length =
            |file: &File| file.metadata().map(|data| data.len()).map_err(LogRunError::file(&self.folder));
        let records = length(&self.records)? / Record::LEN as u64;
        let outputs = length(&self.outputs)?.checked_div(width).unwrap_or(records);
        let written = records.min(outputs).min(all.into());
        let whole = if written == u64::from(all) { written } else { written - written % u64::from(batch) };
        for (file, length) in
            [(&mut self.records, whole * Record::LEN as u64), (&mut self.outputs, whole * width)]
        {
            file.set_len(length)
                .and_then(|()| file.seek(SeekFrom::Start(length)))
                .map_err(LogRunError::file(&self.folder))?;
        }
        Ok(whole as u32)
    }

    /// Appends a batch; it is on the disk when this returns. Records come last: each one has its output.
    pub fn append(&mut self, records: &[u8], outputs: &[u8]) -> Result<(), LogRunError> {
        for (file, bytes) in [(&mut self.outputs, outputs), (&mut self.records, records)] {
            if !bytes.is_empty() {
                file.write_all(bytes)
                    .and_then(|()| file.sync_data())
                    .map_err(LogRunError::file(&self.folder))?;
            }
        }
        Ok(())
    }
}

pub fn read(path: &Path, max: u64) -> Result<Vec<u8>, LogRunError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(LogRunError::file(path))?;
    file.take(max + 1).read_to_end(&mut bytes).map_err(LogRunError::file(path))?;
    if bytes.len() as u64 > max {
        let cause = std::io::Error::other(format!("it has more than {max} bytes"));
        return Err(LogRunError::file(path)(cause));
    }
    Ok(bytes)
}

/// Fails with the first field that differs.
fn same(folder: &Path, was: &Parameters, now: &Parameters) -> Result<(), LogRunError> {
    if was == now {
        return Ok(());
    }
    let values = |parameters| serde_json::to_value(parameters).unwrap_or_default();
    let Changed { field, was, now } = first_change(&values(was), &values(now));
    Err(LogRunError::OtherRun { folder: folder.to_owned(), field, was, now })
}

/// Where two documents differ first.
pub struct Changed {
    /// The member's path.
    pub field: String,
    /// Its value in the one, shortened.
    pub was: String,
    /// In the other.
    pub now: String,
}

/// The first member that differs between two documents.
pub fn first_change(was: &serde_json::Value, now: &serde_json::Value) -> Changed {
    let (field, was, now) = difference(was, now);
    let short = |value: serde_json::Value| {
        let text = value.to_string();
        if text.len() <= 200 { text } else { format!("{}…", text.chars().take(200).collect::<String>()) }
    };
    Changed { field, was: short(was), now: short(now) }
}

impl Folder {
    /// That the run has not ended, with so many predictions made.
    pub fn incomplete(&self, expected: u32, got: u32) -> LogRunError {
        let journal = fs::read(self.path().join("journal.jsonl")).ok();
        let calls = journal.map(|lines| lines.iter().filter(|&&byte| byte == b'\n').count() as u64);
        LogRunError::Incomplete { folder: self.path().to_owned(), expected, got, calls }
    }
}

/// The first member that differs, and both values; for a model's and a dataset's name with digest, all of it.
fn difference(
    was: &serde_json::Value,
    now: &serde_json::Value,
) -> (String, serde_json::Value, serde_json::Value) {
    let (mut path, mut was, mut now) = (String::new(), was, now);
    while let (Some(old), Some(new)) = (was.as_object(), now.as_object()) {
        let names = old.keys().chain(new.keys());
        let Some(name) = names.into_iter().find(|name| old.get(*name) != new.get(*name)) else { break };
        path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let null = &serde_json::Value::Null;
        (was, now) = (old.get(name).unwrap_or(null), new.get(name).unwrap_or(null));
        // Only what is nested twice is shown by its parts.
        if !path.starts_with("language") {
            break;
        }
    }
    (path, was.clone(), now.clone())
}
