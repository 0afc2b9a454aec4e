//! What a log of a language model adds up to.

use std::{collections::BTreeMap, path::Path};

use audit::{
    language::{CHANGED, Kind, LanguageFacts, Measure, Parsed, Transcript, measures, order},
    log::{Signed, frame},
};

use super::LanguageRunError;
use crate::log::{
    LogRunError,
    folder::{Folder, Outputs},
};

/// Figures of a log, and how it was asked.
#[derive(Debug)]
pub struct Report {
    /// How the model was asked.
    pub language: LanguageFacts,
    /// Name of the dataset.
    pub dataset: String,
    /// Items of the log.
    pub size: u32,
    /// All figures.
    pub measures: Vec<Measure>,
    /// What only the transcripts tell.
    pub conversation: Option<Conversation>,
}

/// What the transcripts of a folder tell beyond classes. None of it is in the signed counters.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    /// Calls, one or more per item.
    pub calls: u64,
    /// Attempts that failed.
    pub failed_attempts: u64,
    /// Why answers were invalid, and how often.
    pub invalid: BTreeMap<String, u64>,
    /// How often each position was chosen, by letter: options are shuffled, so a model that reads them chooses alike.
    pub positions: BTreeMap<char, u64>,
    /// Which models the endpoint says answered.
    pub models: BTreeMap<String, u64>,
    /// In a counterfactual, how often the favourable option was chosen in each variant, of items whose answers differ.
    pub favourable_when_changed: Vec<u64>,
}

/// Reports the log in a folder.
pub fn report_folder(path: &Path) -> Result<Report, LanguageRunError> {
    let folder = Folder::new(path);
    let parameters = folder.parameters()?;
    let Some(language) = parameters.language.clone() else {
        return Err(LanguageRunError::NotLanguage(path.to_owned()));
    };
    let size = parameters.rows.expand(parameters.dataset_rows)?.len() as u32;
    if !path.join("counters.json").exists() {
        return Err(folder.incomplete(size, 0).into());
    }
    let frame = frame(&parameters.classes, &parameters.favourable, &parameters.attributes)?;
    frame.validate()?;
    let counts = audit::Counts::of_frame(&frame, folder.counters()?)?;
    let outputs = Outputs::read(&folder, &parameters)?;
    let transcripts = (0..size as usize).map(|at| {
        let damaged = || LogRunError::Damaged { folder: path.to_owned(), index: at as u32 };
        Ok(Transcript::parse(outputs.get(at).ok_or_else(damaged)?)?)
    });
    let transcripts = transcripts.collect::<Result<Vec<_>, LanguageRunError>>()?;
    Ok(Report {
        conversation: Some(Conversation::of(&transcripts, &language, parameters.classes.len())),
        measures: measures(language.kind, &frame, &counts)?,
        dataset: parameters.dataset.name,
        language,
        size,
    })
}

/// Reports a signed statement, by its counters alone.
pub fn report_statement(path: &Path, signed: &Signed) -> Result<Report, LanguageRunError> {
    let predicate = &signed.statement().predicate;
    let Some(language) = predicate.language.clone() else {
        return Err(LanguageRunError::NotLanguage(path.to_owned()));
    };
    let frame = frame(&predicate.classes, &predicate.favourable, &predicate.attributes)?;
    let name = &signed.statement().subject[1].name;
    Ok(Report {
        measures: measures(language.kind, &frame, &signed.statement().counts()?)?,
        dataset: name.strip_prefix("dataset/").unwrap_or(name).to_owned(),
        language,
        size: predicate.log.size,
        conversation: None,
    })
}

impl Conversation {
    fn of(transcripts: &[Transcript], facts: &LanguageFacts, classes: usize) -> Self {
        let mut found = Self::default();
        let options = facts.kind.options(classes).unwrap_or_default();
        for transcript in transcripts {
            let shown = order(&facts.shuffle.seed, transcript.item, options);
            let changed = facts.kind == Kind::Counterfactual && transcript.class == CHANGED;
            for (variant, call) in transcript.calls.iter().enumerate() {
                found.calls += 1;
                found.failed_attempts += call.errors.len() as u64;
                if let Some(model) = call.answer.as_ref().and_then(|answer| answer.model.clone()) {
                    *found.models.entry(model).or_default() += 1;
                }
                match call.parsed {
                    Parsed::Invalid(reason) => {
                        let reason = serde_json::to_value(reason).unwrap_or_default();
                        *found.invalid.entry(reason.as_str().unwrap_or_default().to_owned()).or_default() +=
                            1;
                    }
                    Parsed::Option(option) => {
                        let position = shown.iter().position(|&shown| shown == usize::from(option));
                        let letter = position.and_then(|position| ('A'..='Z').nth(position));
                        found.positions.extend(letter.map(|letter| (letter, found.at(letter) + 1)));
                        if changed {
                            found.favourable_when_changed.resize(transcript.calls.len(), 0);
                            found.favourable_when_changed[variant] += u64::from(option == 0);
                        }
                    }
                    Parsed::Failed => {}
                }
            }
        }
        found
    }

    /// How often a position was chosen so far.
    fn at(&self, letter: char) -> u64 {
        self.positions.get(&letter).copied().unwrap_or_default()
    }
}
