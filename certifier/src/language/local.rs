//! A language model on this computer: an ONNX file and its tokenizer.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};

use audit::{
    Digest,
    language::{
        Answer, Call, ItemSet, LanguageFacts, LocalFacts, MAX_ERROR, Parsed, Transcript,
        likelihood::MAX_LIKELIHOOD,
    },
    log::{Openings, RuntimeFacts},
};
use runtime::{LanguageModel, Request};

use super::{LanguageRunError, reply::shortened};
use crate::{dataset::read_bounded, log::Difference};

/// Longest ONNX file, in bytes: what one protobuf message can hold.
const MAX_FILE: u64 = 2 << 30;
/// Longest tokenizer, in bytes.
const MAX_TOKENIZER: u64 = 64 << 20;
/// What a tokenizer's file is called.
const TOKENIZER: &str = "tokenizer.json";
/// Likelihoods are told in millionths.
const MILLION: f64 = 1e6;

/// The files of a local model.
pub struct LocalFiles {
    file: Vec<u8>,
    tokenizer: Vec<u8>,
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
        let model = self.model.borrow();
        let facts = model.facts();
        RuntimeFacts {
            name: facts.name.to_owned(),
            version: facts.version.clone(),
            library: facts.library,
            provider: facts.provider.to_owned(),
            fallback: facts.fallback,
            batch: 1,
            threads: self.threads,
        }
    }

    /// How likely it finds each option of an item behind a prompt; no answer, and why, where it cannot be run on that.
    pub fn answer(&self, set: &ItemSet, item: u32, prompt: &str) -> (Option<Answer>, Vec<String>) {
        let options = set.item(item).map_or(0, |item| item.options.len());
        let letters: Vec<String> = ('A'..='Z').take(options).map(String::from).collect();
        let text = format!("{}{prompt}{}", self.facts.before, self.facts.after);
        match self.model.borrow_mut().likelihoods(&text, &letters) {
            Ok(found) => {
                (Some(Answer::of_likelihoods(found.into_iter().map(millionths).collect())), Vec::new())
            }
            Err(cause) => (None, vec![shortened(&cause.to_string(), MAX_ERROR).to_owned()]),
        }
    }

    /// All calls of an item.
    fn transcript(
        &self,
        set: &ItemSet,
        facts: &LanguageFacts,
        classes: usize,
        item: u32,
    ) -> Result<Transcript, LanguageRunError> {
        let seed = &facts.shuffle.seed;
        let call = |variant| {
            let prompt = set.prompt(seed, item, variant).ok_or(crate::log::LogRunError::NoRow(item))?;
            let (answer, errors) = self.answer(set, item, &prompt);
            let parsed = answer.as_ref().map_or(Parsed::Failed, |answer| answer.parse(set, seed, item));
            Ok(Call { prompt, answer, errors, parsed })
        };
        let calls = (0..set.variants()).map(call).collect::<Result<_, LanguageRunError>>()?;
        Ok(Transcript::new(facts.kind, classes, item, calls))
    }

    /// Runs opened items again, whose transcripts are checked. Returns those whose class differs, or a likelihood by more than
    /// `tolerance`, and the largest difference of a likelihood seen; in natural logarithms.
    pub fn rerun(
        &self,
        set: &ItemSet,
        facts: &LanguageFacts,
        classes: usize,
        openings: &Openings,
        tolerance: f64,
    ) -> Result<(Vec<Difference>, f64), LanguageRunError> {
        let (mut differences, mut largest) = (Vec::new(), 0.0_f64);
        for opening in &openings.openings {
            let logged = Transcript::parse(&opening.output)?;
            let again = self.transcript(set, facts, classes, opening.row)?;
            let score = distance(&logged, &again);
            largest = largest.max(score);
            if again.class != opening.class || score > tolerance {
                let (row, class) = (opening.row, again.class);
                differences.push(Difference { row, logged: opening.class, class, score });
            }
        }
        Ok((differences, largest))
    }

    /// Runs items; returns their classes.
    pub fn decide(
        &self,
        set: &ItemSet,
        facts: &LanguageFacts,
        classes: usize,
        items: &[u32],
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Vec<u8>, LanguageRunError> {
        let decided = items.iter().enumerate().map(|(at, &item)| {
            let class = self.transcript(set, facts, classes, item)?.class;
            progress(at as u64 + 1, items.len() as u64);
            Ok(class)
        });
        decided.collect()
    }
}

/// A likelihood in millionths, the nearest whole number.
fn millionths(likelihood: f64) -> i64 {
    let bound = MAX_LIKELIHOOD as f64;
    (likelihood * MILLION).round().clamp(-bound, bound) as i64
}

/// Largest difference of a likelihood; infinite where one has none.
fn distance(logged: &Transcript, again: &Transcript) -> f64 {
    let likelihoods = |transcript: &Transcript| -> Vec<Vec<i64>> {
        let calls = transcript.calls.iter();
        calls
            .map(|call| call.answer.as_ref().map_or(Vec::new(), |answer| answer.likelihoods.clone()))
            .collect()
    };
    let (logged, again) = (likelihoods(logged), likelihoods(again));
    if !logged.iter().map(Vec::len).eq(again.iter().map(Vec::len)) {
        return f64::INFINITY;
    }
    let pairs = logged.iter().flatten().zip(again.iter().flatten());
    pairs.map(|(logged, again)| logged.abs_diff(*again) as f64 / MILLION).fold(0.0, f64::max)
}
