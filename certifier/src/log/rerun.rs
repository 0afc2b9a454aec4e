//! Runs the model on opened rows again.

use audit::{
    Dataset,
    log::{Openings, Statement},
};
use runtime::{Classifier, Options, Request, raw_row};

use super::LogRunError;

/// How one opened prediction differs from the model's.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Row of the dataset.
    pub row: u32,
    /// Class in the log.
    pub logged: u8,
    /// Class that the model decides.
    pub class: u8,
    /// Largest difference of a score; infinite where the numbers of scores differ.
    pub score: f64,
}

/// Runs verified openings again. Returns those whose class differs, or a score by more than `tolerance`, and the
/// largest difference of a score seen.
pub fn rerun(
    onnx: &[u8],
    dataset: &Dataset,
    statement: &Statement,
    openings: &Openings,
    request: &Request,
    tolerance: f64,
) -> Result<(Vec<Difference>, f64), LogRunError> {
    let mut classifier = classifier(onnx, dataset, statement, request)?;
    let batch = statement.predicate.runtime.batch.clamp(1, runtime::MAX_BATCH) as usize;
    let (mut differences, mut largest) = (Vec::new(), 0.0_f64);
    for openings in openings.openings.chunks(batch) {
        let mut values = Vec::new();
        for opening in openings {
            if !raw_row(dataset, opening.row, &mut values) {
                return Err(LogRunError::NoRow(opening.row));
            }
        }
        let predictions = classifier.run(&values)?;
        let width = classifier.reading().width();
        for (at, (opening, &class)) in openings.iter().zip(&predictions.classes).enumerate() {
            let score = distance(&opening.output, &predictions.scores[width * at..][..width]);
            largest = largest.max(score);
            if class != opening.class || score > tolerance {
                differences.push(Difference { row: opening.row, logged: opening.class, class, score });
            }
        }
    }
    Ok((differences, largest))
}

/// Runs the model on rows of the dataset, as the statement says that it decides; returns the classes.
pub fn decide(
    onnx: &[u8],
    dataset: &Dataset,
    statement: &Statement,
    rows: &[u32],
    request: &Request,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<u8>, LogRunError> {
    let mut classifier = classifier(onnx, dataset, statement, request)?;
    let batch = statement.predicate.runtime.batch.clamp(1, runtime::MAX_BATCH) as usize;
    let mut classes = Vec::with_capacity(rows.len());
    let total = rows.len() as u64;
    for rows in rows.chunks(batch) {
        let mut values = Vec::new();
        for &row in rows {
            if !raw_row(dataset, row, &mut values) {
                return Err(LogRunError::NoRow(row));
            }
        }
        classes.extend(classifier.run(&values)?.classes);
        progress(classes.len() as u64, total);
    }
    Ok(classes)
}

/// The model, read as the statement says.
fn classifier(
    onnx: &[u8],
    dataset: &Dataset,
    statement: &Statement,
    request: &Request,
) -> Result<Classifier, LogRunError> {
    let decision = &statement.predicate.decision;
    let split = |text: &String| {
        let (label, class) = text.split_once('=').unwrap_or((text, ""));
        (label.to_owned(), class.to_owned())
    };
    let options = Options {
        output: Some(decision.output.clone()),
        threshold: decision.threshold.map(|threshold| threshold.0 as f64 / audit::Decimal::ONE as f64),
        labels: decision.labels.iter().map(split).collect(),
    };
    Ok(Classifier::open(onnx, dataset, request, &options)?)
}

/// Largest difference of scores; equal infinities do not differ.
fn distance(logged: &[u8], scores: &[f32]) -> f64 {
    if logged.len() != 4 * scores.len() {
        return f64::INFINITY;
    }
    let logged = logged.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
    let difference = |(logged, score): (f32, &f32)| {
        if logged == *score { 0.0 } else { (f64::from(logged) - f64::from(*score)).abs() }
    };
    // A logged score that is no number differs from every number.
    logged
        .zip(scores)
        .map(difference)
        .fold(0.0, |largest, next| if next.is_nan() { f64::INFINITY } else { largest.max(next) })
}
