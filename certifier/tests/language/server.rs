//! An OpenAI-compatible endpoint that answers by rule.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde_json::{Value, json};

/// What the endpoint does with a request.
pub enum Reply {
    /// It says this.
    Says(String),
    /// It says this, but had to stop.
    CutOff(String),
    /// Another status, with `Retry-After` if there is one, and this message.
    Status(u16, Option<String>, String),
    /// 200, and this body.
    Body(String),
    /// The connection ends without an answer.
    Drops,
    /// It says this, later.
    Slow(Duration, String),
}

/// Prompt, and how often it was asked before, to what is answered.
type Rule = dyn Fn(&str, u32) -> Reply + Send + Sync;

#[derive(Default)]
pub struct Seen {
    /// How often each prompt was asked.
    pub prompts: BTreeMap<String, u32>,
    /// When requests came.
    pub times: Vec<Instant>,
    /// Most requests at a time.
    pub most: u32,
    now: u32,
    /// The last request's body and `Authorization`.
    pub last: (Value, Option<String>),
}

#[derive(Clone)]
struct Shared {
    rule: Arc<Rule>,
    seen: Arc<Mutex<Seen>>,
}

pub struct Server {
    pub base_url: String,
    seen: Arc<Mutex<Seen>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub async fn start(rule: impl Fn(&str, u32) -> Reply + Send + Sync + 'static) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let shared = Shared { rule: Arc::new(rule), seen: seen.clone() };
        let router = Router::new().route("/v1/chat/completions", post(complete)).with_state(shared);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base_url, seen, task }
    }

    /// What it was asked so far.
    pub fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap())
    }

    pub fn requests(&self) -> u32 {
        self.seen(|seen| seen.prompts.values().sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn complete(State(shared): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let prompt = body["messages"][0]["content"].as_str().unwrap().to_owned();
    let before = {
        let mut seen = shared.seen.lock().unwrap();
        seen.times.push(Instant::now());
        seen.now += 1;
        seen.most = seen.most.max(seen.now);
        seen.last = (body, headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()));
        let count = seen.prompts.entry(prompt.clone()).or_default();
        *count += 1;
        *count - 1
    };
    // Long enough for other requests to be under way too.
    tokio::time::sleep(Duration::from_millis(3)).await;
    let reply = (shared.rule)(&prompt, before);
    if let Reply::Slow(pause, _) = &reply {
        tokio::time::sleep(*pause).await;
    }
    shared.seen.lock().unwrap().now -= 1;
    match reply {
        Reply::Says(text) | Reply::Slow(_, text) => completion(&text, "stop"),
        Reply::CutOff(text) => completion(&text, "length"),
        Reply::Status(status, retry_after, message) => {
            let body = Json(json!({ "error": { "message": message } }));
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            if let Some(pause) = retry_after {
                response.headers_mut().insert("retry-after", pause.parse().unwrap());
            }
            response
        }
        Reply::Body(body) => body.into_response(),
        // Unwinds out of the connection's task, so that it ends; without a message on stderr.
        Reply::Drops => std::panic::resume_unwind(Box::new(())),
    }
}

fn completion(text: &str, finish: &str) -> Response {
    Json(json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "rule-2026", "system_fingerprint": "fp_1",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": finish }],
        "usage": { "prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100 },
    }))
    .into_response()
}
