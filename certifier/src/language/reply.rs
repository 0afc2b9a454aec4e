//! Reads what an endpoint answers.

use audit::language::{Answer, MAX_ANSWER, MAX_ERROR};
use serde::Deserialize;

/// Longest name that is kept of what an endpoint says about itself.
const MAX_NAME: usize = 128;

/// A chat completion; only what is kept is read.
#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
    model: Option<String>,
    system_fingerprint: Option<String>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<Content>,
    refusal: Option<String>,
}

/// Text, or parts of it, as some servers write it beside their models' reasoning.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    r#type: String,
    #[serde(default)]
    text: String,
}

impl Content {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => {
                parts.into_iter().filter(|part| part.r#type == "text").map(|part| part.text).collect()
            }
        }
    }
}

#[derive(Deserialize)]
struct Usage {
    total_tokens: Option<u64>,
}

/// The answer in a body, and the tokens that the endpoint counted.
pub fn read(body: &[u8]) -> Result<(Answer, Option<u64>), String> {
    let completion: Completion =
        serde_json::from_slice(body).map_err(|cause| format!("not a chat completion: {cause}"))?;
    let choice = completion.choices.into_iter().next().ok_or("a chat completion without choices")?;
    // A refusal is an answer too: one that is no option.
    let full = choice.message.content.map(Content::text).or(choice.message.refusal).unwrap_or_default();
    let text = shortened(&full, MAX_ANSWER).to_owned();
    let name = |name: Option<String>| name.map(|name| shortened(&name, MAX_NAME).to_owned());
    let answer = Answer {
        cut: text.len() < full.len(),
        text,
        finish: name(choice.finish_reason),
        model: name(completion.model),
        fingerprint: name(completion.system_fingerprint),
        likelihoods: Vec::new(),
    };
    Ok((answer, completion.usage.and_then(|usage| usage.total_tokens)))
}

/// What an error's body says, in short: its `error.message`, or its first line.
pub fn message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let json: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    let inner = json.as_ref().and_then(|json| {
        let error = json.get("error")?;
        error.get("message").unwrap_or(error).as_str()
    });
    inner.unwrap_or_else(|| text.lines().next().unwrap_or_default()).trim().to_owned()
}

/// An error's text, bounded, without the key, should the endpoint repeat it.
pub fn error(text: &str, key: Option<&str>) -> String {
    let text = match key {
        Some(key) if !key.is_empty() => text.replace(key, "[key]"),
        _ => text.to_owned(),
    };
    let line: String =
        text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    shortened(&line, MAX_ERROR).to_owned()
}

/// At most so many bytes of a text, whole characters only.
pub fn shortened(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_too_long_is_cut_between_characters_and_says_so() {
        let body = |content: &str| {
            serde_json::json!({ "choices": [{ "message": { "content": content } }] }).to_string()
        };
        let (answer, tokens) = read(body(&"é".repeat(MAX_ANSWER)).as_bytes()).unwrap();
        assert_eq!((answer.text.len(), answer.cut, tokens), (MAX_ANSWER, true, None));
        let (answer, _) = read(body("B").as_bytes()).unwrap();
        assert_eq!((answer.text.as_str(), answer.cut), ("B", false));
    }

    #[test]
    fn whatever_is_no_completion_is_an_error_and_a_refusal_is_an_answer() {
        for body in
            ["", "{}", "[]", "null", r#"{"choices":[]}"#, r#"{"choices":[{"message":{"content":["B"]}}]}"#]
        {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
        let (answer, tokens) = read(
            br#"{"choices":[{"message":{"content":null,"refusal":"No."},"finish_reason":"stop"}],"usage":{"total_tokens":7}}"#,
        )
        .unwrap();
        assert_eq!((answer.text.as_str(), answer.finish.as_deref(), tokens), ("No.", Some("stop"), Some(7)));
        let (answer, _) = read(br#"{"choices":[{"message":{"content":null}}]}"#).unwrap();
        assert_eq!(answer.text, "");
        let parts = br#"{"choices":[{"message":{"content":[{"type":"thinking","thinking":[]},{"type":"text","text":"B"}]}}]}"#;
        assert_eq!(read(parts).unwrap().0.text, "B");
    }

    #[test]
    fn an_error_is_one_short_line_without_the_key() {
        assert_eq!(message(br#"{"error":{"message":"no such model"}}"#), "no such model");
        assert_eq!(message(br#"{"error":"busy"}"#), "busy");
        assert_eq!(message(b"<html>\nlong page"), "<html>");
        assert_eq!(error("bad key sk-123\n!", Some("sk-123")), "bad key [key] !");
        assert_eq!(error(&"x".repeat(999), None).len(), MAX_ERROR);
    }
}
