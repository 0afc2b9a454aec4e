use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use audit::{
    Dataset, Decimal, Digest,
    language::{EndpointFacts, ItemSet, Measure, TokenField, Transcript},
    log::Rows,
};
use certifier::language::{
    Ended, Endpoint, EndpointOptions, Job, LanguageRunError, Limits, Respondent, read_items, report_folder,
    run,
};

use crate::server::Server;

pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// An item set, and how it is to be asked.
pub struct Asking {
    pub dataset: Dataset,
    pub set: ItemSet,
    pub rows: Rows,
    pub limits: Limits,
    pub key: Option<String>,
    pub temperature: Option<Decimal>,
    pub timeout: Duration,
    pub retry_failed: bool,
}

/// One of the repository's item sets; failures are repeated at once.
pub fn asking(name: &str) -> Asking {
    let (dataset, set) = read_items(&repository("datasets/language").join(name)).unwrap();
    Asking {
        dataset,
        set,
        rows: Rows::All {},
        limits: Limits { first_delay: Duration::from_millis(1), concurrency: 8, ..Limits::default() },
        key: None,
        temperature: Some(Decimal(0)),
        timeout: Duration::from_secs(10),
        retry_failed: false,
    }
}

impl Asking {
    pub fn seed(&self) -> Digest {
        self.dataset.digest()
    }

    pub fn endpoint(&self, base_url: &str) -> Endpoint {
        let facts = EndpointFacts {
            base_url: base_url.to_owned(),
            model: "rule".to_owned(),
            temperature: self.temperature,
            seed: None,
            max_tokens: 32,
            max_tokens_field: TokenField::MaxTokens,
        };
        let options =
            EndpointOptions { facts, key: self.key.clone(), timeout: self.timeout, insecure_http: false };
        Endpoint::new(options).unwrap()
    }

    pub async fn run(&self, server: &Server, folder: &Path) -> Result<Ended, LanguageRunError> {
        let job = Job {
            dataset: &self.dataset,
            set: &self.set,
            rows: self.rows.clone(),
            model: Respondent::Endpoint(Arc::new(self.endpoint(&server.base_url)), self.limits.clone()),
            shuffle_seed: self.seed(),
            retry_failed: self.retry_failed,
        };
        run(folder, job, &mut |_| ()).await
    }

    /// For each prompt its item and variant, and the letter of each option.
    pub fn prompts(&self) -> BTreeMap<String, (u32, usize, Vec<String>)> {
        let mut prompts = BTreeMap::new();
        for item in 0..self.set.len() {
            let shown = self.set.shown(&self.seed(), item);
            let options = &self.set.item(item).unwrap().options;
            let letter = |option: &String| {
                let position = shown.iter().position(|shown| shown == option).unwrap();
                char::from(b'A' + position as u8).to_string()
            };
            let letters: Vec<String> = options.iter().map(letter).collect();
            for variant in 0..self.set.variants() {
                let prompt = self.set.prompt(&self.seed(), item, variant).unwrap();
                prompts.insert(prompt, (item, variant, letters.clone()));
            }
        }
        prompts
    }

    /// A rule that answers the option chosen for item and variant.
    pub fn chooses(
        &self,
        option: impl Fn(u32, usize) -> usize + Send + Sync + 'static,
    ) -> impl Fn(&str) -> String + Send + Sync + 'static {
        let prompts = self.prompts();
        move |prompt| {
            let (item, variant, letters) = &prompts[prompt];
            letters[option(*item, *variant)].clone()
        }
    }

    /// The number of an item by its prompt.
    pub fn item_of(&self) -> impl Fn(&str) -> u32 + Send + Sync + 'static {
        let prompts = self.prompts();
        move |prompt| prompts[prompt].0
    }

    /// A rule that is always right.
    pub fn right(&self) -> impl Fn(&str) -> String + Send + Sync + 'static {
        let labels: Vec<usize> =
            (0..self.dataset.rows()).map(|row| self.dataset.row(row).unwrap().label.into()).collect();
        self.chooses(move |item, _| labels[item as usize])
    }
}

/// The value of a figure in a folder's report, or why it has none.
pub fn figure(folder: &Path, id: &str, group: Option<&str>) -> String {
    let report = report_folder(folder).unwrap();
    let found = |measure: &&Measure| measure.id == id && measure.group.as_deref() == group;
    let measure = report.measures.iter().find(found).unwrap_or_else(|| panic!("no {id} {group:?}"));
    match &measure.value {
        Ok(value) => value.to_string(),
        Err(missing) => format!("undefined: {missing}"),
    }
}

pub fn transcripts(folder: &Path) -> Vec<Transcript> {
    let text = std::fs::read_to_string(folder.join("transcripts.jsonl")).unwrap();
    text.lines().map(|line| Transcript::parse(line.as_bytes()).unwrap()).collect()
}
