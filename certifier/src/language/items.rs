use std::path::{Path, PathBuf};

use audit::{
    Dataset,
    language::{ItemSet, MAX_ITEMS_FILE, MAX_TEMPLATE, Plan},
};

use super::LanguageRunError;
use crate::dataset::{self, MANIFEST_NAME};

/// Reads the folder of an item set, or the manifest in it: the dataset, and what is asked about its rows.
pub fn read_items(path: &Path) -> Result<(Dataset, ItemSet), LanguageRunError> {
    let dataset = dataset::read(path)?;
    let manifest = if path.is_dir() { path.join(MANIFEST_NAME) } else { path.to_owned() };
    let folder = manifest.parent().map_or_else(PathBuf::new, Path::to_owned);
    let refused = |cause| LanguageRunError::Items { folder: folder.clone(), cause };
    let plan = Plan::of(dataset.schema()).map_err(refused)?;
    let read = |file: &str, max: usize| dataset::read_bounded(&folder.join(file), max as u64);
    let items = read(&plan.items.file, MAX_ITEMS_FILE)?;
    let templates = plan.templates.values().map(|template| read(&template.file, MAX_TEMPLATE));
    let templates = templates.collect::<Result<Vec<_>, _>>()?;
    let set = ItemSet::new(&dataset, &items, &templates).map_err(refused)?;
    Ok((dataset, set))
}
