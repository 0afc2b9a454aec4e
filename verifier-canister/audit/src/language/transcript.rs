use serde::{Deserialize, Serialize};

use super::{
    CHANGED, ItemSet, Kind, LanguageError, LanguageFacts, MAX_ANSWER, MAX_ERROR, MAX_ERRORS, MAX_OPTIONS,
    MAX_TRANSCRIPT, MAX_VARIANTS,
    answer::{self, Invalid},
    likelihood::{self, MAX_LIKELIHOOD},
    shuffle::order,
};
use crate::{
    Digest,
    canonical::{from_canonical_json, to_canonical_json},
    codec,
    log::Opening,
};

/// Id of the form.
pub const TRANSCRIPT_FORMAT: &str = "assay transcript 1";

/// Everything that was said about one item: the output of its record in a log, as canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// [`TRANSCRIPT_FORMAT`].
    pub format: String,
    /// Row of the dataset.
    pub item: u32,
    /// One per value of the varied field, in their order; else one.
    pub calls: Vec<Call>,
    /// Index of the class that follows.
    pub class: u8,
}

/// One prompt and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// What was sent.
    pub prompt: String,
    /// What was answered; absent where every attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// What went wrong in each failed attempt, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// What follows from the answer.
    pub parsed: Parsed,
}

/// What an endpoint answered, or what a local model finds likely.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Its text, raw, at most [`MAX_ANSWER`] bytes.
    pub text: String,
    /// Whether there was more text than is kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Why the endpoint stopped; `length` means that the text ends before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<String>,
    /// The model that the endpoint says answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the endpoint says about its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Of a local model, which says no text: the likelihood of each option as shown; see [`likelihood`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub likelihoods: Vec<i64>,
}

/// What an answer comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parsed {
    /// An option, by its place in the item.
    Option(u8),
    /// None of them.
    Invalid(Invalid),
    /// There is no answer.
    Failed,
}

impl Answer {
    /// What a local model finds.
    pub fn of_likelihoods(likelihoods: Vec<i64>) -> Self {
        Self { likelihoods, ..Self::default() }
    }

    /// The option that a local model chose of so many, if there is a likelihood for each and nothing else.
    fn chosen(&self, seed: &Digest, item: u32, options: usize) -> Option<usize> {
        let bounded = self.likelihoods.iter().all(|one| (-MAX_LIKELIHOOD..=0).contains(one));
        if !bounded || *self != Self::of_likelihoods(self.likelihoods.clone()) {
            return None;
        }
        let position = likelihood::choose(&self.likelihoods, options)?;
        order(seed, item, options).get(position).copied()
    }

    /// What it comes to for an item whose options were shuffled with this seed.
    pub fn parse(&self, set: &ItemSet, seed: &Digest, item: u32) -> Parsed {
        let cut_off = self.cut || self.finish.as_deref() == Some("length");
        let shown = set.shown(seed, item);
        let position = match self.likelihoods.is_empty() {
            true => answer::parse(&self.text, cut_off, &shown),
            false => likelihood::choose(&self.likelihoods, shown.len()).ok_or(Invalid::NoSuchOption),
        };
        match position {
            Ok(position) => {
                let option = order(seed, item, shown.len()).get(position).copied().unwrap_or(position);
                Parsed::Option(option as u8)
            }
            Err(invalid) => Parsed::Invalid(invalid),
        }
    }
}

impl Call {
    /// Fails unless its outcome is one that its answer can have. What a local model chose follows from its likelihoods;
    /// whether an endpoint's words say an option, only who has the items can tell.
    fn check(&self, facts: &LanguageFacts, item: u32, options: usize) -> Result<(), &'static str> {
        let seed = &facts.shuffle.seed;
        let holds = match (&self.answer, self.parsed) {
            (None, parsed) => parsed == Parsed::Failed,
            (Some(_), Parsed::Failed) => false,
            (Some(answer), parsed) if facts.model.local().is_some() => {
                let Some(chosen) = answer.chosen(seed, item, options) else {
                    return Err("such a model does not answer like this");
                };
                parsed == Parsed::Option(chosen as u8)
            }
            (Some(answer), _) if !answer.likelihoods.is_empty() => {
                return Err("such a model does not answer like this");
            }
            (Some(_), Parsed::Option(option)) => usize::from(option) < options,
            (Some(_), Parsed::Invalid(_)) => true,
        };
        if holds { Ok(()) } else { Err("an outcome does not follow from its answer") }
    }
}

impl Transcript {
    /// The transcript of an item from its calls; `classes` is the dataset's number of classes.
    pub fn new(kind: Kind, classes: usize, item: u32, calls: Vec<Call>) -> Self {
        let class = class(kind, classes, calls.iter().map(|call| call.parsed));
        Self { format: TRANSCRIPT_FORMAT.to_owned(), item, calls, class }
    }

    /// The canonical bytes, which the record's digest covers.
    pub fn to_json(&self) -> Result<Vec<u8>, LanguageError> {
        let json = to_canonical_json("transcript", self)?;
        codec::in_range("transcript length", 1, MAX_TRANSCRIPT as i64, json.len() as i64)?;
        Ok(json)
    }

    /// Reads canonical bytes and checks every bound.
    pub fn parse(bytes: &[u8]) -> Result<Self, LanguageError> {
        let read: Self = from_canonical_json("transcript", MAX_TRANSCRIPT, bytes)?;
        let item = read.item;
        let wrong = |problem: &str| Err(LanguageError::Transcript { item, problem: problem.to_owned() });
        if read.format != TRANSCRIPT_FORMAT {
            return wrong("its format is not one of this version");
        }
        codec::in_range("number of calls", 1, MAX_VARIANTS as i64, read.calls.len() as i64)?;
        for call in &read.calls {
            codec::in_range("number of errors", 0, MAX_ERRORS as i64, call.errors.len() as i64)?;
            if call.errors.iter().any(|error| error.len() > MAX_ERROR) {
                return wrong("an error is too long");
            }
            match &call.answer {
                Some(answer) if answer.text.len() > MAX_ANSWER => return wrong("an answer is too long"),
                Some(answer) if answer.likelihoods.len() > MAX_OPTIONS => {
                    return wrong("an answer has too many likelihoods");
                }
                None if call.errors.is_empty() => return wrong("a call has neither answer nor error"),
                _ => {}
            }
        }
        Ok(read)
    }

    /// Fails unless it is about this item, such a model was asked as often as the statement says, its outcomes can be those
    /// of its answers, and come to this class. Needs no items.
    pub fn check_record(
        &self,
        facts: &LanguageFacts,
        classes: usize,
        item: u32,
        class: u8,
    ) -> Result<(), LanguageError> {
        let wrong = |problem: String| Err(LanguageError::Transcript { item: self.item, problem });
        if (self.item, self.class) != (item, class) {
            return wrong(format!("the record is about item {item} and class {class}"));
        }
        if self.calls.len() != usize::from(facts.calls) {
            return wrong(format!("it has {} calls, {} are expected", self.calls.len(), facts.calls));
        }
        let Some(options) = facts.kind.options(classes) else {
            return wrong(format!("no item of its kind has {classes} classes"));
        };
        for call in &self.calls {
            call.check(facts, item, options).or_else(|problem| wrong(problem.to_owned()))?;
        }
        let given = self::class(facts.kind, classes, self.calls.iter().map(|call| call.parsed));
        if given != self.class {
            return wrong(format!("its answers give class {given}, not {}", self.class));
        }
        Ok(())
    }

    /// Fails unless the prompts are those of the item, every outcome follows from its answer, and the class from them.
    pub fn check(&self, set: &ItemSet, classes: usize, facts: &LanguageFacts) -> Result<(), LanguageError> {
        self.check_record(facts, classes, self.item, self.class)?;
        let seed = &facts.shuffle.seed;
        let wrong = |problem: String| Err(LanguageError::Transcript { item: self.item, problem });
        for (variant, call) in self.calls.iter().enumerate() {
            if set.prompt(seed, self.item, variant).as_ref() != Some(&call.prompt) {
                return wrong(format!("prompt {variant} is not that of the item"));
            }
            let answer = call.answer.as_ref();
            let parsed = answer.map_or(Parsed::Failed, |answer| answer.parse(set, seed, self.item));
            if parsed != call.parsed {
                return wrong(format!("answer {variant} comes to {parsed:?}, not {:?}", call.parsed));
            }
        }
        Ok(())
    }
}

impl ItemSet {
    /// Fails unless an opened output is a transcript of the record's row that holds and gives its class.
    pub fn check_opening(
        &self,
        facts: &LanguageFacts,
        classes: usize,
        opening: &Opening,
    ) -> Result<Transcript, LanguageError> {
        let transcript = Transcript::parse(&opening.output)?;
        transcript.check_record(facts, classes, opening.row, opening.class)?;
        transcript.check(self, classes, facts)?;
        Ok(transcript)
    }
}

/// The class that outcomes come to: failed as soon as one call has no answer, else invalid as soon as one answer is;
/// else the option, or in a counterfactual whether all are the same one.
fn class(kind: Kind, classes: usize, parsed: impl Iterator<Item = Parsed>) -> u8 {
    let (invalid, failed) = (classes.saturating_sub(2) as u8, classes.saturating_sub(1) as u8);
    let mut options = Vec::new();
    let mut worst = None;
    for outcome in parsed {
        match outcome {
            Parsed::Option(option) => options.push(option),
            Parsed::Invalid(_) => worst = worst.max(Some(invalid)),
            Parsed::Failed => worst = worst.max(Some(failed)),
        }
    }
    let first = options.first().copied().unwrap_or(failed);
    match (worst, kind) {
        (Some(class), _) => class,
        (None, Kind::Counterfactual) if options.iter().any(|&option| option != first) => CHANGED,
        (None, _) => first,
    }
}
