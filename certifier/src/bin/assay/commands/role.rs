use candid::Principal;
use clap::{Args, Subcommand, ValueEnum};
use interface::{Role, RoleChange};
use serde_json::json;

use crate::{
    arguments::Global,
    failure::{Exit, Result},
    output::Output,
    session,
    table::Table,
    time::utc,
};

#[derive(Subcommand)]
pub enum RoleCommand {
    /// Give a role (controllers only)
    #[command(after_help = "Example:\n  assay role add registrar $(assay identity show registrar.pem)")]
    Add(Change),
    /// Take a role away (controllers only)
    Remove(Change),
    /// List who has which role
    List,
}

#[derive(Args)]
pub struct Change {
    /// The role
    #[arg(value_enum)]
    role: RoleName,
    /// Who
    principal: Principal,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    /// May register datasets and request any audit
    Registrar,
    /// May request any audit
    Auditor,
}

impl From<Change> for RoleChange {
    fn from(change: Change) -> Self {
        let role = match change.role {
            RoleName::Registrar => Role::Registrar,
            RoleName::Auditor => Role::Auditor,
        };
        Self { role, principal: change.principal }
    }
}

pub async fn run(global: &Global, command: RoleCommand, output: Output) -> Result<Exit> {
    let client = session::client(global, output).await?;
    match command {
        RoleCommand::Add(change) => client.add_role(change.into()).await?,
        RoleCommand::Remove(change) => client.remove_role(change.into()).await?,
        RoleCommand::List => {}
    }
    let holders = client.roles().await?;
    let name = |role: Role| format!("{role:?}").to_lowercase();
    let document: Vec<_> = holders
        .iter()
        .map(|holder| {
            json!({ "role": name(holder.role), "principal": holder.principal.to_text(), "since": utc(holder.since_ns) })
        })
        .collect();
    output.result(&document, || {
        let mut table = Table::new(&["role", "principal", "since"]);
        for holder in &holders {
            table.row([name(holder.role), holder.principal.to_text(), utc(holder.since_ns)]);
        }
        table.render(0)
    })?;
    Ok(Exit::Ok)
}
