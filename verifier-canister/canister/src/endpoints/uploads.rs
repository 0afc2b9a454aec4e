use candid::candid_method;
use ic_cdk::{query, update};
use interface::{ArtefactKind, BeginUpload, Error, PutChunk, UploadKey, UploadStatus};

use super::{Arg, change, context, decode, log, read};

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn begin_upload(request: Arg<BeginUpload>) -> Result<UploadStatus, Error> {
    let request = request.0?;
    change(|state| state.begin_upload(&context(), request))
}

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn put_chunk(request: Arg<PutChunk>) -> Result<(), Error> {
    let request = request.0?;
    change(|state| state.put_chunk(&context(), request))
}

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn seal_upload(request: Arg<UploadKey>) -> Result<(), Error> {
    let request = request.0?;
    let sealed = change(|state| state.seal_upload(&context(), request));
    let instructions = ic_cdk::api::instruction_counter();
    if request.kind == ArtefactKind::PrivateModel {
        change(|state| state.add_verification(instructions))?;
    }
    sealed?;
    log(format!("{} {} sealed with {instructions} instructions", request.kind, request.digest));
    Ok(())
}

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn abort_upload(request: Arg<UploadKey>) -> Result<(), Error> {
    let request = request.0?;
    change(|state| state.abort_upload(&context(), request))
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn upload_status(request: Arg<UploadKey>) -> Result<UploadStatus, Error> {
    let request = request.0?;
    read(|state| state.upload_status(&context(), request))
}

#[query(hidden = true)]
#[candid_method(query)]
fn uploads() -> Result<Vec<UploadStatus>, Error> {
    read(|state| state.uploads(&context()))
}
