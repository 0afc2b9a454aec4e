//! Installs the verifier canister on an embedded node, or brings an installed one up to date.

use std::sync::Arc;

use candid::{CandidType, Principal};
use ic_agent::{Agent, AgentError, Identity};
use ic_management_canister_types::{
    CanisterIdRecord, CanisterInstallMode, ChunkHash, InstallChunkedCodeArgs, InstallCodeArgs,
    ProvisionalCreateCanisterWithCyclesArgs, UploadChunkArgs,
};

use audit::Digest;

/// Cycles of a new canister: enough for years of audits on an embedded node.
const CYCLES: u128 = 1_000_000_000_000_000;
/// Largest module that one message carries with its envelope; a larger one goes up in chunks.
const MAX_MESSAGE: usize = (2 << 20) - 8192;
/// Bytes of a chunk of a module.
const CHUNK: usize = 1 << 20;

/// Why the canister could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The network refused.
    #[error("{step}: {cause}")]
    Network {
        /// What was being done.
        step: &'static str,
        /// What the network says.
        cause: Box<AgentError>,
    },
    /// The management canister's answer is not understood.
    #[error("{step}: {cause}")]
    Answer {
        /// What was being done.
        step: &'static str,
        /// What is wrong with the answer.
        cause: String,
    },
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deployed {
    /// A new canister was made.
    New,
    /// The canister runs this module already.
    Unchanged,
    /// The module was replaced; data is kept.
    Upgraded,
}

/// Makes sure that `canister`, or a new one, runs `module`; `identity` is or becomes its controller.
pub async fn deploy(
    url: &str,
    root_key: Vec<u8>,
    identity: Arc<dyn Identity>,
    canister: Option<Principal>,
    module: &[u8],
) -> Result<(Principal, Deployed), DeployError> {
    let failed = |step| move |cause| DeployError::Network { step, cause: Box::new(cause) };
    let agent = Agent::builder().with_url(url).with_arc_identity(identity).build();
    let agent = agent.map_err(failed("cannot use the node's address"))?;
    agent.set_root_key(root_key);
    let management = Management { agent: &agent };
    let Some(canister) = canister else {
        let canister = management.create().await?;
        management.install(canister, CanisterInstallMode::Install, module).await?;
        return Ok((canister, Deployed::New));
    };
    match agent.read_state_canister_module_hash(canister).await {
        Ok(hash) if hash == Digest::of(module).0 => Ok((canister, Deployed::Unchanged)),
        Ok(_) => {
            // What is under way would go on in code that it was not made for.
            let record = || CanisterIdRecord { canister_id: canister };
            management.call::<_, ()>("cannot stop the canister", "stop_canister", canister, record()).await?;
            let installed = management.install(canister, CanisterInstallMode::Upgrade(None), module).await;
            management
                .call::<_, ()>("cannot start the canister", "start_canister", canister, record())
                .await?;
            installed?;
            Ok((canister, Deployed::Upgraded))
        }
        // The canister exists but is empty: an earlier start was interrupted.
        Err(AgentError::LookupPathAbsent(_)) => {
            management.install(canister, CanisterInstallMode::Install, module).await?;
            Ok((canister, Deployed::New))
        }
        Err(cause) => Err(failed("cannot read the canister's module")(cause)),
    }
}

struct Management<'a> {
    agent: &'a Agent,
}

impl Management<'_> {
    async fn create(&self) -> Result<Principal, DeployError> {
        let arguments = ProvisionalCreateCanisterWithCyclesArgs {
            amount: Some(CYCLES.into()),
            settings: None,
            specified_id: None,
            sender_canister_version: None,
        };
        let step = "cannot create a canister";
        let effective = Principal::management_canister();
        let answer: CanisterIdRecord =
            self.call(step, "provisional_create_canister_with_cycles", effective, arguments).await?;
        Ok(answer.canister_id)
    }

    async fn install(
        &self,
        canister_id: Principal,
        mode: CanisterInstallMode,
        module: &[u8],
    ) -> Result<(), DeployError> {
        let step = "cannot install the module";
        let (arg, sender_canister_version) = (candid::encode_args(()).unwrap_or_default(), None);
        if module.len() <= MAX_MESSAGE {
            let wasm_module = module.to_vec();
            let arguments = InstallCodeArgs { mode, canister_id, wasm_module, arg, sender_canister_version };
            return self.call(step, "install_code", canister_id, arguments).await;
        }
        let arguments = InstallChunkedCodeArgs {
            mode,
            target_canister: canister_id,
            store_canister: None,
            chunk_hashes_list: self.upload(canister_id, module).await?,
            wasm_module_hash: Digest::of(module).0.to_vec(),
            arg,
            sender_canister_version,
        };
        self.call::<_, ()>(step, "install_chunked_code", canister_id, arguments).await?;
        self.call(step, "clear_chunk_store", canister_id, CanisterIdRecord { canister_id }).await
    }

    async fn upload(&self, canister_id: Principal, module: &[u8]) -> Result<Vec<ChunkHash>, DeployError> {
        let mut hashes = Vec::new();
        for chunk in module.chunks(CHUNK) {
            let arguments = UploadChunkArgs { canister_id, chunk: chunk.to_vec() };
            hashes.push(self.call("cannot upload the module", "upload_chunk", canister_id, arguments).await?);
        }
        Ok(hashes)
    }

    async fn call<A: CandidType, R: Answer>(
        &self,
        step: &'static str,
        method: &str,
        effective: Principal,
        arguments: A,
    ) -> Result<R, DeployError> {
        let bytes = candid::encode_one(arguments)
            .map_err(|cause| DeployError::Answer { step, cause: cause.to_string() })?;
        let call = self.agent.update(&Principal::management_canister(), method);
        let answer = call.with_effective_canister_id(effective).with_arg(bytes).call_and_wait().await;
        let answer = answer.map_err(|cause| DeployError::Network { step, cause: Box::new(cause) })?;
        R::read(&answer).map_err(|cause| DeployError::Answer { step, cause: cause.to_string() })
    }
}

/// An answer with one value, or with none.
trait Answer: Sized {
    fn read(bytes: &[u8]) -> candid::Result<Self>;
}

impl Answer for () {
    fn read(bytes: &[u8]) -> candid::Result<Self> {
        candid::decode_args(bytes)
    }
}

impl Answer for ChunkHash {
    fn read(bytes: &[u8]) -> candid::Result<Self> {
        candid::decode_one(bytes)
    }
}

impl Answer for CanisterIdRecord {
    fn read(bytes: &[u8]) -> candid::Result<Self> {
        candid::decode_one(bytes)
    }
}
