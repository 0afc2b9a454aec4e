//! Endpoints that fail: what is asked again, what is not, and what stops a run.

use std::time::{Duration, Instant};

use audit::{language::Parsed, log::Rows};
use certifier::language::{LanguageRunError, MAX_BODY};
use tempfile::tempdir;

use crate::{
    server::{Reply, Server},
    support::{asking, figure, transcripts},
};

fn status(status: u16, message: &str) -> Reply {
    Reply::Status(status, None, message.to_owned())
}

#[tokio::test]
async fn one_failing_call_does_not_stop_the_others() {
    let (mut asking, folder) = (asking("facts"), tempdir().unwrap());
    asking.timeout = Duration::from_millis(300);
    asking.limits.attempts = 2;
    let (right, item_of) = (asking.right(), asking.item_of());
    let server = Server::start(move |prompt, _| match item_of(prompt) {
        3 => status(400, "too rude"),
        8 => status(500, "always"),
        40 => Reply::Drops,
        50 => Reply::Body("<html>busy</html>".into()),
        60 => Reply::Body("x".repeat(MAX_BODY + 1)),
        70 => Reply::Slow(Duration::from_secs(2), "A".into()),
        80 => status(422, "no"),
        _ => Reply::Says(right(prompt)),
    })
    .await;
    let ended = asking.run(&server, folder.path()).await.unwrap();
    assert!(ended.root.is_some());
    assert_eq!((ended.progress.done, ended.progress.failed), (160, 7));
    assert_eq!(figure(folder.path(), "failure_rate", None), "7/160");
    assert_eq!(figure(folder.path(), "coverage", None), "153/160");
    assert_eq!(figure(folder.path(), "accuracy", None), "153/160");
    assert_eq!(figure(folder.path(), "accuracy_of_valid", None), "1");
    let transcripts = transcripts(folder.path());
    let errors = |item: usize| {
        assert_eq!((transcripts[item].class, transcripts[item].calls[0].parsed), (5, Parsed::Failed));
        transcripts[item].calls[0].errors.clone()
    };
    // What will never work is not asked again.
    assert_eq!(errors(3), ["status 400: too rude"]);
    assert_eq!(errors(80), ["status 422: no"]);
    assert_eq!(errors(60), [format!("an answer of more than {MAX_BODY} bytes")]);
    assert_eq!(errors(8), ["status 500: always"; 2]);
    assert_eq!(errors(70), ["no answer in time"; 2]);
    assert_eq!(errors(40).len(), 2);
    assert!(errors(50).iter().all(|error| error.starts_with("not a chat completion")), "{:?}", errors(50));
}

#[tokio::test]
async fn bursts_of_failures_are_waited_out_and_kept_in_the_transcript() {
    let (asking, folder) = (asking("facts"), tempdir().unwrap());
    let right = asking.right();
    let server = Server::start(move |prompt, before| match before {
        0 => status(503, "warming up"),
        1 => status(500, "oops"),
        2 => Reply::Drops,
        3 => Reply::Body("{}".into()),
        _ => Reply::Says(right(prompt)),
    })
    .await;
    let ended = asking.run(&server, folder.path()).await.unwrap();
    assert_eq!((ended.progress.failed, figure(folder.path(), "accuracy", None).as_str()), (0, "1"));
    assert_eq!(server.requests(), 5 * 160);
    for transcript in transcripts(folder.path()) {
        let errors = &transcript.calls[0].errors;
        assert_eq!(
            (errors.len(), errors[0].as_str(), errors[1].as_str()),
            (4, "status 503: warming up", "status 500: oops")
        );
    }
}

#[tokio::test]
async fn a_pause_that_the_endpoint_asks_for_is_kept_by_all_calls() {
    let (mut asking, folder) = (asking("facts"), tempdir().unwrap());
    asking.rows = Rows::Listed { rows: (0..20).collect() };
    asking.limits.concurrency = 1;
    let (right, item_of) = (asking.right(), asking.item_of());
    let server = Server::start(move |prompt, before| match (item_of(prompt), before) {
        (5, 0) => Reply::Status(429, Some("1".into()), "slower".into()),
        _ => Reply::Says(right(prompt)),
    })
    .await;
    asking.run(&server, folder.path()).await.unwrap();
    let times = server.seen(|seen| seen.times.clone());
    assert_eq!(times.len(), 21);
    assert!(times[6] - times[5] >= Duration::from_millis(990), "{:?}", times[6] - times[5]);
    assert_eq!(transcripts(folder.path())[5].calls[0].errors, ["status 429: slower"]);

    // One that takes too long ends the run instead; nothing is lost.
    let folder = tempdir().unwrap();
    asking.limits.longest_pause = Duration::from_secs(60);
    let server = Server::start(|_, _| Reply::Status(429, Some("3600".into()), "tomorrow".into())).await;
    let started = Instant::now();
    let outcome = asking.run(&server, folder.path()).await;
    assert!(matches!(outcome, Err(LanguageRunError::Pause(pause)) if pause.as_secs() == 3600));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_refused_key_stops_the_run_and_what_was_answered_is_kept() {
    for code in [401, 403, 404] {
        let (mut asking, folder) = (asking("facts"), tempdir().unwrap());
        asking.limits.concurrency = 1;
        asking.key = Some("sk-secret-123".into());
        let (right, item_of) = (asking.right(), asking.item_of());
        let server = Server::start(move |prompt, before| match (item_of(prompt), before) {
            (30, 0) => status(code, "wrong key sk-secret-123"),
            _ => Reply::Says(right(prompt)),
        })
        .await;
        let outcome = asking.run(&server, folder.path()).await;
        let Err(LanguageRunError::Refused { status, message }) = outcome else { panic!("{outcome:?}") };
        assert_eq!((status, message.as_str()), (code, "wrong key [key]"));
        assert_eq!(server.requests(), 31);
        let ended = asking.run(&server, folder.path()).await.unwrap();
        assert_eq!((ended.resumed_at, ended.progress.failed, server.requests()), (30, 0, 161));
        assert_eq!(server.seen(|seen| seen.last.1.clone()).unwrap(), "Bearer sk-secret-123");
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(13).any(|window| window == b"sk-secret-123"));
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_redirects_is_not_followed() {
    let (asking, folder) = (asking("facts"), tempdir().unwrap());
    let server = Server::start(|_, _| status(307, "elsewhere")).await;
    let outcome = asking.run(&server, folder.path()).await;
    assert!(matches!(outcome, Err(LanguageRunError::Refused { status: 307, .. })));
}

#[tokio::test]
async fn a_log_without_a_single_answer_is_not_complete() {
    let (mut asking, folder) = (asking("facts"), tempdir().unwrap());
    asking.rows = Rows::Listed { rows: vec![1, 2] };
    asking.limits.attempts = 1;
    let server = Server::start(|_, _| Reply::Drops).await;
    let outcome = asking.run(&server, folder.path()).await;
    assert!(matches!(outcome, Err(LanguageRunError::Unreachable { calls: 2, .. })), "{outcome:?}");
    assert!(!folder.path().join("records.bin").exists());
}

#[tokio::test]
async fn a_dead_endpoint_does_not_turn_the_rest_of_the_log_into_failures() {
    let (mut asking, folder) = (asking("facts"), tempdir().unwrap());
    asking.limits.concurrency = 4;
    asking.limits.attempts = 2;
    let (right, item_of) = (asking.right(), asking.item_of());
    let alive = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let power = alive.clone();
    let server = Server::start(move |prompt, _| {
        match item_of(prompt) < 60 || power.load(std::sync::atomic::Ordering::SeqCst) {
            true => Reply::Says(right(prompt)),
            false => status(502, "bad gateway"),
        }
    })
    .await;
    let outcome = asking.run(&server, folder.path()).await;
    let Err(LanguageRunError::Unreachable { calls: 8, last }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(last, "status 502: bad gateway");

    // Without being told so, a run does not ask again what has failed.
    alive.store(true, std::sync::atomic::Ordering::SeqCst);
    let ended = asking.run(&server, folder.path()).await.unwrap();
    assert_eq!((ended.resumed_at, ended.progress.failed), (68, 8));
    asking.retry_failed = true;
    let ended = asking.run(&server, folder.path()).await.unwrap();
    assert_eq!((ended.resumed_at, ended.progress.failed), (152, 0));
    assert_eq!(figure(folder.path(), "accuracy", None), "1");
    // The failures are still told.
    let failures =
        transcripts(folder.path()).iter().filter(|transcript| transcript.calls[0].errors.len() == 2).count();
    assert_eq!(failures, 8);
}
