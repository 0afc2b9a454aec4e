use audit::{
    Attribute, Column, Dataset, Decimal, Digest, Schema,
    dataset::DatasetBuilder,
    language::{EndpointFacts, ItemSet, LanguageError, LanguageFacts, LanguageModel, LocalFacts, TokenField},
};
use serde_json::{Value, json};

/// An item set before it is checked, so that a test can spoil any part.
pub struct Parts {
    pub block: Value,
    pub classes: Vec<&'static str>,
    pub attributes: Vec<Attribute>,
    pub items: Vec<Value>,
    pub template: String,
    /// Number, label and groups of each row.
    pub rows: Vec<(i16, u8, Vec<u8>)>,
}

pub fn attribute(name: &str, groups: &[&str]) -> Attribute {
    Attribute {
        name: name.into(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        reference: None,
    }
}

impl Parts {
    /// Two questions, one in each language.
    pub fn choice() -> Self {
        let item =
            |question, options: [&str; 3]| json!({ "fields": { "question": question }, "options": options });
        Self {
            block: json!({ "version": 1, "kind": "choice", "items": "items.jsonl", "templates": { "en": "template.txt" } }),
            classes: vec!["A", "B", "C", "invalid", "failed"],
            attributes: vec![attribute("language", &["en", "de", "fr"])],
            items: vec![
                item("2 + 2?", ["3", "4", "5"]),
                item("Hauptstadt der {{options}} Schweiz?", ["Bern", "Zug", "Chur"]),
            ],
            template: "assay template 1 test-1\n{{question}}\n{{options}}\nOne letter of {{letters}}.\n"
                .into(),
            rows: vec![(0, 1, vec![0]), (1, 0, vec![1])],
        }
    }

    /// One person, asked as two.
    pub fn counterfactual() -> Self {
        Self {
            block: json!({ "version": 1, "kind": "counterfactual", "items": "items.jsonl",
                "templates": { "en": "template.txt" }, "varied": { "field": "sex", "values": ["male", "female"] } }),
            classes: vec!["unchanged good", "unchanged bad", "changed", "invalid", "failed"],
            attributes: vec![attribute("sex", &["male", "female"])],
            items: vec![json!({ "fields": { "age": "40" }, "options": ["good", "bad"] })],
            template: "assay template 1 test-2\nAge {{age}}, sex {{sex}}.\n{{options}}\n".into(),
            rows: vec![(0, 0, vec![1])],
        }
    }

    pub fn dataset(&self) -> Dataset {
        let object = |name, bytes: &[u8]| json!({ "name": name, "sha256": Digest::of(bytes) });
        let manifest = json!({
            "distribution": [object("items.jsonl", &self.items_file()), object("template.txt", self.template.as_bytes())],
            "assay:language": self.block,
        });
        let schema = Schema {
            name: "test".into(),
            version: "1".into(),
            manifest: serde_json::to_vec(&manifest).unwrap(),
            columns: vec![Column { name: "item".into(), offset: Decimal(0), scale: Decimal(Decimal::ONE) }],
            classes: self.classes.iter().map(|class| (*class).to_owned()).collect(),
            favourable: 0,
            attributes: self.attributes.clone(),
        };
        let mut builder = DatasetBuilder::new(schema).unwrap();
        for (number, label, groups) in &self.rows {
            builder.push(&[*number], *label, groups).unwrap();
        }
        builder.build().unwrap()
    }

    pub fn items_file(&self) -> Vec<u8> {
        self.items.iter().flat_map(|item| format!("{item}\n").into_bytes()).collect()
    }

    pub fn set(&self) -> Result<ItemSet, LanguageError> {
        ItemSet::new(&self.dataset(), &self.items_file(), &[self.template.clone().into_bytes()])
    }
}

pub fn facts(set: &ItemSet) -> LanguageFacts {
    let endpoint = EndpointFacts {
        base_url: "http://127.0.0.1:8000/v1".into(),
        model: "rule".into(),
        temperature: Some(Decimal(0)),
        seed: Some(1),
        max_tokens: 64,
        max_tokens_field: TokenField::MaxTokens,
    };
    LanguageFacts::new(set, LanguageModel::Endpoint(endpoint), Digest([5; 32])).unwrap()
}

/// The same of a local model.
pub fn local(set: &ItemSet) -> LanguageFacts {
    let local = LocalFacts {
        name: "small".into(),
        file: Digest([6; 32]),
        tokenizer: Digest([7; 32]),
        before: String::new(),
        after: "\nAnswer: ".into(),
    };
    LanguageFacts::new(set, LanguageModel::Local(local), Digest([5; 32])).unwrap()
}
