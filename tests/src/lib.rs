//! A world for end-to-end tests: the real canister in an embedded node, reached over HTTP by an unmodified agent.

pub mod logs;
pub mod main_path;
mod private;
pub mod showcase;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, bail, ensure};
use audit::{Dataset, Digest, Model};
use candid::{CandidType, Decode, Encode, Principal};
use certifier::{client::Client, deploy::deploy};
use check::Trust;
use ic_agent::{Agent, Identity, identity::BasicIdentity};
use interface::{ArtefactKind, AuditId, AuditRecord, AuditRequest, AuditState, Role, RoleChange};
use localnet::{Config, Node};
use serde::de::DeserializeOwned;

/// How long an audit of a test may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// Instructions of a replay's slice after [`World::slow_down`].
const SLOW_SLICE: u64 = 1_000_000;

/// The answer of a canister method.
pub type Answer<T> = std::result::Result<T, interface::Error>;

/// A node with the canister on it.
pub struct World {
    /// The embedded node, unless the world is somebody else's.
    node: Option<Node>,
    url: String,
    /// The verifier canister.
    pub canister: Principal,
    /// What certificates must lead to, DER.
    pub root_key: Vec<u8>,
}

/// A person of the test, by number; 0 is the controller.
pub fn person(number: u8) -> Arc<dyn Identity> {
    Arc::new(BasicIdentity::from_raw_key(&[number + 1; 32]))
}

/// A person's principal.
pub fn principal(number: u8) -> Principal {
    person(number).sender().expect("a raw key has a principal")
}

/// The controller.
pub const CONTROLLER: u8 = 0;
/// Holds the registrar role.
pub const REGISTRAR: u8 = 1;
/// Owns models, has no role.
pub const OWNER: u8 = 2;
/// Has nothing to do with anything.
pub const STRANGER: u8 = 3;

/// A path in the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lie in the repository").join(path)
}

/// Where the canister's wasm lies: `ASSAY_WASM`, or where `cargo xtask build-canister` puts it.
pub fn wasm_path() -> PathBuf {
    std::env::var_os("ASSAY_WASM")
        .map_or_else(|| repository("target/canister/verifier.wasm.gz"), PathBuf::from)
}

/// The canister's module.
pub fn wasm() -> Result<Vec<u8>> {
    let path = wasm_path();
    std::fs::read(&path)
        .with_context(|| format!("{} is missing; run `cargo xtask build-canister` first", path.display()))
}

impl World {
    /// Starts a node in memory and installs the canister.
    pub async fn start() -> Result<Self> {
        Self::start_with(Config::default()).await
    }

    /// Starts a node as `config` says and installs the canister.
    pub async fn start_with(config: Config) -> Result<Self> {
        let node = Node::start(config).await?;
        let root_key = node.root_key();
        let (canister, _) = deploy(&node.url(), root_key.clone(), person(CONTROLLER), None, &wasm()?).await?;
        let world = Self { url: node.url(), node: Some(node), canister, root_key };
        world.add_registrar().await?;
        Ok(world)
    }

    /// A canister that runs on another node; [`CONTROLLER`] must be its controller.
    pub async fn elsewhere(url: String, root_key: Vec<u8>, canister: Principal) -> Result<Self> {
        let world = Self { node: None, url, canister, root_key };
        world.add_registrar().await?;
        Ok(world)
    }

    async fn add_registrar(&self) -> Result<()> {
        let registrar = RoleChange { role: Role::Registrar, principal: principal(REGISTRAR) };
        Ok(self.client(CONTROLLER)?.add_role(registrar).await?)
    }

    /// Starts a node on a state directory that holds `canister`.
    pub async fn restart(config: Config, canister: Principal) -> Result<Self> {
        let node = Node::start(config).await?;
        let root_key = node.root_key();
        Ok(Self { url: node.url(), node: Some(node), canister, root_key })
    }

    /// Where the node answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops the node and waits until its state is saved.
    pub async fn stop(self) {
        if let Some(node) = self.node {
            node.shutdown().await;
        }
    }

    /// Installs the same module again as an upgrade, with the canister stopped meanwhile.
    pub async fn upgrade(&self) -> Result<()> {
        self.manage("stop_canister").await?;
        self.upgrade_running().await?;
        self.manage("start_canister").await
    }

    /// Installs the same module again as an upgrade, whatever is under way.
    pub async fn upgrade_running(&self) -> Result<()> {
        let (module, canister) = (wasm()?, self.canister);
        let node = self.node.as_ref().context("only the embedded node is upgraded directly")?;
        let upgraded = node.with_subnet(move |subnet| {
            subnet.install(
                principal(CONTROLLER),
                canister,
                localnet::management_types::CanisterInstallMode::Upgrade(None),
                &module,
                &Encode!().expect("nothing encodes"),
            )
        });
        upgraded.await?.map_err(|rejection| anyhow::anyhow!("{rejection:?}"))
    }

    /// Stops the canister, which waits for what it is doing, and starts it again.
    pub async fn stop_and_start(&self) -> Result<()> {
        self.manage("stop_canister").await?;
        self.manage("start_canister").await
    }

    /// Bytes of the canister's heap and of its stable memory.
    pub async fn memory(&self) -> Result<[u64; 2]> {
        let record = localnet::management_types::CanisterIdRecord { canister_id: self.canister };
        let node = self.node.as_ref().context("only the embedded node is asked directly")?;
        let status = node
            .with_subnet(move |subnet| subnet.management(principal(CONTROLLER), "canister_status", record));
        let reply = status.await?.map_err(|rejection| anyhow::anyhow!("{rejection:?}"))?;
        let status = Decode!(&reply, localnet::management_types::CanisterStatusResult)?;
        let metrics = status.memory_metrics;
        Ok([u64::try_from(metrics.wasm_memory_size.0)?, u64::try_from(metrics.stable_memory_size.0)?])
    }

    /// Calls the management canister about the canister, as its controller.
    async fn manage(&self, method: &'static str) -> Result<()> {
        let record = localnet::management_types::CanisterIdRecord { canister_id: self.canister };
        let node = self.node.as_ref().context("only the embedded node is managed directly")?;
        let done = node.with_subnet(move |subnet| subnet.management(principal(CONTROLLER), method, record));
        done.await?.map(drop).map_err(|rejection| anyhow::anyhow!("{rejection:?}"))
    }

    /// The typed client of a person.
    pub fn client(&self, number: u8) -> Result<Client> {
        Ok(Client::new(&self.url, self.root_key.clone(), self.canister, person(number))?)
    }

    /// A plain agent of a person.
    pub fn agent(&self, number: u8) -> Result<Agent> {
        let agent = Agent::builder().with_url(&self.url).with_arc_identity(person(number)).build()?;
        agent.set_root_key(self.root_key.clone());
        Ok(agent)
    }

    /// Calls an update method with any argument, as a hostile client could.
    pub async fn call<A: CandidType, T: CandidType + DeserializeOwned>(
        &self,
        number: u8,
        method: &str,
        argument: A,
    ) -> Result<Answer<T>> {
        let agent = self.agent(number)?;
        let call = agent.update(&self.canister, method).with_arg(Encode!(&argument)?);
        Ok(Decode!(&call.call_and_wait().await?, Answer<T>)?)
    }

    /// Registers a dataset of the repository, as the registrar.
    pub async fn register_dataset(&self, name: &str) -> Result<Dataset> {
        let dataset = certifier::dataset::read(&repository("datasets").join(name))?;
        self.client(REGISTRAR)?.upload(ArtefactKind::Dataset, dataset.bytes(), &mut |_, _| ()).await?;
        Ok(dataset)
    }

    /// Registers a model, as its owner.
    pub async fn register_model(&self, model: &Model) -> Result<Digest> {
        self.client(OWNER)?.upload(ArtefactKind::Model, &model.to_bytes(), &mut |_, _| ()).await?;
        Ok(model.digest())
    }

    /// Requests an audit as the model's owner.
    pub async fn request(&self, model: Digest, dataset: &Dataset, size: Option<u32>) -> Result<AuditId> {
        Ok(self.client(OWNER)?.request_audit(audit_request(model, dataset, size)).await?)
    }

    /// Waits until an audit has ended in one way or another.
    pub async fn ended(&self, audit: AuditId) -> Result<AuditRecord> {
        self.until(audit, |record| {
            !matches!(record.state, AuditState::Requested | AuditState::Running { .. })
        })
        .await
    }

    /// Waits until an audit's record satisfies `reached`.
    pub async fn until(&self, audit: AuditId, reached: impl Fn(&AuditRecord) -> bool) -> Result<AuditRecord> {
        let (client, start) = (self.client(STRANGER)?, Instant::now());
        loop {
            let record = client.audit(audit).await?;
            if reached(&record) {
                return Ok(record);
            }
            ensure!(start.elapsed() < PATIENCE, "audit {audit} is still {:?}", record.state);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Makes replays take many short messages, so that a test can look at or interrupt them.
    pub async fn slow_down(&self) -> Result<()> {
        let quotas = self.client(CONTROLLER)?.limits().await?.quotas;
        let slow = interface::Quotas { slice_instructions: SLOW_SLICE, ..quotas };
        let set: Answer<()> = self.call(CONTROLLER, "set_quotas", slow).await?;
        Ok(set?)
    }

    /// Requests an audit and returns its certificate's number.
    pub async fn certify(&self, model: Digest, dataset: &Dataset, size: Option<u32>) -> Result<u64> {
        let audit = self.request(model, dataset, size).await?;
        self.certificate_of(audit).await
    }

    /// Waits for an audit and returns its certificate's number.
    pub async fn certificate_of(&self, audit: AuditId) -> Result<u64> {
        match self.ended(audit).await?.state {
            AuditState::Completed { certificate } => Ok(certificate),
            state => bail!("audit {audit} ended as {state:?}"),
        }
    }
}

/// A request for an audit with a policy that fits any dataset.
pub fn audit_request(model: Digest, dataset: &Dataset, sample_size: Option<u32>) -> AuditRequest {
    AuditRequest {
        model: model.into(),
        dataset: dataset.digest().into(),
        sample_size,
        policy: ACCURACY_POLICY.to_owned(),
        valid_for_s: None,
        supersedes: None,
        log: None,
    }
}

/// At least half of the decisions are right.
pub const ACCURACY_POLICY: &str = r#"{"name":"half right","min_group_size":1,"criteria":[{"metric":"accuracy","comparator":">=","threshold":"1/2"}]}"#;

/// An example model of the repository as integers.
pub fn import_model(path: &str, dataset: &Dataset) -> Result<Model> {
    let onnx = std::fs::read(repository(path))?;
    Ok(import::import(&onnx, dataset.schema(), dataset, &import::Options::default())?.model)
}

/// A linear model for the dataset: weight `weight` on every column, `bits` dropped from the accumulator.
pub fn linear_model(dataset: &Dataset, name: &str, weight: i16, shift: u8) -> Model {
    let inputs = dataset.schema().columns.len() as u32;
    Model {
        name: name.to_owned(),
        encoding: dataset.schema().encoding(),
        source: Digest::of(name.as_bytes()),
        classes: 2,
        activation_bits: 16,
        tables: Vec::new(),
        decision: audit::Decision::Step,
        layers: vec![audit::Layer {
            inputs,
            units: 1,
            shift,
            activation: audit::Activation::Step,
            weights: vec![weight; inputs as usize],
            bias: vec![1 << shift],
        }],
    }
}

/// What a stranger brings along to check a certificate of this world, now.
pub fn trust(world: &World) -> Trust {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970");
    Trust {
        root_key: world.root_key.clone(),
        canister: Some(world.canister),
        now_ns: now.as_nanos() as u64,
        max_age_s: Some(300),
    }
}
