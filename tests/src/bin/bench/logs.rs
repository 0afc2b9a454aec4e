//! What a prediction log costs the canister: per record counted, per prediction opened.

use std::time::Instant;

use anyhow::{Context as _, Result};
use certifier::log::Source;
use serde_json::json;
use tests::{CONTROLLER, World, import_model};

use super::{path, print};

/// Predictions opened, fewest first.
const OPENINGS: [u32; 2] = [300, 4096];

/// Logs of a public model on a whole dataset, which the canister runs again where it is opened.
pub async fn costs() -> Result<()> {
    let world = World::start().await?;
    let client = world.client(CONTROLLER)?;
    let dataset = world.register_dataset("adult").await?;
    let model = import_model(&path("adult", "logistic"), &dataset)?;
    let (digest, bytes) = (world.register_model(&model).await?, model.to_bytes());
    world.add_key().await?;
    for openings in OPENINGS {
        let rows = dataset.rows();
        let record = world.request_log(digest, &dataset, rows, openings).await?;
        let folder = std::env::temp_dir().join(format!("assay-bench-log-{}", std::process::id()));
        let start = Instant::now();
        let source = Source::Integer { bytes: &bytes };
        let logged = world.log(&record, &dataset, source, digest, &folder).await?;
        let log_seconds = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let opened = world.open(&logged, &folder).await;
        std::fs::remove_dir_all(&folder)?;
        let (handed_in, opened) = opened?;
        let open_seconds = start.elapsed().as_secs_f64();
        let certificate = world.certificate_of(record.id).await?;
        let content = opened.log.as_ref().and_then(|log| log.submitted.as_ref()).context("no log")?.content;
        let log = client.download(interface::ArtefactKind::Log, content.into(), &mut |_, _| ()).await?.len();
        let counting = logged.replay_instructions;
        let opening = opened.replay_instructions - counting;
        print(&json!({
            "case": "logs", "rows": rows, "parameters": model.parameters(), "openings": openings,
            "log_bytes": log, "log_bytes_per_record": log as f64 / f64::from(rows),
            "counting_instructions": counting, "counting_per_record": counting as f64 / f64::from(rows),
            "counting_messages": logged.replay_messages,
            "openings_bytes": handed_in.len(), "opening_instructions": opening,
            "opening_per_opening": opening as f64 / f64::from(openings),
            "log_seconds": log_seconds, "open_seconds": open_seconds, "certificate": certificate,
        }));
    }
    Ok(())
}
