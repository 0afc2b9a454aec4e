use audit::Digest;
use candid::Principal;
use certifier::{client::Client, log::public_key};
use clap::Subcommand;
use interface::{AddKey, RevokeKey, SigningKey, key_message};
use serde_json::{Value, json};

use crate::{
    arguments::Global,
    failure::{Exit, Failure, Result},
    output::Output,
    session,
    table::Table,
    time::utc,
};

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Register your key: the canister then takes logs that it signed for your models
    #[command(after_help = "Example:\n  \
        assay key add --identity me.pem\n\n\
        The key is the Ed25519 key that signs your calls (`assay identity new`). Only a model's owner has \
        keys. To change one that is lost or stolen, revoke it; to sign with another one, pass --identity of \
        a key that you registered as the same principal.")]
    Add,
    /// List somebody's keys, yours by default; the canister proves that the list is whole
    List {
        /// Whose
        #[arg(value_name = "PRINCIPAL")]
        owner: Option<Principal>,
    },
    /// Withdraw one of your keys, for good: no log that it signed is accepted any more
    Revoke {
        /// The key, 64 hex digits
        key: Digest,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

pub async fn run(global: &Global, command: KeyCommand, output: Output) -> Result<Exit> {
    let client = session::client(global, output).await?;
    let owner = match command {
        KeyCommand::Add => {
            let key = add(&client, session::caller(global)?.as_ref()).await?;
            output.note(format!("registered {key}"));
            client.caller()
        }
        KeyCommand::Revoke { key, reason } => {
            client.revoke_key(RevokeKey { key: key.into(), reason }).await?;
            output.note(format!("revoked {key}"));
            client.caller()
        }
        KeyCommand::List { owner } => owner.unwrap_or_else(|| client.caller()),
    };
    let keys = client.keys(owner).await?;
    output.result(&keys.iter().map(document).collect::<Vec<_>>(), || text(owner, &keys))?;
    Ok(Exit::Ok)
}

/// Registers the key that signs calls.
pub async fn add(client: &Client, identity: &dyn ic_agent::Identity) -> Result<Digest> {
    let key = public_key(identity)?;
    let hint = "make an Ed25519 key with `assay identity new FILE`";
    let message = key_message(client.canister(), client.caller());
    let signed = identity.sign_arbitrary(&message).map_err(|cause| Failure::new(cause, hint))?;
    let signature = signed.signature.ok_or_else(|| Failure::new("the key gives no signature", hint))?;
    client.add_key(AddKey { key: key.into(), signature }).await?;
    Ok(key)
}

fn document(key: &SigningKey) -> Value {
    json!({
        "owner": key.owner.to_text(),
        "key": key.key.to_string(),
        "addedAt": utc(key.added_at_ns),
        "revoked": key.revoked.as_ref().map(|revoked| json!({
            "reason": revoked.reason, "at": utc(revoked.at_ns),
        })),
    })
}

fn text(owner: Principal, keys: &[SigningKey]) -> String {
    if keys.is_empty() {
        return format!("{owner} has registered no key\n");
    }
    let mut table = Table::new(&["key", "registered", "revoked"]);
    for key in keys {
        let revoked = key.revoked.as_ref();
        let revoked = revoked.map(|revoked| format!("{}: {}", utc(revoked.at_ns), revoked.reason));
        table.row([key.key.to_string(), utc(key.added_at_ns), revoked.unwrap_or_default()]);
    }
    table.render(0)
}
