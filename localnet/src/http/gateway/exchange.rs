//! The Candid of `http_request`: a request as its argument, and its reply as a response.
//!
//! A reply is read without a fixed type, because the token of a streamed response may have any.

use candid::types::value::{IDLArgs, IDLField, IDLValue, VariantValue};
use candid::{CandidType, DecoderConfig, Principal};
use serde_bytes::ByteBuf;

/// What a hostile canister may make the decoder do; a reply of three megabytes costs about as many steps.
const DECODING_QUOTA: usize = 50_000_000;

/// What a gateway sends to a canister.
#[derive(Clone, Debug, CandidType)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: ByteBuf,
    pub(super) certificate_version: Option<u16>,
}

/// What a canister answers.
#[derive(Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// The canister asks for the same request as an update.
    pub(super) upgrade: bool,
    pub(super) next: Option<Callback>,
}

/// Where the rest of a body is to be asked for.
#[derive(Debug, PartialEq)]
pub(super) struct Callback {
    pub(super) canister: Principal,
    pub(super) method: String,
    token: IDLValue,
}

impl Request {
    pub(super) fn encode(&self) -> Result<Vec<u8>, String> {
        candid::encode_one(self).map_err(|error| error.to_string())
    }
}

impl Reply {
    /// Reads the reply of `http_request` or `http_request_update`.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut fields = Fields::decode(bytes)?;
        let status = match fields.take("status_code") {
            Some(IDLValue::Nat16(status)) => status,
            _ => return Err("status_code is not a nat16".into()),
        };
        let Some(IDLValue::Vec(list)) = fields.take("headers") else {
            return Err("headers is not a vector".into());
        };
        let headers = list.into_iter().map(header).collect::<Option<_>>();
        let upgrade = matches!(opt(fields.take("upgrade")), Some(IDLValue::Bool(true)));
        let next = opt(fields.take("streaming_strategy")).map(callback).transpose()?;
        Ok(Reply {
            status,
            headers: headers.ok_or("a header is not a pair of texts")?,
            body: fields.body()?,
            upgrade,
            next,
        })
    }
}

impl Callback {
    /// The argument of the callback.
    pub(super) fn argument(&self) -> Result<Vec<u8>, String> {
        let arguments = IDLArgs { args: vec![self.token.clone()] };
        arguments.to_bytes().map_err(|error| error.to_string())
    }

    /// Reads the callback's reply: more of the body, and the callback for the rest if there is any.
    pub(super) fn decode(self, bytes: &[u8]) -> Result<(Vec<u8>, Option<Callback>), String> {
        let mut fields = Fields::decode(bytes)?;
        let next = opt(fields.take("token")).map(|token| Callback { token, ..self });
        Ok((fields.body()?, next))
    }
}

fn header(value: IDLValue) -> Option<(String, String)> {
    let mut fields = Fields::of(value).ok()?;
    match (fields.take_id(0), fields.take_id(1)) {
        (Some(IDLValue::Text(name)), Some(IDLValue::Text(value))) => Some((name, value)),
        _ => None,
    }
}

fn callback(strategy: IDLValue) -> Result<Callback, String> {
    let IDLValue::Variant(VariantValue(case, _)) = strategy else {
        return Err("streaming_strategy is not a variant".into());
    };
    if case.id.get_id() != candid::idl_hash("Callback") {
        return Err("streaming_strategy is not a Callback".into());
    }
    let mut fields = Fields::of(case.val)?;
    match (fields.take("callback"), fields.take("token")) {
        (Some(IDLValue::Func(canister, method)), Some(token)) => Ok(Callback { canister, method, token }),
        _ => Err("the streaming callback has no function or no token".into()),
    }
}

/// The value of an optional field.
fn opt(value: Option<IDLValue>) -> Option<IDLValue> {
    match value {
        Some(IDLValue::Opt(value)) => Some(*value),
        _ => None,
    }
}

/// The fields of a record, taken out by name.
struct Fields(Vec<IDLField>);

impl Fields {
    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut config = DecoderConfig::new();
        config.set_decoding_quota(DECODING_QUOTA);
        let arguments = IDLArgs::from_bytes_with_config(bytes, &config).map_err(|error| error.to_string())?;
        Fields::of(arguments.args.into_iter().next().ok_or("the reply is empty")?)
    }

    fn of(value: IDLValue) -> Result<Self, String> {
        match value {
            IDLValue::Record(fields) => Ok(Fields(fields)),
            _ => Err("the value is not a record".into()),
        }
    }

    fn take(&mut self, name: &str) -> Option<IDLValue> {
        self.take_id(candid::idl_hash(name))
    }

    fn take_id(&mut self, id: u32) -> Option<IDLValue> {
        let at = self.0.iter().position(|field| field.id.get_id() == id)?;
        Some(self.0.swap_remove(at).val)
    }

    fn body(&mut self) -> Result<Vec<u8>, String> {
        match self.take("body") {
            Some(IDLValue::Blob(body)) => Ok(body),
            // An empty vector tells no type.
            Some(IDLValue::Vec(list)) if list.is_empty() => Ok(Vec::new()),
            _ => Err("body is not a blob".into()),
        }
    }
}
