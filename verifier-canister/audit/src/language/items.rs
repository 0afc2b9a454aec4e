use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    FAILED, FileFacts, INVALID, Kind, LanguageError, MAX_ITEMS_FILE, MAX_PROMPT, Plan, Template,
    TemplateFacts, shuffle::order,
};
use crate::{AuditError, Dataset, Decimal, Digest, canonical::from_json, codec};

/// What is asked about one row of the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Name of its template; may be missing where there is only one.
    #[serde(default)]
    pub template: Option<String>,
    /// Texts for the template's places.
    pub fields: BTreeMap<String, String>,
    /// The options in the order of the classes.
    pub options: Vec<String>,
}

/// A dataset with what is asked about its rows, checked against each other.
#[derive(Debug, Clone)]
pub struct ItemSet {
    plan: Plan,
    templates: BTreeMap<String, Template>,
    items: Vec<Item>,
}

impl ItemSet {
    /// Fails unless the files are those that the dataset's manifest names, there is an item for each row, every item
    /// fills its template, and classes and labels are those of its kind. `templates` are in the order of the plan.
    pub fn new(dataset: &Dataset, items: &[u8], templates: &[Vec<u8>]) -> Result<Self, LanguageError> {
        let plan = Plan::of(dataset.schema())?;
        codec::in_range("length of the items", 0, MAX_ITEMS_FILE as i64, items.len() as i64)?;
        check_file(&plan.items, items)?;
        if templates.len() != plan.templates.len() {
            return Err(LanguageError::Manifest("not as many templates as it names"));
        }
        let mut parsed = BTreeMap::new();
        for ((name, facts), bytes) in plan.templates.iter().zip(templates) {
            check_file(facts, bytes)?;
            parsed.insert(name.clone(), Template::parse(name, bytes)?);
        }
        let lines = items.strip_suffix(b"\n").unwrap_or(items).split(|&byte| byte == b'\n');
        let item = |(line, bytes): (usize, &[u8])| {
            let problem =
                |cause: AuditError| LanguageError::Item { item: line as u32, problem: cause.to_string() };
            from_json::<Item>("item", MAX_ITEMS_FILE, bytes).map_err(problem)
        };
        let items = lines.enumerate().map(item).collect::<Result<Vec<_>, _>>()?;
        let set = Self { plan, templates: parsed, items };
        set.check_dataset(dataset)?;
        let options = set.plan.kind.options(dataset.schema().classes.len());
        let options = options.ok_or(LanguageError::Dataset("not as many classes as its kind has"))?;
        (0..set.len()).try_for_each(|item| set.check_item(item, options))?;
        Ok(set)
    }

    /// What the manifest says.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Number of items, as many as the dataset has rows.
    pub fn len(&self) -> u32 {
        self.items.len() as u32
    }

    /// Whether there are none, which [`ItemSet::new`] refuses.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// An item, or `None` behind the last.
    pub fn item(&self, item: u32) -> Option<&Item> {
        self.items.get(item as usize)
    }

    /// How often each item is asked.
    pub fn variants(&self) -> usize {
        self.plan.calls().into()
    }

    /// Ids and digests of the templates.
    pub fn template_facts(&self) -> Vec<TemplateFacts> {
        let files = self.templates.values().zip(self.plan.templates.values());
        files.map(|(template, file)| TemplateFacts { id: template.id.clone(), digest: file.digest }).collect()
    }

    /// The options of an item in the order in which this seed shows them.
    pub fn shown(&self, seed: &Digest, item: u32) -> Vec<&str> {
        let options = self.item(item).map_or(&[][..], |item| item.options.as_slice());
        let shown = order(seed, item, options.len());
        shown.into_iter().filter_map(|option| options.get(option)).map(String::as_str).collect()
    }

    /// The prompt of an item; `variant` counts the values of the varied field, 0 where there is none. The order of the
    /// options is the same for all of them.
    pub fn prompt(&self, seed: &Digest, item: u32, variant: usize) -> Option<String> {
        let found = self.item(item)?;
        let varied = match &self.plan.varied {
            Some(varied) => Some((varied.field.as_str(), varied.values.get(variant)?.as_str())),
            None => (variant == 0).then_some(None)?,
        };
        self.template(found)?.fill(&self.shown(seed, item), |place| match varied {
            Some((field, value)) if field == place => Some(value),
            _ => found.fields.get(place).map(String::as_str),
        })
    }

    fn template(&self, item: &Item) -> Option<&Template> {
        match &item.template {
            Some(name) => self.templates.get(name),
            None if self.templates.len() == 1 => self.templates.values().next(),
            None => None,
        }
    }

    /// The dataset's one column numbers the rows, so that no two have equal bytes; no label is `invalid` or `failed`.
    fn check_dataset(&self, dataset: &Dataset) -> Result<(), LanguageError> {
        let wrong = |problem| Err(LanguageError::Dataset(problem));
        let schema = dataset.schema();
        let Some([invalid, failed]) = schema.classes.last_chunk() else {
            return wrong("it has not enough classes");
        };
        if invalid != INVALID || failed != FAILED {
            return wrong("its last two classes are not invalid and failed");
        }
        let [column] = schema.columns.as_slice() else {
            return wrong("it has not one column, the number of the item");
        };
        if (column.offset, column.scale) != (Decimal(0), Decimal(Decimal::ONE)) {
            return wrong("the number of the item is not taken as it is");
        }
        if dataset.rows() != self.len() {
            return wrong("it has not as many rows as there are items");
        }
        let labels = match self.plan.kind {
            Kind::Counterfactual => 2,
            Kind::Choice | Kind::ContextAssociation => schema.classes.len() - 2,
        };
        for item in 0..dataset.rows() {
            let Some(row) = dataset.row(item) else { return wrong("a row cannot be read") };
            if !row.features().map(i64::from).eq([i64::from(item)]) {
                return wrong("its column does not number the rows from 0");
            }
            if usize::from(row.label) >= labels {
                return wrong("a label is none of the options");
            }
        }
        Ok(())
    }

    fn check_item(&self, item: u32, options: usize) -> Result<(), LanguageError> {
        let wrong = |problem: String| Err(LanguageError::Item { item, problem });
        let Some(found) = self.item(item) else { return wrong("it is missing".to_owned()) };
        let Some(template) = self.template(found) else { return wrong("it names no template".to_owned()) };
        if found.options.len() != options {
            return wrong(format!("it has {} options, {options} are expected", found.options.len()));
        }
        // Equal options could not be told apart, and a line break could fake another option.
        codec::check_distinct("option", found.options.iter().map(String::as_str))?;
        let broken = |text: &String| text.trim().is_empty() || text.chars().any(char::is_control);
        if let Some(text) = found.options.iter().chain(found.fields.values()).find(|text| broken(text)) {
            return wrong(format!("{text:?} is blank or has a control character"));
        }
        if let Some(name) = found.fields.keys().find(|name| template.uses(name) == 0) {
            return wrong(format!("its template has no place for {name:?}"));
        }
        if let Some(varied) = &self.plan.varied {
            if template.uses(&varied.field) != 1 {
                return wrong(format!("its template must have the varied {{{{{}}}}} once", varied.field));
            }
            if found.fields.contains_key(&varied.field) {
                return wrong(format!("it fixes the varied {:?}", varied.field));
            }
        }
        for variant in 0..self.variants() {
            let prompt = self.prompt(&Digest([0; 32]), item, variant);
            let Some(prompt) = prompt else {
                let missing = template.places().find(|place| !found.fields.contains_key(*place));
                return wrong(format!("it has no {:?} for its template", missing.unwrap_or_default()));
            };
            codec::in_range("prompt length", 1, MAX_PROMPT as i64, prompt.len() as i64)?;
        }
        Ok(())
    }
}

fn check_file(facts: &FileFacts, bytes: &[u8]) -> Result<(), LanguageError> {
    let got = Digest::of(bytes);
    if got != facts.digest {
        return Err(LanguageError::OtherFile { file: facts.file.clone(), expected: facts.digest, got });
    }
    Ok(())
}
