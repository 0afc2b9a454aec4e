//! Where text goes: data to stdout, messages and progress to stderr.

use std::{
    fmt::Display,
    io::{self, Write as _},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use crate::failure::{Failure, Result};

/// How to say things.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub json: bool,
    pub quiet: bool,
}

impl Output {
    /// The command's result: `document` as JSON, or `text` for people.
    pub fn result(self, document: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
        let mut text = if self.json { serde_json::to_string_pretty(document)? } else { text() };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        match io::stdout().lock().write_all(text.as_bytes()) {
            // The reader, e.g. `head`, has seen enough.
            Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(Failure::from),
        }
    }

    /// A message on the way.
    pub fn note(self, message: impl Display) {
        if !self.quiet {
            eprintln!("{message}");
        }
    }

    /// Something the user should know, even with `--quiet`.
    pub fn warn(self, message: impl Display) {
        eprintln!("warning: {message}");
    }

    /// Says what is kept when the user interrupts the program, which ends then.
    pub fn on_interrupt(self, kept: &'static str) {
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                eprintln!("stopped: {kept}");
                // As a shell tells it of a program that a signal ended.
                std::process::exit(130);
            }
        });
    }

    /// What went wrong and what to do.
    pub fn failure(self, failure: &Failure) {
        eprintln!("error: {:#}", failure.error);
        if let Some(hint) = &failure.hint {
            eprintln!("hint: {hint}");
        }
        if self.json {
            let document = json!({
                "error": format!("{:#}", failure.error),
                "hint": failure.hint,
                "exitCode": failure.exit as u8,
            });
            println!("{document:#}");
        }
    }

    /// A bar that counts up to a total which the first report tells.
    pub fn bar(self, label: &str, bytes: bool) -> Bar {
        let counts = if bytes { "{bytes}/{total_bytes}" } else { "{human_pos}/{human_len}" };
        let template = format!("{{prefix:24}} [{{bar:30}}] {counts} {{msg}}");
        let style = ProgressStyle::with_template(&template);
        let bar = if self.quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
        bar.set_prefix(label.to_owned());
        Bar(bar)
    }

    /// A sign of life while something of unknown length is done.
    pub fn spinner(self, label: &str) -> Bar {
        let bar = if self.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        bar.set_message(label.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Bar(bar)
    }
}

/// Progress on stderr; gone when it is dropped, and never shown where stderr is no terminal.
pub struct Bar(ProgressBar);

impl Bar {
    /// `done` of `total`.
    pub fn set(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }

    /// What is being done.
    pub fn say(&self, message: impl Into<String>) {
        self.0.set_message(message.into());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
