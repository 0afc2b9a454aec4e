//! From the command line to a client and to what a checker trusts.

use std::sync::Arc;

use candid::Principal;
use certifier::{
    client::Client,
    identity,
    network::{LocalStatus, MAINNET_URL, Network, parse_root_key},
    node::CONTROLLER_NAME,
};
use check::{Trust, ic_certificate::MAINNET_ROOT_KEY};
use ic_agent::{Identity, identity::AnonymousIdentity};

use crate::{
    arguments::Global,
    failure::{Failure, Result},
    output::Output,
    time::now_ns,
};

/// Where the node is and what to hold it to.
struct Endpoint {
    url: String,
    root_key: Vec<u8>,
    canister: Option<Principal>,
}

/// A client for the canister that the command line names.
pub async fn client(global: &Global, output: Output) -> Result<Client> {
    let endpoint = endpoint(global, output).await?;
    let canister = endpoint.canister.ok_or_else(|| {
        Failure::new(
            "no canister is named",
            "pass --canister ID, or set ASSAY_CANISTER, with the id that the certifier publishes",
        )
    })?;
    Ok(Client::new(&endpoint.url, endpoint.root_key, canister, caller(global)?)?)
}

/// Who signs calls.
pub fn caller(global: &Global) -> Result<Arc<dyn Identity>> {
    if let Some(path) = &global.identity {
        return Ok(identity::load(path)?);
    }
    let controller = global.state.join(CONTROLLER_NAME);
    if global.network == Network::Local && controller.exists() {
        return Ok(identity::load(&controller)?);
    }
    Ok(Arc::new(AnonymousIdentity))
}

async fn endpoint(global: &Global, output: Output) -> Result<Endpoint> {
    let given = global.root_key.as_deref().map(parse_root_key).transpose()?;
    Ok(match &global.network {
        Network::Local => {
            let status = LocalStatus::read(&global.state)?;
            let root_key = given.map_or_else(|| status.root_key(), Ok)?;
            let canister = global.canister.unwrap_or(status.canister);
            Endpoint { url: status.url, root_key, canister: Some(canister) }
        }
        Network::Ic => {
            let root_key = given.unwrap_or_else(|| MAINNET_ROOT_KEY.to_vec());
            Endpoint { url: MAINNET_URL.to_owned(), root_key, canister: global.canister }
        }
        Network::Url(url) => {
            let root_key = match given {
                Some(root_key) => root_key,
                None if global.fetch_root_key => {
                    output
                        .warn(format!("trusting the root key that {url} names: it could forge every answer"));
                    Client::fetch_root_key(url).await?
                }
                None => {
                    return Err(Failure::new(
                        format!("the root key of {url} is not known"),
                        "pass --root-key KEY; or --fetch-root-key if you run that node yourself",
                    ));
                }
            };
            Endpoint { url: url.clone(), root_key, canister: global.canister }
        }
    })
}

/// What an offline check is held to. Needs no network: the embedded node's key is read from its status file.
pub fn trust(global: &Global, max_age_s: Option<u64>) -> Result<Trust> {
    trust_in(global, global.canister, max_age_s)
}

/// [`trust`] in a canister that is known already.
pub fn trust_in(global: &Global, canister: Option<Principal>, max_age_s: Option<u64>) -> Result<Trust> {
    let given = global.root_key.as_deref().map(parse_root_key).transpose()?;
    let (root_key, canister) = match (&global.network, given) {
        (_, Some(root_key)) => (root_key, canister),
        (Network::Ic, None) => (MAINNET_ROOT_KEY.to_vec(), canister),
        (Network::Local, None) => {
            let status = LocalStatus::read(&global.state).map_err(|cause| {
                let hint = "pass --root-key KEY, or --network ic for a certificate of the main network; an embedded \
                            node's key is found through its --state folder";
                Failure::new(format!("there is no root key to check with: {cause}"), hint)
            })?;
            (status.root_key()?, Some(canister.unwrap_or(status.canister)))
        }
        (Network::Url(url), None) => {
            return Err(Failure::new(
                format!("the root key of {url} is not known"),
                "pass --root-key KEY: a check must not ask the network whom to trust",
            ));
        }
    };
    if canister.is_none() && !global.any_canister {
        return Err(Failure::new(
            "which canister the certificate must come from is not said",
            "pass --canister ID with the id that you trust: anybody can run a canister that signs what he likes; \
             --any-canister takes the file's own word",
        ));
    }
    Ok(Trust { root_key, canister, now_ns: now_ns(), max_age_s })
}
