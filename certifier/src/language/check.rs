use std::path::Path;

use audit::{
    language::{LanguageError, Transcript},
    log::{Openings, Statement},
};

use super::{LanguageRunError, Local, read_items};
use crate::log::Difference;

/// Checks the opened transcripts of a language model against its item set: that the statement is about this set, that
/// every prompt is the one that template, item and shuffle give, and that classes follow from the answers.
///
/// Statement and openings are verified already.
pub fn check(
    items: &Path,
    statement: &Statement,
    openings: &Openings,
) -> Result<Vec<Transcript>, LanguageRunError> {
    let (dataset, set) = read_items(items)?;
    let Some(facts) = &statement.predicate.language else {
        return Err(LanguageRunError::NotLanguage(items.to_owned()));
    };
    if dataset.digest() != statement.dataset() {
        let cause = LanguageError::Dataset("it is not the one that the statement is about");
        return Err(LanguageRunError::Items { folder: items.to_owned(), cause });
    }
    facts.check_set(&set)?;
    let classes = statement.predicate.classes.len();
    let checked = openings.openings.iter().map(|opening| set.check_opening(facts, classes, opening));
    Ok(checked.collect::<Result<_, _>>()?)
}

/// Checks opened transcripts, and runs the local model that they are of again. Returns items whose class differs, or a
/// likelihood by more than `tolerance`, and the largest difference of a likelihood seen; in natural logarithms.
///
/// Statement and openings are verified already.
pub fn rerun(
    items: &Path,
    local: &Local,
    statement: &Statement,
    openings: &Openings,
    tolerance: f64,
) -> Result<(Vec<Difference>, f64), LanguageRunError> {
    check(items, statement, openings)?;
    let (_, set) = read_items(items)?;
    let not_language = || LanguageRunError::NotLanguage(items.to_owned());
    let facts = statement.predicate.language.as_ref().ok_or_else(not_language)?;
    local.rerun(&set, facts, statement.predicate.classes.len(), openings, tolerance)
}
