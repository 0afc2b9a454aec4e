//! Rewrites a module so that the node can save and restore all of its state.
//!
//! The memory, the function table and every mutable global get an export under a reserved name, and the start
//! section becomes an export too: it must run once, at installation, and not each time an instance is rebuilt.
//! Nothing else changes, so instruction counts do not.

use wasm_encoder::{ExportKind, ExportSection, Module, RawSection, SectionId};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef, ValType};

use super::module::ModuleError;

/// Prefix of the exports that the node adds.
pub(super) const RESERVED: &str = "localnet ";
pub(super) const MEMORY: &str = "localnet memory";
pub(super) const TABLE: &str = "localnet table";
pub(super) const START: &str = "localnet start";

/// Which exports were added.
#[derive(Default)]
pub(super) struct Hidden {
    pub(super) memory: bool,
    pub(super) table: bool,
    pub(super) start: bool,
    /// Names of the exports of all mutable globals.
    pub(super) globals: Vec<String>,
}

/// Returns the module with its hidden state exported.
pub(super) fn expose(wasm: &[u8]) -> Result<(Vec<u8>, Hidden), ModuleError> {
    let mut hidden = Hidden::default();
    let mut exports = ExportSection::new();
    let mut start = None;
    let mut sections: Vec<(u8, &[u8])> = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        match &payload {
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    if !matches!(import?.ty, TypeRef::Func(_)) {
                        return Err(ModuleError::Malformed("only functions may be imported".into()));
                    }
                }
            }
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    let export = export?;
                    exports.export(export.name, kind(export.kind)?, export.index);
                }
            }
            Payload::MemorySection(section) => hidden.memory = section.count() > 0,
            Payload::TableSection(section) => hidden.table = section.count() > 0,
            Payload::GlobalSection(section) => {
                for (index, global) in section.clone().into_iter().enumerate() {
                    let ty = global?.ty;
                    if !ty.mutable {
                        continue;
                    }
                    if matches!(ty.content_type, ValType::Ref(_)) {
                        return Err(ModuleError::Malformed("a mutable global holds a reference".into()));
                    }
                    let name = format!("{RESERVED}global {index}");
                    exports.export(&name, ExportKind::Global, index as u32);
                    hidden.globals.push(name);
                }
            }
            Payload::StartSection { func, .. } => start = Some(*func),
            _ => {}
        }
        if let Some((id, range)) = payload.as_section()
            && ![SectionId::Custom as u8, SectionId::Start as u8, SectionId::Export as u8].contains(&id)
        {
            sections.push((id, &wasm[range]));
        }
    }
    if hidden.memory {
        exports.export(MEMORY, ExportKind::Memory, 0);
    }
    if hidden.table {
        exports.export(TABLE, ExportKind::Table, 0);
    }
    if let Some(function) = start {
        hidden.start = true;
        exports.export(START, ExportKind::Func, function);
    }

    let mut module = Module::new();
    let mut exports = Some(exports);
    for (id, data) in sections {
        if comes_after_exports(id)
            && let Some(exports) = exports.take()
        {
            module.section(&exports);
        }
        module.section(&RawSection { id, data });
    }
    if let Some(exports) = exports {
        module.section(&exports);
    }
    Ok((module.finish(), hidden))
}

fn comes_after_exports(id: u8) -> bool {
    [SectionId::Element as u8, SectionId::DataCount as u8, SectionId::Code as u8, SectionId::Data as u8]
        .contains(&id)
}

fn kind(kind: ExternalKind) -> Result<ExportKind, ModuleError> {
    Ok(match kind {
        ExternalKind::Func => ExportKind::Func,
        ExternalKind::Table => ExportKind::Table,
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Global => ExportKind::Global,
        _ => return Err(ModuleError::Malformed("an export of unknown kind".into())),
    })
}
