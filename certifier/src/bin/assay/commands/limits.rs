use serde_json::{Map, Value, json};

use crate::{
    arguments::Global,
    failure::{Exit, Result},
    output::Output,
    session,
    table::Table,
};

pub async fn run(global: &Global, output: Output) -> Result<Exit> {
    let client = session::client(global, output).await?;
    let (limits, stats) = (client.limits().await?, client.stats().await?);
    let quotas = members(serde_json::to_value(limits.quotas)?);
    let limits = [
        ("chunk_bytes", u64::from(limits.chunk_bytes)),
        ("dataset_bytes", limits.dataset_bytes),
        ("model_bytes", limits.model_bytes),
        ("policy_bytes", limits.policy_bytes.into()),
        ("reason_bytes", limits.reason_bytes.into()),
        ("page_items", limits.page_items.into()),
        ("witness_leaves", limits.witness_leaves.into()),
        ("upload_expires_s", limits.upload_expires_s),
    ];
    let contents = [
        ("datasets", stats.datasets),
        ("models", stats.models),
        ("audits", stats.audits),
        ("open_audits", stats.open_audits),
        ("certificates", stats.certificates),
        ("uploads", stats.uploads),
        ("stored_bytes", stats.stored_bytes),
        ("stable_bytes", stats.stable_bytes),
        ("replay_instructions", stats.replay_instructions),
    ];
    let owned = |entries: &[(&str, u64)]| -> Vec<(String, u64)> {
        entries.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    };
    let (limits, contents) = (owned(&limits), owned(&contents));
    let object = |entries: &[(String, u64)]| -> Map<String, Value> {
        entries.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
    };
    let document = json!({
        "canister": client.canister().to_text(),
        "version": stats.version,
        "limits": object(&limits),
        "quotas": object(&quotas),
        "contents": object(&contents),
    });
    output.result(&document, || {
        let mut text = format!("canister {} runs {}\n", client.canister(), stats.version);
        for (title, entries) in [("limits", &limits), ("quotas", &quotas), ("contents", &contents)] {
            let mut table = Table::new(&[title, ">"]);
            entries.iter().for_each(|(name, value)| table.row([name.clone(), value.to_string()]));
            text.push('\n');
            text.push_str(&table.render(0));
        }
        text
    })?;
    Ok(Exit::Ok)
}

/// The whole numbers of a JSON object, by name.
fn members(object: Value) -> Vec<(String, u64)> {
    let members = object.as_object().into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.clone(), value.as_u64()?))).collect()
}
