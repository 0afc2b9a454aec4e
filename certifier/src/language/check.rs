use std::path::Path;

use audit::{
    language::{LanguageError, Transcript},
    log::{Openings, Statement},
};

use super::{LanguageRunError, read_items};

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
