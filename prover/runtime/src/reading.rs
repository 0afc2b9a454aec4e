//! How the outputs of a model become a class.

use std::collections::BTreeMap;

use audit::Dataset;

use crate::{Predictions, RuntimeError, output::Output};

/// What the caller may say about the decision.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// The output that decides; without, what the importer would take, else the first label, else the first scores.
    pub output: Option<String>,
    /// What a single score must be above for class 1.
    pub threshold: Option<f64>,
    /// Pairs of a label of the model and a class; empty to match by index or name.
    pub labels: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Rule {
    /// The output is the label.
    Label,
    /// The first largest score.
    Largest,
    /// Class 1 above the threshold.
    Above(f64),
}

/// How the class follows from the outputs, and which scores are kept.
#[derive(Debug, Clone)]
pub struct Reading {
    decision: String,
    rule: Rule,
    /// The output with scores, if it is not the decision itself, and scores of a row.
    scores: Option<String>,
    width: usize,
    classes: Vec<String>,
    mapping: Vec<(String, String)>,
    /// Classes of the labels met so far; of small integers, which most labels are, by place.
    small: [Option<u8>; 64],
    texts: BTreeMap<String, u8>,
}

impl Reading {
    /// Finds the decision among named outputs for one row.
    pub(crate) fn find(
        onnx: &[u8],
        dataset: &Dataset,
        outputs: &[(String, Output)],
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        let classes = dataset.schema().classes.clone();
        let names = || outputs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let import = import::Options {
            output: options.output.clone(),
            threshold: options.threshold,
            ..import::Options::default()
        };
        // What the importer can read is decided by its rules, also for the threshold.
        let decided = import::decided(onnx, dataset, &import).ok();
        let is_scores = |output: &Output| matches!(output, Output::Scores(values) if values.len() == classes.len() || values.len() == 1);
        let is_label =
            |output: &Output| matches!(output, Output::Integers(_) | Output::Texts(_)) && output.len() == 1;
        let first = |test: &dyn Fn(&Output) -> bool| {
            outputs.iter().find(|(_, output)| test(output)).map(|(name, _)| name.clone())
        };
        let decision = options
            .output
            .clone()
            .or_else(|| decided.as_ref().map(|decided| decided.output.clone()))
            .or_else(|| first(&is_label))
            .or_else(|| first(&is_scores))
            .ok_or_else(|| RuntimeError::NoDecision(names()))?;
        let deciding = outputs.iter().find(|(name, _)| *name == decision).map(|(_, output)| output);
        let rule = match deciding {
            Some(output) if is_label(output) => Rule::Label,
            Some(Output::Scores(values)) if values.len() == 1 && classes.len() == 2 => {
                let threshold = options.threshold.or_else(|| decided.and_then(|decided| decided.threshold));
                Rule::Above(threshold.ok_or_else(|| RuntimeError::NoThreshold(decision.clone()))?)
            }
            Some(Output::Scores(values)) if values.len() == classes.len() => Rule::Largest,
            _ => return Err(RuntimeError::NoDecision(format!("{decision} of {}", names()))),
        };
        let scores = if rule == Rule::Label { first(&is_scores) } else { Some(decision.clone()) };
        let width =
            |name: &String| outputs.iter().find(|(other, _)| other == name).map(|(_, found)| found.len());
        Ok(Self {
            width: scores.as_ref().and_then(width).unwrap_or(0),
            decision,
            rule,
            scores,
            classes,
            mapping: options.labels.clone(),
            small: [None; 64],
            texts: BTreeMap::new(),
        })
    }

    /// The output that decides.
    pub fn decision(&self) -> &str {
        &self.decision
    }

    /// The output whose scores are kept.
    pub fn scores(&self) -> Option<&str> {
        self.scores.as_deref()
    }

    /// Number of scores of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// What a single score must be above for class 1.
    pub fn threshold(&self) -> Option<f64> {
        match self.rule {
            Rule::Above(threshold) => Some(threshold),
            _ => None,
        }
    }

    /// Names of the one or two outputs that are read, the deciding one first.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = &str> {
        let scores = self.scores.as_deref().filter(|&scores| scores != self.decision);
        std::iter::once(self.decision.as_str()).chain(scores)
    }

    /// Reads the outputs, in the order of [`Reading::outputs`], of so many rows.
    pub(crate) fn read(&mut self, outputs: &[Output], rows: usize) -> Result<Predictions, RuntimeError> {
        let scores = match outputs.last() {
            Some(Output::Scores(values)) if self.width > 0 => values.clone().into_owned(),
            _ => Vec::new(),
        };
        expect("scores of the rows", rows * self.width, scores.len())?;
        // All are looked at, so that the loop has no branch and compiles to vector instructions.
        if scores.iter().fold(false, |found, score| found | score.is_nan()) {
            let at = scores.iter().position(|score| score.is_nan()).unwrap_or_default();
            return Err(RuntimeError::NotANumber(at / self.width));
        }
        let classes = match (self.rule, outputs.first()) {
            (Rule::Label, Some(Output::Integers(labels))) => {
                labels.iter().map(|&label| self.integer(label)).collect::<Result<Vec<_>, _>>()?
            }
            (Rule::Label, Some(Output::Texts(labels))) => {
                labels.iter().map(|label| self.text(label)).collect::<Result<Vec<_>, _>>()?
            }
            (Rule::Above(threshold), _) => {
                let above = scores.iter().map(|&score| i64::from(f64::from(score) > threshold));
                above.map(|label| self.integer(label)).collect::<Result<Vec<_>, _>>()?
            }
            (Rule::Largest, _) => {
                let rows = scores.chunks_exact(self.width.max(1));
                rows.map(|row| self.integer(largest(row))).collect::<Result<Vec<_>, _>>()?
            }
            _ => Vec::new(),
        };
        expect("labels of the rows", rows, classes.len())?;
        Ok(Predictions { classes, scores })
    }

    fn integer(&mut self, label: i64) -> Result<u8, RuntimeError> {
        let place = usize::try_from(label).ok().filter(|&place| place < self.small.len());
        if let Some(class) = place.and_then(|place| self.small[place]) {
            return Ok(class);
        }
        let class = import::class_of(&label.to_string(), Some(label), &self.classes, &self.mapping)?;
        if let Some(place) = place {
            self.small[place] = Some(class);
        }
        Ok(class)
    }

    fn text(&mut self, label: &str) -> Result<u8, RuntimeError> {
        if let Some(&class) = self.texts.get(label) {
            return Ok(class);
        }
        let class = import::class_of(label, None, &self.classes, &self.mapping)?;
        self.texts.insert(label.to_owned(), class);
        Ok(class)
    }
}

/// Place of the first largest score.
fn largest(row: &[f32]) -> i64 {
    (0..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best }) as i64
}

fn expect(what: &'static str, expected: usize, got: usize) -> Result<(), RuntimeError> {
    if expected == got {
        return Ok(());
    }
    Err(RuntimeError::Shape { what, expected: expected as u64, got: got as u64 })
}
