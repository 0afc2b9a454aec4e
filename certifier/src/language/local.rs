//! A language model on this computer: an ONNX file and its tokenizer.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};

use audit::{
    Digest,
    language::{Answer, ItemSet, LocalFacts, MAX_ERROR, likelihood::MAX_LIKELIHOOD},
    log::RuntimeFacts,
};
use runtime::{LanguageModel, Request, RuntimeError};

use super::{LanguageRunError, Progress, calls::Calls, reply::shortened};
use crate::{dataset::read_bounded, log::runtime_facts};

/// Longest ONNX file, in bytes: what one protobuf message can hold.
const MAX_FILE: u64 = 2 << 30;
/// Longest tokenizer, in bytes.
const MAX_TOKENIZER: u64 = 64 << 20;
/// What a tokenizer's file is called.
const TOKENIZER: &str = "tokenizer.json";
/// So many first calls without an answer end a run.
const HOPELESS: u64 = 8;
/// Likelihoods are told in millionths.
pub(super) const MILLION: f64 = 1e6;

/// The files of a local model.
pub struct LocalFiles {
    file: Vec<u8>,
    tokenizer: Vec<u8>,
}

/// Why a prompt has no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// The text cannot be run; others can.
    Text(RuntimeError),
    /// Nothing can.
    Model(RuntimeError),
}

/// A local model, ready to run.
pub struct Local {
    facts: LocalFacts,
    /// Running changes nothing that can be seen from outside.
    model: RefCell<LanguageModel>,
    threads: Option<u32>,
}

impl LocalFiles {
    /// Reads both files. The tokenizer is looked for beside the ONNX file and one folder above, where exports have it.
    pub fn read(file: &Path, tokenizer: Option<&Path>) -> Result<Self, LanguageRunError> {
        let beside = file.parent().unwrap_or(Path::new("")).join(TOKENIZER);
        let above = file.parent().unwrap_or(Path::new("")).join("..").join(TOKENIZER);
        let found: PathBuf = match tokenizer {
            Some(path) => path.to_owned(),
            None if !beside.exists() && above.exists() => above,
            None => beside,
        };
        let read = |path: &Path, max| read_bounded(path, max).map_err(LanguageRunError::LocalFile);
        Ok(Self { file: read(file, MAX_FILE)?, tokenizer: read(&found, MAX_TOKENIZER)? })
    }

    /// What is said of them.
    pub fn facts(&self, name: &str, before: &str, after: &str) -> LocalFacts {
        LocalFacts {
            name: name.to_owned(),
            file: Digest::of(&self.file),
            tokenizer: Digest::of(&self.tokenizer),
            before: before.to_owned(),
            after: after.to_owned(),
        }
    }

    /// Loads the model that these facts are about; fails where the files are others.
    pub fn load(self, facts: &LocalFacts, request: &Request) -> Result<Local, LanguageRunError> {
        let given = self.facts(&facts.name, &facts.before, &facts.after);
        for (what, expected, got) in
            [("ONNX file", facts.file, given.file), ("tokenizer", facts.tokenizer, given.tokenizer)]
        {
            if expected != got {
                return Err(LanguageRunError::OtherFile { what, expected, got });
            }
        }
        let model = LanguageModel::open(&self.file, &self.tokenizer, request)?;
        Ok(Local { facts: given, model: RefCell::new(model), threads: request.threads })
    }
}

impl Local {
    /// What it is.
    pub fn facts(&self) -> &LocalFacts {
        &self.facts
    }

    /// What runs it.
    pub fn runtime(&self) -> RuntimeFacts {
        runtime_facts(self.model.borrow().facts(), 1, self.threads)
    }

    /// Runs what is left. Ends when the first calls all fail: then the rest of the log would become failures too.
    pub(super) fn all(&self, calls: &mut Calls<'_>) -> Result<(), LanguageRunError> {
        for place in calls.left() {
            let (row, prompt) = calls.asked(place)?;
            match self.answer(calls.job.set, row, &prompt) {
                Ok(answer) => calls.note(place, Some(answer), Vec::new())?,
                Err(NoAnswer::Model(cause)) => return Err(cause.into()),
                Err(NoAnswer::Text(cause)) => {
                    calls.note(place, None, vec![shortened(&cause.to_string(), MAX_ERROR).to_owned()])?;
                    let Progress { done, failed, total, .. } = calls.state;
                    if failed == done && failed >= HOPELESS.min(total) {
                        return Err(cause.into());
                    }
                }
            }
        }
        Ok(())
    }

    /// A prompt with what stands before and behind it: all but the letter.
    pub fn text(&self, prompt: &str) -> String {
        format!("{}{prompt}{}", self.facts.before, self.facts.after)
    }

    /// The tokens of a prompt's text, as the tokenizer writes them.
    pub fn pieces(&self, prompt: &str) -> Result<Vec<String>, LanguageRunError> {
        Ok(self.model.borrow().pieces(&self.text(prompt))?)
    }

    /// How likely it finds each option of an item behind a prompt.
    pub fn answer(&self, set: &ItemSet, item: u32, prompt: &str) -> Result<Answer, NoAnswer> {
        let options = set.item(item).map_or(0, |item| item.options.len());
        let letters: Vec<String> = ('A'..='Z').take(options).map(String::from).collect();
        let text = self.text(prompt);
        let mut model = self.model.borrow_mut();
        let found = model.likelihoods(&text, &letters).or_else(|cause| match cause {
            // The runtime says the same of a text that is too long for the model and of a device that lost its memory.
            RuntimeError::NotRun { .. } => model.likelihoods(&text, &letters),
            _ => Err(cause),
        });
        match found {
            Ok(found) => Ok(Answer::of_likelihoods(found.into_iter().map(millionths).collect())),
            Err(cause @ RuntimeError::NotRun { .. }) => match model.probe() {
                Ok(()) => Err(NoAnswer::Text(cause)),
                Err(cause) => Err(NoAnswer::Model(cause)),
            },
            Err(cause @ RuntimeError::NotLanguage(_)) => Err(NoAnswer::Model(cause)),
            Err(cause) => Err(NoAnswer::Text(cause)),
        }
    }
}

/// A likelihood in millionths, the nearest whole number.
fn millionths(likelihood: f64) -> i64 {
    (likelihood * MILLION).round().clamp(-(MAX_LIKELIHOOD as f64), 0.0) as i64
}
