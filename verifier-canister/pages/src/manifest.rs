//! What a dataset's Croissant manifest says to people.

use serde_json::Value;

/// Fields that a page shows, in order, with their headings.
const FIELDS: [(&str, &str); 12] = [
    ("rai:dataLimitations", "Limitations"),
    ("rai:dataBiases", "Known biases"),
    ("rai:personalSensitiveInformation", "Sensitive information"),
    ("rai:dataSocialImpact", "Social impact"),
    ("rai:dataUseCases", "Use"),
    ("rai:dataCollection", "Collection"),
    ("rai:dataCollectionTimeFrame", "Time frame"),
    ("rai:dataCollectionMissingData", "Missing data"),
    ("rai:dataCollectionRawData", "Raw data"),
    ("rai:dataPreprocessingProtocol", "Preprocessing"),
    ("rai:dataAnnotationProtocol", "Labels"),
    ("citeAs", "Cite as"),
];
/// Longest text shown of one field, in characters; the manifest itself is linked.
const MAX_TEXT: usize = 2000;

/// Texts of a manifest. Its bytes are the publisher's: whatever is not as expected is left out.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) description: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) url: Option<String>,
    /// Heading and texts.
    pub(crate) notes: Vec<(&'static str, Vec<String>)>,
}

impl Manifest {
    /// Reads a manifest's bytes.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return Self::default() };
        let text = |field: &str| texts(value.get(field)).into_iter().next();
        let notes = FIELDS.iter().map(|(field, heading)| (*heading, texts(value.get(*field))));
        Self {
            description: text("description"),
            license: text("license"),
            url: text("url"),
            notes: notes.filter(|(_, texts)| !texts.is_empty()).collect(),
        }
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(|text| text.chars().take(MAX_TEXT).collect::<String>());
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
        Some(value) => text(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Whether a link may be followed: nothing but the web, so no script.
pub(crate) fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_text_is_left_out() {
        let manifest =
            Manifest::read(br#"{"description": 5, "license": ["a", "b"], "rai:dataBiases": ["x", {}, "y"]}"#);
        assert_eq!((manifest.description, manifest.license), (None, Some("a".to_owned())));
        assert_eq!(manifest.notes, [("Known biases", vec!["x".to_owned(), "y".to_owned()])]);
        assert!(Manifest::read(b"{").notes.is_empty());
        assert!(Manifest::read(&[0xff; 9]).notes.is_empty());
    }

    #[test]
    fn only_the_web_is_linked() {
        assert!(is_web("https://doi.org/10.24432/C5NC77"));
        assert!(!is_web("javascript:alert(1)"));
        assert!(!is_web("data:text/html,x"));
    }
}
