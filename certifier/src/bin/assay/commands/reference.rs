//! How a registered dataset or model can be named: by digest, by the file it was made from, or by its name.

use std::path::Path;

use audit::Digest;
use certifier::{
    client::{Client, ClientError},
    dataset, private,
};
use interface::{DatasetRecord, DatasetsRequest, Error, ModelRecord, ModelsRequest};

use crate::{
    commands::{model::read_model_file, private::read_package},
    failure::{Failure, Result},
};

/// The record of a dataset named by digest, folder, or name.
pub async fn dataset(client: &Client, text: &str) -> Result<DatasetRecord> {
    if let Some(digest) = digest(text) {
        return Ok(client.dataset(digest).await?.record);
    }
    if Path::new(text).exists() {
        let digest = dataset::read(Path::new(text))?.digest();
        return Ok(client.dataset(digest).await?.record);
    }
    let request = DatasetsRequest { text: Some(text.to_owned()), ..Default::default() };
    let found = client.datasets(request).await?.items;
    one_of("dataset", text, found, |record| (&record.name, Digest::from(record.digest)))
}

/// The record of a model named by digest, file, or name.
pub async fn model(client: &Client, text: &str) -> Result<ModelRecord> {
    if let Some(digest) = digest(text) {
        return Ok(client.model(digest).await?);
    }
    if Path::new(text).exists() {
        return model_of_file(client, Path::new(text)).await;
    }
    let request = ModelsRequest { text: Some(text.to_owned()), ..Default::default() };
    let found = client.models(request).await?.items;
    one_of("model", text, found, |record| (&record.name, Digest::from(record.digest)))
}

/// The record of the model in a file: a public one, a package, or a model whose package lies beside it.
async fn model_of_file(client: &Client, path: &Path) -> Result<ModelRecord> {
    let package = private::package_path(path);
    if package == path {
        return Ok(client.model(Digest::of(&read_package(path)?)).await?);
    }
    let (bytes, _) = read_model_file(path)?;
    match client.model(Digest::of(&bytes)).await {
        Err(ClientError::Refused { refusal, .. })
            if package.exists() && matches!(*refusal, Error::NotFound { .. }) =>
        {
            Ok(client.model(Digest::of(&read_package(&package)?)).await?)
        }
        found => Ok(found?),
    }
}

/// A digest, if `text` is one.
pub fn digest(text: &str) -> Option<Digest> {
    text.parse().ok()
}

fn one_of<T>(what: &str, text: &str, mut found: Vec<T>, name: impl Fn(&T) -> (&String, Digest)) -> Result<T> {
    // An exact name wins over names that merely contain it.
    if found.iter().filter(|record| name(record).0 == text).count() == 1 {
        found.retain(|record| name(record).0 == text);
    }
    let names =
        found.iter().map(|record| format!("{} {}", name(record).1, name(record).0)).collect::<Vec<_>>();
    match (found.pop(), names.len()) {
        (Some(record), 1) => Ok(record),
        (None, _) => Err(Failure::new(
            format!("no {what} is called {text:?}, and there is no such file"),
            format!("`assay {what} list` shows the registered ones"),
        )),
        _ => Err(Failure::new(
            format!("{text:?} names {} {what}s:\n  {}", names.len(), names.join("\n  ")),
            "name it by its digest",
        )),
    }
}
