use candid::candid_method;
use ic_cdk::{api::data_certificate, query};
use interface::{
    CertifiedDataset, CertifiedModel, DatasetPage, DatasetsRequest, DigestBytes, Error, ModelPage,
    ModelsRequest, ReadRequest,
};
use serde_bytes::ByteBuf;

use super::{Arg, decode, read};

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn datasets(request: Arg<DatasetsRequest>) -> Result<DatasetPage, Error> {
    let request = request.0?;
    read(|state| state.list_datasets(&request))
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn dataset(request: Arg<DigestBytes>) -> Result<CertifiedDataset, Error> {
    let digest = request.0?;
    read(|state| state.certified_dataset(digest, data_certificate()))
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn read_dataset(request: Arg<ReadRequest>) -> Result<ByteBuf, Error> {
    let request = request.0?;
    read(|state| state.read_dataset(request)).map(ByteBuf::from)
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn models(request: Arg<ModelsRequest>) -> Result<ModelPage, Error> {
    let request = request.0?;
    read(|state| state.list_models(&request))
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn model(request: Arg<DigestBytes>) -> Result<CertifiedModel, Error> {
    let digest = request.0?;
    read(|state| state.certified_model(digest, data_certificate()))
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn read_model(request: Arg<ReadRequest>) -> Result<ByteBuf, Error> {
    let request = request.0?;
    read(|state| state.read_model(request)).map(ByteBuf::from)
}
