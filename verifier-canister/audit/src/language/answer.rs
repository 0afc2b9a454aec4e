//! What counts as an answer: rule `assay answer 1`.
//!
//! The whole answer must be one letter, perhaps in one of a few usual dresses; whatever else is there makes it invalid.
//! Guessing what was meant would favour one way of answering, and could not be repeated by anyone else.
//!
//! 1. Blanks around it are dropped (Unicode `White_Space`), and pairs of marks around all of it: `**`, `__`, `*`, `_`,
//!    backticks, quotes.
//! 2. It may begin with one of [`PHRASES`], any ASCII case, and then a colon or a blank. Blanks and marks are dropped again.
//! 3. The letter follows: a capital `A` to `Z` of ASCII, bare or between marks, parentheses or brackets, and then
//!    perhaps one of `.` `)` `:`.
//! 4. Nothing more may follow, but the very text of that option, perhaps with a full stop behind it.
//!
//! An answer that was cut off, by the endpoint or because it is too long, is invalid whatever it begins with.

use serde::{Deserialize, Serialize};

/// Id of the rule.
pub const ANSWER_RULE: &str = "assay answer 1";

/// What may stand before the letter.
pub const PHRASES: [&str; 17] = [
    "the correct answer is",
    "the answer is",
    "final answer",
    "answer",
    "die richtige antwort ist",
    "die antwort ist",
    "richtige antwort",
    "antwort",
    "la bonne réponse est",
    "la réponse correcte est",
    "la réponse est",
    "réponse",
    "la respuesta correcta es",
    "la respuesta es",
    "respuesta correcta",
    "respuesta",
    "option",
];

const MARKS: [(&str, &str); 10] = [
    ("**", "**"),
    ("__", "__"),
    ("*", "*"),
    ("_", "_"),
    ("`", "`"),
    ("\"", "\""),
    ("'", "'"),
    ("“", "”"),
    ("„", "“"),
    ("«", "»"),
];
const BRACKETS: [(&str, &str); 2] = [("(", ")"), ("[", "]")];
const ENDS: [char; 3] = ['.', ')', ':'];

/// Why an answer is none of the options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Invalid {
    /// Nothing but blanks.
    Empty,
    /// It ends before its end.
    CutOff,
    /// It is not one letter in a usual dress.
    Form,
    /// There is no option with that letter.
    NoSuchOption,
    /// The text behind the letter is not that option's.
    OtherText,
}

/// The position, from 0, of the option that the answer names; `options` are the texts in the order shown.
pub fn parse(answer: &str, cut_off: bool, options: &[&str]) -> Result<usize, Invalid> {
    if cut_off {
        return Err(Invalid::CutOff);
    }
    if answer.trim().is_empty() {
        return Err(Invalid::Empty);
    }
    let answer = undress(answer);
    let answer = undress(without_phrase(answer).unwrap_or(answer));
    let (letter, rest) = leading_letter(answer).ok_or(Invalid::Form)?;
    let rest = rest.trim();
    let position = usize::from(letter - b'A');
    let Some(option) = options.get(position) else {
        return Err(if rest.is_empty() { Invalid::NoSuchOption } else { Invalid::Form });
    };
    let same = |text: &str| text == option.trim();
    if rest.is_empty() || same(rest) || same(undress(rest)) || rest.strip_suffix('.').is_some_and(same) {
        return Ok(position);
    }
    Err(Invalid::OtherText)
}

/// Without blanks, and without pairs of marks, around all of it.
fn undress(text: &str) -> &str {
    let mut text = text.trim();
    while let Some(inner) = MARKS.iter().find_map(|(open, close)| inside(text, open, close)) {
        text = inner.trim();
    }
    text
}

/// What is between the marks, if they are around all of it and nowhere inside.
fn inside<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let inner = text.strip_prefix(open)?.strip_suffix(close)?;
    (!inner.is_empty() && !inner.contains(open) && !inner.contains(close)).then_some(inner)
}

/// What follows a phrase and its colon or blank, as in `Answer: B`, `The answer is B` and `**Answer:** B`.
fn without_phrase(text: &str) -> Option<&str> {
    let marked = MARKS.iter().find_map(|(open, close)| {
        let after = phrase(text.strip_prefix(open)?)?;
        let colon = after.strip_prefix(':');
        let after = colon.unwrap_or(after).strip_prefix(close)?;
        // The colon may stand on either side of the marks.
        Some(if colon.is_none() { after.strip_prefix(':').unwrap_or(after) } else { after })
    });
    marked.or_else(|| {
        let after = phrase(text)?;
        let trimmed = after.trim_start();
        let colon = trimmed.strip_prefix(':');
        colon.or_else(|| (trimmed.len() < after.len()).then_some(trimmed))
    })
}

/// What follows one of the phrases.
fn phrase(text: &str) -> Option<&str> {
    PHRASES.iter().find_map(|phrase| {
        let (start, rest) = text.split_at_checked(phrase.len())?;
        start.eq_ignore_ascii_case(phrase).then_some(rest)
    })
}

/// The letter at the start, and what is behind it, its marks and its end.
fn leading_letter(text: &str) -> Option<(u8, &str)> {
    let dressed = MARKS.iter().chain(&BRACKETS).find_map(|(open, close)| {
        let (letter, rest) = bare_letter(text.strip_prefix(open)?)?;
        let rest = rest.strip_prefix(close).or_else(|| rest.strip_prefix(ENDS)?.strip_prefix(close))?;
        Some((letter, rest))
    });
    let (letter, rest) = dressed.or_else(|| bare_letter(text))?;
    let end = rest.strip_prefix(ENDS);
    let rest = end.unwrap_or(rest);
    // `Apple` has a letter, but is none; `A.Paris` is one.
    (rest.is_empty() || end.is_some() || rest.starts_with(char::is_whitespace)).then_some((letter, rest))
}

fn bare_letter(text: &str) -> Option<(u8, &str)> {
    let (&first, _) = text.as_bytes().split_first()?;
    first.is_ascii_uppercase().then(|| (first, &text[1..]))
}
