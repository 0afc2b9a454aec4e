//! Signs a complete log, and opens records of it.

use std::path::Path;

use audit::{
    Digest, SAMPLE_RULE,
    certificate::Nanoseconds,
    draw_sample,
    dsse::{self, Envelope, Signature},
    log::{
        self, Draw, LOG_RULE, LogFacts, OPENINGS_FORMAT, Opening, Openings, Predictions, Record, Signed,
        Statement, Tree, salt,
    },
};
use candid::Principal;
use ic_agent::Identity;

use super::{
    LogRunError, Parameters,
    folder::{Folder, Outputs},
};

/// DER of an Ed25519 public key (RFC 8410), before its 32 bytes.
const DER_ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Most bytes of an opening apart from its output: a path of 20 digests and the names of its members.
const OPENING: u64 = 1700;

/// The principal of an Ed25519 key.
pub fn principal(key: &Digest) -> Principal {
    Principal::self_authenticating([&DER_ED25519[..], &key.0].concat())
}

/// The Ed25519 public key of an identity.
pub fn public_key(identity: &dyn Identity) -> Result<Digest, LogRunError> {
    let refused = |cause: &str| LogRunError::Key(cause.to_owned());
    let der = identity.public_key().ok_or_else(|| refused("it has no public key"))?;
    let key = der.strip_prefix(&DER_ED25519).and_then(|key| key.try_into().ok());
    key.map(Digest).ok_or_else(|| refused("it is no Ed25519 key"))
}

/// Signs the log in a folder: the envelope's JSON, already verified.
pub fn sign(folder: &Path, identity: &dyn Identity, now_ns: u64) -> Result<Vec<u8>, LogRunError> {
    let refused = LogRunError::Key;
    let folder = Folder::new(folder);
    let (parameters, bytes, records) = complete(&folder)?;
    let key = public_key(identity)?;
    let predicate = Predictions {
        log: LogFacts {
            rule: LOG_RULE.to_owned(),
            root: tree(&records).root(),
            size: records.len() as u32,
            scores: parameters.scores,
        },
        rows: parameters.rows,
        dataset_rows: parameters.dataset_rows,
        classes: parameters.classes,
        favourable: parameters.favourable,
        attributes: parameters.attributes,
        counters: folder.counters()?,
        decision: parameters.decision,
        runtime: parameters.runtime,
        language: parameters.language,
        signer: key,
        created_at: Nanoseconds(now_ns),
    };
    let model = (parameters.model.name.as_str(), parameters.model.digest);
    let dataset = (parameters.dataset.name.as_str(), parameters.dataset.digest);
    let json = Statement::new(model, dataset, predicate)?.to_json()?;
    let signature = identity.sign_arbitrary(&dsse::pre_authentication(&json)).map_err(refused)?;
    let signature = signature.signature.ok_or_else(|| refused("it gives no signature".to_owned()))?;
    let keyid = identity.sender().map_err(refused)?.to_text();
    let envelope = serde_json::to_vec(&Envelope::new(&json, Signature::new(keyid, &signature)));
    let envelope = envelope.map_err(|cause| refused(cause.to_string()))?;
    // What is handed out is what anyone will verify.
    Signed::verify(&envelope)?.check_records(&bytes)?;
    Ok(envelope)
}

/// What is handed in of a complete log and its signed statement.
pub fn submission(folder: &Path, envelope: &[u8]) -> Result<Vec<u8>, LogRunError> {
    let (_, bytes, records) = complete(&Folder::new(folder))?;
    Signed::verify(envelope)?.check_records(&bytes)?;
    Ok(log::submission(envelope, &records))
}

/// Which records are opened.
#[derive(Debug, Clone)]
pub enum Places {
    /// Those of these rows of the dataset.
    Rows(Vec<u32>),
    /// So many that a seed draws.
    Drawn {
        /// The seed.
        seed: Digest,
        /// How many.
        count: u32,
    },
}

/// Most bytes that so many openings of a complete log can have, whichever are drawn.
pub fn openings_bytes(folder: &Path, count: u32) -> Result<u64, LogRunError> {
    let folder = Folder::new(folder);
    let (parameters, _, records) = complete(&folder)?;
    let outputs = Outputs::read(&folder, &parameters)?;
    let mut lengths: Vec<u64> =
        (0..records.len()).map(|at| outputs.get(at).map_or(0, <[u8]>::len) as u64).collect();
    lengths.sort_unstable_by(|one, other| other.cmp(one));
    // Two hex digits a byte; the rest of an opening is at most so long.
    Ok(OPENING + lengths.iter().take(count as usize).map(|length| OPENING + 2 * length).sum::<u64>())
}

/// Opens records of a complete log.
pub fn open(folder: &Path, places: &Places) -> Result<Openings, LogRunError> {
    let folder = Folder::new(folder);
    let (parameters, _, records) = complete(&folder)?;
    let (outputs, secret) = (Outputs::read(&folder, &parameters)?, folder.secret()?);
    let tree = tree(&records);
    let (indices, draw) = match places {
        Places::Rows(rows) => {
            let place = |&row: &u32| {
                let found = records.binary_search_by_key(&row, |record| record.row);
                found.map(|index| index as u32).map_err(|_| LogRunError::NoRow(row))
            };
            let mut indices = rows.iter().map(place).collect::<Result<Vec<_>, _>>()?;
            indices.sort_unstable();
            indices.dedup();
            (indices, None)
        }
        Places::Drawn { seed, count } => {
            let draw = Draw { rule: SAMPLE_RULE.to_owned(), seed: *seed };
            (draw_sample(&seed.0, records.len() as u32, *count), Some(draw))
        }
    };
    let opening = |index: u32| {
        let damaged = || LogRunError::Damaged { folder: folder.path().to_owned(), index };
        let at = index as usize;
        let record = records.get(at).copied().ok_or_else(damaged)?;
        let opening = Opening {
            index,
            row: record.row,
            input: record.input,
            class: record.class,
            salt: salt(&secret, index),
            output: outputs.get(at).ok_or_else(damaged)?.to_vec(),
            path: tree.path(index).ok_or_else(damaged)?,
        };
        if opening.record() != record {
            return Err(damaged());
        }
        Ok(opening)
    };
    let openings = indices.into_iter().map(opening).collect::<Result<_, LogRunError>>()?;
    Ok(Openings { format: OPENINGS_FORMAT.to_owned(), root: tree.root(), draw, openings })
}

/// Parameters and records of a log that has them all.
fn complete(folder: &Folder) -> Result<(Parameters, Vec<u8>, Vec<Record>), LogRunError> {
    let parameters = folder.parameters()?;
    let expected = parameters.rows.expand(parameters.dataset_rows)?.len() as u32;
    let bytes = if folder.path().join("records.bin").exists() { folder.records()? } else { Vec::new() };
    let got = (bytes.len() / Record::LEN) as u32;
    if got != expected || !folder.path().join("counters.json").exists() {
        return Err(folder.incomplete(expected, got));
    }
    let records = Record::parse_all(&bytes)?;
    Ok((parameters, bytes, records))
}

fn tree(records: &[Record]) -> Tree {
    Tree::new(records.iter().map(|record| record.leaf()).collect())
}
