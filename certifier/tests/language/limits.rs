//! Concurrency, pace and budget.

use std::time::Duration;

use audit::log::Rows;
use tempfile::tempdir;

use crate::{
    server::{Reply, Server},
    support::{asking, figure, transcripts},
};

#[tokio::test]
async fn so_many_calls_are_under_way_and_no_more() {
    for concurrency in [1, 6] {
        let (mut asking, folder) = (asking("facts"), tempdir().unwrap());
        asking.limits.concurrency = concurrency;
        let server = Server::start(|_, _| Reply::Slow(Duration::from_millis(5), "A".into())).await;
        asking.run(&server, folder.path()).await.unwrap();
        assert_eq!(server.seen(|seen| seen.most), concurrency);
    }
}

#[tokio::test]
async fn requests_are_spread_over_the_minute() {
    let (mut asking, folder) = (asking("facts"), tempdir().unwrap());
    asking.rows = Rows::Listed { rows: (0..10).collect() };
    asking.limits.requests_per_minute = Some(600);
    let server = Server::start(|_, _| Reply::Says("A".into())).await;
    asking.run(&server, folder.path()).await.unwrap();
    let times = server.seen(|seen| seen.times.clone());
    // Nine pauses of 100 ms, whatever the concurrency.
    assert!(times[9] - times[0] >= Duration::from_millis(880), "{:?}", times[9] - times[0]);
}

#[tokio::test]
async fn a_budget_of_requests_ends_a_run_that_goes_on_later() {
    let (mut asking, folder) = (asking("facts"), tempdir().unwrap());
    asking.limits.max_requests = Some(70);
    let right = asking.right();
    let server = Server::start(move |prompt, _| Reply::Says(right(prompt))).await;
    for (expected, complete) in [(70, false), (140, false), (160, true), (160, true)] {
        let ended = asking.run(&server, folder.path()).await.unwrap();
        assert_eq!((ended.progress.done, ended.root.is_some()), (expected, complete));
        assert_eq!(folder.path().join("records.bin").exists(), complete);
    }
    assert_eq!(server.requests(), 160, "no prompt was asked twice");
    assert_eq!(figure(folder.path(), "accuracy", None), "1");
}

#[tokio::test]
async fn failed_attempts_count_in_the_budget_and_leave_nothing_half_done() {
    let (mut asking, folder) = (asking("facts"), tempdir().unwrap());
    asking.limits.max_requests = Some(25);
    asking.limits.attempts = 16;
    let server = Server::start(|_, _| Reply::Status(500, None, "no".into())).await;
    let ended = asking.run(&server, folder.path()).await.unwrap();
    assert_eq!(
        (ended.root, ended.progress.done, ended.spent.unwrap().0, server.requests()),
        (None, 0, 25, 25)
    );
}

#[tokio::test]
async fn a_budget_of_tokens_is_not_exceeded() {
    let (mut asking, folder) = (asking("facts"), tempdir().unwrap());
    asking.limits.max_tokens_total = Some(5000);
    let server = Server::start(|_, _| Reply::Says("A".into())).await;
    let ended = asking.run(&server, folder.path()).await.unwrap();
    assert!(ended.root.is_none());
    // 100 tokens a call; a call is only begun when the most it can cost still fits.
    assert!((30..=50).contains(&ended.progress.done), "{:?}", ended.progress);
    assert_eq!(ended.spent, Some((ended.progress.done, 100 * ended.progress.done)));
}

#[tokio::test]
async fn answers_that_never_came_may_have_cost_tokens_and_error_statuses_have_not() {
    for (dropped, most) in [(true, 25), (false, u32::MAX)] {
        let (mut asking, folder) = (asking("facts"), tempdir().unwrap());
        asking.limits.attempts = 16;
        asking.limits.max_requests = Some(60);
        asking.limits.max_tokens_total = Some(5000);
        let reply = move || if dropped { Reply::Drops } else { Reply::Status(500, None, "no".into()) };
        let server = Server::start(move |_, _| reply()).await;
        let ended = asking.run(&server, folder.path()).await.unwrap();
        assert!(ended.root.is_none() && ended.spent.unwrap().1 <= 5000);
        // A request can cost about 200 tokens.
        assert!(server.requests() <= most, "{}", server.requests());
        let (requests, tokens) = ended.spent.unwrap();
        assert_eq!((requests, tokens > 0), (server.requests().into(), dropped));
    }
}

#[tokio::test]
async fn records_are_in_the_order_of_rows_whatever_the_order_of_answers() {
    let (mut asking, folder) = (asking("german-sex"), tempdir().unwrap());
    asking.rows = Rows::Listed { rows: vec![2, 3, 5, 7, 11, 13] };
    let item_of = asking.item_of();
    let rule = asking.chooses(|_, _| 0);
    let server = Server::start(move |prompt, _| {
        Reply::Slow(Duration::from_millis(15 * u64::from(14 - item_of(prompt))), rule(prompt))
    })
    .await;
    asking.run(&server, folder.path()).await.unwrap();
    let rows: Vec<u32> = transcripts(folder.path()).iter().map(|transcript| transcript.item).collect();
    assert_eq!(rows, [2, 3, 5, 7, 11, 13]);
    let records =
        audit::log::Record::parse_all(&std::fs::read(folder.path().join("records.bin")).unwrap()).unwrap();
    assert_eq!(records.iter().map(|record| record.row).collect::<Vec<_>>(), rows);
}
