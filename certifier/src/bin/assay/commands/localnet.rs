use std::{env, net::SocketAddr, path::PathBuf};

use certifier::{deploy::Deployed, node::CanisterNode};
use clap::Subcommand;
use serde_json::json;

use crate::{
    arguments::Global,
    failure::{Exit, Failure, Result},
    output::Output,
};

/// Where `cargo xtask build-canister` puts the module, below the build folder.
const MODULE: &str = "canister/verifier.wasm.gz";
/// Largest module that is read, in bytes.
const MAX_MODULE: u64 = 16 << 20;

#[derive(Subcommand)]
pub enum LocalnetCommand {
    /// Run a node in the foreground until Ctrl-C; its state is kept and the next start goes on with it
    #[command(
        after_help = "Examples:\n  assay localnet start\n  assay --state /tmp/node localnet start --bind 127.0.0.1:0\n\n\
        Other commands find the node through its state folder (--state, ASSAY_STATE)."
    )]
    Start {
        /// The canister's module; target/canister/verifier.wasm.gz by default
        #[arg(long, env = "ASSAY_WASM", value_name = "FILE")]
        wasm: Option<PathBuf>,
        /// Address to listen on; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:4944")]
        bind: SocketAddr,
    },
}

pub async fn run(global: &Global, command: LocalnetCommand, output: Output) -> Result<Exit> {
    let LocalnetCommand::Start { wasm, bind } = command;
    let module = read_module(wasm)?;
    let spinner = output.spinner("starting the node");
    let node = CanisterNode::start(&global.state, bind, &module).await?;
    drop(spinner);
    let status = &node.status;
    let canister = match node.deployed {
        Deployed::New => "new",
        Deployed::Unchanged => "unchanged",
        Deployed::Upgraded => "upgraded",
    };
    let port = status.url.rsplit(':').next().unwrap_or_default();
    let pages = format!("http://{}.localhost:{port}/", status.canister);
    let document = json!({
        "url": status.url,
        "canister": status.canister.to_text(),
        "pages": pages,
        "rootKey": status.root_key,
        "state": global.state,
        "deployed": canister,
    });
    output.result(&document, || {
        format!(
            "url       {}\ncanister  {} ({canister})\npages     {pages}\nroot key  {}\nstate     {}\n",
            status.url,
            status.canister,
            status.root_key,
            global.state.display()
        )
    })?;
    output.note("running; stop with Ctrl-C");
    stop_signal().await?;
    output.note("stopping");
    node.shutdown().await;
    Ok(Exit::Ok)
}

/// Returns when the user or the system wants the program to end.
async fn stop_signal() -> Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// Reads the canister's module from `path`, or from where a build puts it.
pub fn read_module(path: Option<PathBuf>) -> Result<Vec<u8>> {
    let hint = "`cargo xtask build-canister` makes target/canister/verifier.wasm.gz; or pass --wasm FILE";
    let candidates = match path {
        Some(path) => vec![path],
        None => default_modules(),
    };
    let found = candidates.iter().find(|path| path.is_file());
    let path = found.ok_or_else(|| {
        let tried = candidates.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        Failure::new(format!("there is no canister module at {tried}"), hint)
    })?;
    let failed = |cause: String| Failure::new(format!("cannot read {}: {cause}", path.display()), hint);
    let size = std::fs::metadata(path).map_err(|cause| failed(cause.to_string()))?.len();
    if size > MAX_MODULE {
        return Err(failed(format!("{size} bytes, at most {MAX_MODULE} are read")));
    }
    std::fs::read(path).map_err(|cause| failed(cause.to_string()))
}

fn default_modules() -> Vec<PathBuf> {
    // `target/debug/assay` finds `target/canister/verifier.wasm.gz`, wherever the target folder is.
    let beside = env::current_exe().ok().and_then(|exe| Some(exe.parent()?.parent()?.join(MODULE)));
    let mut paths: Vec<PathBuf> = beside.into_iter().collect();
    let here = PathBuf::from("target").join(MODULE);
    if !paths.contains(&here) {
        paths.push(here);
    }
    paths
}
