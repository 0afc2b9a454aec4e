//! What pages need to find fast, derived from the records.

use std::collections::{BTreeMap, BTreeSet};

use candid::Principal;
use interface::{AuditId, CertificateId, DigestBytes, Error};
use pages::{Measure, Scores};

use crate::storage::DigestKey;

/// Where to find what.
#[derive(Default)]
pub struct Index {
    /// Certificates of each model, in order of issue.
    pub certificates: BTreeMap<DigestKey, BTreeSet<CertificateId>>,
    /// Audits of each model, in order of request.
    pub audits: BTreeMap<DigestKey, BTreeSet<AuditId>>,
    /// Models of each owner and name, in order of registration.
    pub versions: BTreeMap<(Principal, String), BTreeSet<(u64, DigestKey)>>,
    /// The leaderboard of each dataset.
    pub boards: BTreeMap<DigestKey, Board>,
    /// Certificates under each policy's name.
    pub policies: BTreeMap<String, BTreeSet<CertificateId>>,
    /// Certificates that stand and have an end, by that.
    pub expiries: BTreeSet<(u64, CertificateId)>,
}

/// Models on a dataset: each by its newest certificate, if that stands. An older one does not come back when a newer one
/// is revoked, or revoking would choose the best of many audits.
#[derive(Default)]
pub struct Board {
    newest: BTreeMap<DigestKey, (CertificateId, bool)>,
    ranked: BTreeMap<Measure, BTreeSet<(Place, CertificateId)>>,
}

/// See [`Measure::rank`].
type Place = (u8, i64);

impl Board {
    /// Notes whether a certificate of `model` stands; `scores` tells those of any certificate.
    pub fn set(
        &mut self,
        model: DigestBytes,
        id: CertificateId,
        stands: bool,
        scores: impl Fn(CertificateId) -> Result<Scores, Error>,
    ) -> Result<(), Error> {
        let before = self.newest.get(&model.0).copied();
        if before.is_some_and(|(newest, _)| id < newest) || before == Some((id, stands)) {
            return Ok(());
        }
        self.newest.insert(model.0, (id, stands));
        let shown =
            |entry: Option<(CertificateId, bool)>| entry.filter(|(_, stands)| *stands).map(|(id, _)| id);
        for (add, entry) in [(false, shown(before)), (true, shown(Some((id, stands))))] {
            let Some(id) = entry else { continue };
            for score in scores(id)?.0 {
                let ranking = self.ranked.entry(score.measure).or_default();
                let place = (score.measure.rank(&score), id);
                if add {
                    ranking.insert(place)
                } else {
                    ranking.remove(&place)
                };
            }
        }
        Ok(())
    }

    /// Whether a model has a certificate here.
    pub fn has(&self, model: DigestBytes) -> bool {
        self.newest.contains_key(&model.0)
    }

    /// Every measure that ranks somebody.
    pub fn measures(&self) -> impl Iterator<Item = Measure> {
        self.ranked.keys().copied()
    }

    /// Number of models that are ranked.
    pub fn models(&self) -> u64 {
        self.newest.values().filter(|(_, stands)| *stands).count() as u64
    }

    /// Certificates ranked by a measure, the best first.
    pub fn ranked(&self, measure: Measure) -> impl Iterator<Item = CertificateId> {
        self.ranked.get(&measure).into_iter().flatten().map(|(_, id)| *id)
    }
}
