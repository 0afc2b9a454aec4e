use std::path::Path;

use audit::{
    language::Transcript,
    log::{Openings, Statement},
};

use super::{LanguageRunError, read_items};

/// Checks the opened transcripts of a language model against its item set: that the statement is about this set, that
/// every prompt is the one that template, item and shuffle give, and that classes follow from the answers.
///
/// Statement and openings are verified already, and the item set's dataset is the statement's.
pub fn check(
    items: &Path,
    statement: &Statement,
    openings: &Openings,
) -> Result<Vec<Transcript>, LanguageRunError> {
    let (_, set) = read_items(items)?;
    let Some(facts) = &statement.predicate.language else {
        return Err(LanguageRunError::NotLanguage(items.to_owned()));
    };
    facts.check_set(&set)?;
    let classes = statement.predicate.classes.len();
    let checked = openings.openings.iter().map(|opening| set.check_opening(facts, classes, opening));
    Ok(checked.collect::<Result<_, _>>()?)
}
