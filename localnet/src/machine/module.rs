//! From the bytes a controller installs to a module that can run: limits, gunzip, compilation.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::{Arc, PoisonError};

use sha2::{Digest, Sha256};
use wasmparser::{ExternalKind, Operator, Parser, Payload, TypeRef};
use wasmtime::InstancePre;

use super::Machine;
use super::env::Env;
use super::rewrite::{self, Hidden};

/// Largest module, after gunzip.
pub(crate) const MAX_MODULE_BYTES: u64 = 100 << 20;
const MAX_CODE_BYTES: u64 = 10 << 20;
const MAX_FUNCTIONS: u32 = 50_000;
const MAX_GLOBALS: u32 = 1_000;
const MAX_FUNCTION_OPERATORS: u64 = 1_000_000;
const MAX_EXPORTED_FUNCTIONS: usize = 1_000;
const MAX_EXPORTED_NAME_BYTES: usize = 20_000;
const MAX_CUSTOM_SECTIONS: usize = 16;
const MAX_CUSTOM_BYTES: usize = 1 << 20;

/// Compiled modules that are kept although no canister may run them.
const RECENT: usize = 8;

const LIFECYCLE: [&str; 7] = [
    "canister_init",
    "canister_inspect_message",
    "canister_heartbeat",
    "canister_pre_upgrade",
    "canister_post_upgrade",
    "canister_global_timer",
    "canister_on_low_wasm_memory",
];

/// Why a module cannot be installed.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// The bytes are not WebAssembly, or use a feature that the Internet Computer does not have.
    #[error("not a valid WebAssembly module: {0}")]
    Malformed(String),
    /// A size limit of the Internet Computer is exceeded.
    #[error("{what}: {got} exceeds the limit of {limit}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// What the module has.
        got: u64,
    },
    /// An import that a canister does not get.
    #[error("import {module}.{name} is not part of the system API")]
    UnknownImport {
        /// Module part of the import.
        module: String,
        /// Name part of the import.
        name: String,
    },
    /// An export whose name is reserved or occurs in two roles.
    #[error("export {name:?}: {reason}")]
    Export {
        /// Name of the export.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl From<wasmparser::BinaryReaderError> for ModuleError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        ModuleError::Malformed(error.to_string())
    }
}

/// One custom section `icp:public <name>` or `icp:private <name>`.
pub(crate) struct Metadata {
    pub(crate) public: bool,
    pub(crate) bytes: Vec<u8>,
}

/// What the validating walk learns about a module.
#[derive(Default)]
struct Facts {
    exports: BTreeSet<String>,
    metadata: BTreeMap<String, Metadata>,
    custom_bytes: usize,
    /// Tables or passive segments change at run time, so an instance must not outlive a message.
    single_use: bool,
}

/// A module ready to run.
pub(crate) struct CompiledModule {
    /// As installed (possibly gzipped).
    pub(crate) bytes: Arc<Vec<u8>>,
    /// SHA-256 of [`bytes`](Self::bytes).
    pub(crate) hash: [u8; 32],
    pub(crate) metadata: BTreeMap<String, Metadata>,
    pub(crate) custom_bytes: usize,
    pub(crate) single_use: bool,
    pub(super) hidden: Hidden,
    pub(super) instance: InstancePre<Env>,
    exports: BTreeSet<String>,
}

impl CompiledModule {
    /// Whether the module exports a function with this name.
    pub(crate) fn exports(&self, name: &str) -> bool {
        self.exports.contains(name)
    }

    /// The export under which the start function can be run, if there is one.
    pub(crate) fn starts(&self) -> Option<&'static str> {
        self.hidden.start.then_some(rewrite::START)
    }
}

impl Machine {
    /// Checks a module against the limits of the Internet Computer and compiles it.
    pub(crate) fn compile(&self, bytes: Arc<Vec<u8>>) -> Result<Arc<CompiledModule>, ModuleError> {
        let hash: [u8; 32] = Sha256::digest(bytes.as_slice()).into();
        let recent = || self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = recent().iter().find(|module| module.hash == hash) {
            return Ok(module.clone());
        }
        let wasm = gunzip(&bytes)?;
        let facts = inspect(&wasm, &self.imports)?;
        let (rewritten, hidden) = rewrite::expose(&wasm)?;
        let malformed = |error: wasmtime::Error| ModuleError::Malformed(format!("{error:#}"));
        let module = wasmtime::Module::new(&self.engine, rewritten).map_err(malformed)?;
        let instance = self.linker.instantiate_pre(&module).map_err(malformed)?;
        let module = Arc::new(CompiledModule {
            bytes,
            hash,
            metadata: facts.metadata,
            custom_bytes: facts.custom_bytes,
            single_use: facts.single_use,
            hidden,
            instance,
            exports: facts.exports,
        });
        let mut recent = recent();
        if recent.len() == RECENT {
            recent.remove(0);
        }
        recent.push(module.clone());
        Ok(module)
    }
}

fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, ModuleError> {
    let mut wasm = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut unzip = flate2::read::GzDecoder::new(bytes).take(MAX_MODULE_BYTES + 1);
        unzip.read_to_end(&mut wasm).map_err(|error| ModuleError::Malformed(format!("gzip: {error}")))?;
    } else {
        wasm.extend_from_slice(bytes);
    }
    limit("module size in bytes", MAX_MODULE_BYTES, wasm.len() as u64)?;
    Ok(wasm)
}

fn limit(what: &'static str, limit: u64, got: u64) -> Result<(), ModuleError> {
    if got > limit { Err(ModuleError::Limit { what, limit, got }) } else { Ok(()) }
}

fn inspect(wasm: &[u8], imports: &BTreeSet<String>) -> Result<Facts, ModuleError> {
    let mut facts = Facts::default();
    let mut custom_sections = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let known = import.module == "ic0" && imports.contains(import.name);
                    if !known || !matches!(import.ty, TypeRef::Func(_)) {
                        let (module, name) = (import.module.to_owned(), import.name.to_owned());
                        return Err(ModuleError::UnknownImport { module, name });
                    }
                }
            }
            Payload::FunctionSection(section) => {
                limit("number of functions", MAX_FUNCTIONS.into(), section.count().into())?;
            }
            Payload::GlobalSection(section) => {
                limit("number of globals", MAX_GLOBALS.into(), section.count().into())?;
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.kind == ExternalKind::Func {
                        facts.exports.insert(export.name.to_owned());
                    }
                }
                check_exports(&facts.exports)?;
            }
            Payload::CodeSectionStart { range, .. } => {
                limit("code section in bytes", MAX_CODE_BYTES, (range.end - range.start) as u64)?;
            }
            Payload::CodeSectionEntry(body) => {
                let mut operators = 0;
                for operator in body.get_operators_reader()? {
                    operators += 1;
                    facts.single_use |= changes_tables(&operator?);
                }
                limit("operators in one function", MAX_FUNCTION_OPERATORS, operators)?;
            }
            Payload::CustomSection(section) => {
                let (public, private) =
                    (section.name().strip_prefix("icp:public "), section.name().strip_prefix("icp:private "));
                if let Some(name) = public.or(private) {
                    custom_sections += 1;
                    facts.custom_bytes += name.len() + section.data().len();
                    let metadata = Metadata { public: public.is_some(), bytes: section.data().to_vec() };
                    facts.metadata.insert(name.to_owned(), metadata);
                }
            }
            _ => {}
        }
    }
    limit("number of icp custom sections", MAX_CUSTOM_SECTIONS as u64, custom_sections)?;
    limit("size of icp custom sections", MAX_CUSTOM_BYTES as u64, facts.custom_bytes as u64)?;
    Ok(facts)
}

fn check_exports(exports: &BTreeSet<String>) -> Result<(), ModuleError> {
    let mut methods = BTreeSet::new();
    let mut bytes = 0;
    for name in exports {
        let error = |reason| Err(ModuleError::Export { name: name.clone(), reason });
        let method = ["canister_update ", "canister_query ", "canister_composite_query "]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix));
        if let Some(method) = method {
            bytes += method.len();
            if !methods.insert(method) {
                return error("the method is exported in two roles");
            }
        } else if name.starts_with("canister_") && !LIFECYCLE.contains(&name.as_str()) {
            return error("names that start with canister_ are reserved");
        } else if name.starts_with(rewrite::RESERVED) {
            return error("the name is reserved by the node");
        }
    }
    limit("number of exported methods", MAX_EXPORTED_FUNCTIONS as u64, methods.len() as u64)?;
    limit("bytes of exported method names", MAX_EXPORTED_NAME_BYTES as u64, bytes as u64)
}

fn changes_tables(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. }
            | Operator::DataDrop { .. }
    )
}
