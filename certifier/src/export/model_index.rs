//! A Hugging Face model card: YAML front matter with `model-index`, and a page of text.
//!
//! Metrics have numbers there, so what is undefined is left out of the front matter and listed in the text. `verified`
//! is that hub's own mark and is not set.

use std::fmt::Write as _;

use interface::utc;

use super::{Checked, Figure, figures};

/// The card.
pub fn card(checked: &Checked<'_>) -> String {
    // Front matter and text of a hub's page: intersections would make it hundreds of lines.
    // Of a language model, what its answers add up to says it all: a class against the rest says little of questions.
    let of_language = checked.language_model().is_some();
    let shown = figures(checked.predicate())
        .filter(|figure| if of_language { figure.of_answers } else { !figure.of_intersection });
    let (defined, undefined): (Vec<_>, Vec<_>) = shown.partition(|figure| figure.value.is_ok());
    format!("---\n{}---\n{}", front_matter(checked, &defined), text(checked, &undefined))
}

fn front_matter(checked: &Checked<'_>, figures: &[Figure]) -> String {
    let predicate = checked.predicate();
    let dataset = &predicate.dataset;
    let (task, name) = match checked.language_model() {
        None => ("tabular-classification", "Tabular classification"),
        Some(_) => ("text-generation", "Text generation"),
    };
    let mut yaml = format!(
        "tags:\n- {task}\nmodel-index:\n- name: {}\n  results:\n  - task:\n      \
         type: {task}\n      name: {name}\n    dataset:\n      type: {}\n      \
         name: {}\n      revision: {}\n",
        quoted(&predicate.model.name),
        quoted(&dataset.name),
        quoted(&format!("{} {}", dataset.name, dataset.version)),
        quoted(&dataset.digest.to_string()),
    );
    yaml.push_str("    metrics:\n");
    for figure in figures {
        let Figure { id, value: Ok(value), .. } = figure else { continue };
        let slice = figure.slice.as_ref().map_or_else(String::new, |slice| format!(" ({slice})"));
        let name = quoted(&format!("{id}{slice}"));
        // Writing to text does not fail.
        let _ = writeln!(yaml, "    - type: {}\n      value: {value}\n      name: {name}", quoted(id));
    }
    if let Some(page) = checked.page() {
        let name = format!("Assay certificate {}", predicate.certificate);
        let _ = writeln!(yaml, "    source:\n      name: {}\n      url: {}", quoted(&name), quoted(&page));
    }
    yaml
}

fn text(checked: &Checked<'_>, undefined: &[Figure]) -> String {
    let predicate = checked.predicate();
    let standing = checked.authentic.standing.word();
    let mut text = format!(
        "\n# Evaluation\n\nAssay certificate {} of canister {} says so: level {}, verdict of the policy {}: {}, standing: \
         {standing} ({}).\n{} of {} rows of the dataset were drawn at random; the favourable class is {}.\n\n\
         SHA-256 of the statement: {}\n\nSHA-256 of the model: {}\n\nHow to check it: `assay certificate check FILE`, with \
         the exported certificate.\n",
        predicate.certificate,
        predicate.canister,
        predicate.level.word(),
        plain(&predicate.policy.name),
        predicate.verdict.word(),
        utc(checked.authentic.signed_at_ns),
        predicate.sample.size,
        predicate.dataset.rows,
        plain(&predicate.favourable),
        checked.body_digest(),
        predicate.model.digest,
    );
    if !undefined.is_empty() {
        text.push_str("\n## Undefined\n\nThese have no value and are not in the list above:\n\n");
    }
    for figure in undefined {
        let over = figure.slice.as_deref().unwrap_or("all samples");
        let (Ok(value) | Err(value)) = &figure.value;
        let _ = writeln!(text, "- `{}`, {}: {}", figure.id, plain(over), plain(value));
    }
    text
}

/// A YAML text in double quotes. JSON's escapes are YAML's; names have no control characters.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Other people's words in Markdown, where they must not become markup.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        if character.is_ascii_punctuation()
            && !matches!(character, '.' | ',' | ':' | ';' | '=' | '-' | '(' | ')')
        {
            plain.push('\\');
        }
        plain.push(character);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names() {
        assert_eq!(quoted("a \"b\"\\ : # é"), r#""a \"b\"\\ : # é""#);
        assert_eq!(plain("<b>*x*</b> a=b."), r"\<b\>\*x\*\<\/b\> a=b.");
        assert_eq!(plain("[link](to)"), r"\[link\](to)");
    }
}
