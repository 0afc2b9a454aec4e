use super::{LanguageError, MAX_TEMPLATE};
use crate::codec;

/// What the first line of a template begins with; its id follows.
pub const TEMPLATE_FORMAT: &str = "assay template 1 ";
/// The placeholder of the options, one a line, each with its letter.
const OPTIONS: &str = "options";
/// The placeholder of the letters, `A, B, C`.
const LETTERS: &str = "letters";

/// A prompt with places for an item's texts, `{{name}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its id, with a version.
    pub id: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(String),
}

impl Template {
    /// Reads a template: the line `assay template 1 ID`, then the prompt up to the end, without its last line break.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, LanguageError> {
        let wrong = |problem: &str| LanguageError::Template { name: name.into(), problem: problem.into() };
        codec::in_range("template length", 0, MAX_TEMPLATE as i64, bytes.len() as i64)?;
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))?;
        let (first, body) = text.split_once('\n').ok_or_else(|| wrong("it has no second line"))?;
        let id = first.strip_prefix(TEMPLATE_FORMAT).ok_or_else(|| {
            wrong(&format!("its first line does not begin with {:?}", TEMPLATE_FORMAT.trim_end()))
        })?;
        codec::check_text("template id", id)?;
        let body = body.strip_suffix('\n').unwrap_or(body);
        if body.contains('\r') {
            return Err(wrong("its lines must end with \\n alone"));
        }
        let mut pieces = Vec::new();
        let mut rest = body;
        while let Some((before, after)) = rest.split_once("{{") {
            let (place, after) = after.split_once("}}").ok_or_else(|| wrong("a {{ has no }}"))?;
            if place.is_empty() || !place.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(wrong(&format!("{place:?} is no name of letters, digits and _")));
            }
            pieces.extend([Piece::Text(before.to_owned()), Piece::Place(place.to_owned())]);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let template = Self { id: id.to_owned(), pieces };
        if template.uses(OPTIONS) != 1 {
            return Err(wrong("it must have {{options}} once"));
        }
        Ok(template)
    }

    /// How often a place appears.
    pub fn uses(&self, name: &str) -> usize {
        self.pieces.iter().filter(|piece| matches!(piece, Piece::Place(place) if place == name)).count()
    }

    /// The places that an item must fill.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Place(place) if place != OPTIONS && place != LETTERS => Some(place.as_str()),
            _ => None,
        })
    }

    /// The prompt with these options in this order; `field` gives the text of a place. Texts are put in as they are:
    /// a `{{` in one of them means nothing.
    pub fn fill<'a>(&self, options: &[&str], field: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
        let mut prompt = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => prompt.push_str(text),
                Piece::Place(place) if place == OPTIONS => {
                    let lines = letters().zip(options).map(|(letter, option)| format!("{letter}) {option}"));
                    prompt.push_str(&lines.collect::<Vec<_>>().join("\n"));
                }
                Piece::Place(place) if place == LETTERS => {
                    let names = letters().take(options.len()).map(String::from);
                    prompt.push_str(&names.collect::<Vec<_>>().join(", "));
                }
                Piece::Place(place) => prompt.push_str(field(place)?),
            }
        }
        Some(prompt)
    }
}

fn letters() -> impl Iterator<Item = char> {
    'A'..='Z'
}
