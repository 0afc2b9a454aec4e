//! What certified pages cost as certificates become many.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use audit::{Dataset, Digest};
use interface::Quotas;
use serde_json::json;
use tests::{CONTROLLER, OWNER, STRANGER, World, audit_request, linear_model};

use super::print;

/// Certificates of each model.
const AUDITS: u64 = 10;
/// Audits that are open at once.
const BATCH: u64 = 100;
/// Rows of each sample; the canister's work on them is not what is measured.
const SAMPLE: u32 = 50;

/// Issues certificates up to each of `numbers`, and prints what pages took then.
pub async fn growth(numbers: &[u64]) -> Result<()> {
    let world = World::start().await?;
    let client = world.client(CONTROLLER)?;
    let quotas = client.limits().await?.quotas;
    let (many, bytes) = (u32::MAX, 64 << 30);
    let quotas = Quotas {
        models: many,
        owner_bytes: bytes,
        bytes_total: bytes,
        open_audits: 1000,
        audits_per_day: many,
        audits_per_day_total: many,
        ..quotas
    };
    let set: tests::Answer<()> = world.call(CONTROLLER, "set_quotas", quotas).await?;
    set?;
    let rows = world.register_dataset("german").await?;
    let mut issued = 0;
    for &number in numbers {
        while issued < number {
            issued = issue(&world, &rows, issued, number.min(issued + BATCH)).await?;
        }
        report(&world, &rows, number).await?;
    }
    Ok(())
}

async fn issue(world: &World, rows: &Dataset, from: u64, to: u64) -> Result<u64> {
    let (owner, stranger) = (world.client(OWNER)?, world.client(STRANGER)?);
    let mut model = Digest([0; 32]);
    for number in from..to {
        if number % AUDITS == 0 || number == from {
            // Another weight and name: another model.
            let index = number / AUDITS;
            let weight = (index % 200) as i16 - 100;
            model = world.register_model(&linear_model(rows, &format!("model {index}"), weight, 16)).await?;
        }
        owner.request_audit(audit_request(model, rows, Some(SAMPLE))).await?;
    }
    let start = Instant::now();
    while stranger.stats().await?.certificates < to {
        ensure!(start.elapsed() < Duration::from_secs(600), "certificates are not issued");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(to)
}

async fn report(world: &World, rows: &Dataset, number: u64) -> Result<()> {
    let client = world.client(STRANGER)?;
    // One more, by itself: all pages that it changes, in the messages of its audit.
    let model = world.register_model(&linear_model(rows, &format!("one more at {number}"), 3, 16)).await?;
    let before = client.stats().await?.page_instructions;
    world.certify(model, rows, Some(SAMPLE)).await?;
    let one = client.stats().await?.page_instructions - before;

    let start = Instant::now();
    world.upgrade().await?;
    let installed = start.elapsed().as_secs_f64();
    let mut stats = client.stats().await?;
    while stats.pages_pending > 0 {
        if start.elapsed() > Duration::from_secs(1800) {
            bail!("{} pages still wait", stats.pages_pending);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        stats = client.stats().await?;
    }
    let [heap, stable] = world.memory().await?;
    print(&json!({
        "case": "pages", "certificates": number, "instructions_of_one_more": one,
        "instructions_of_all_after_an_upgrade": stats.page_instructions,
        "install_seconds": installed, "all_certified_seconds": start.elapsed().as_secs_f64(),
        "heap_bytes": heap, "stable_bytes": stable,
    }));
    Ok(())
}
