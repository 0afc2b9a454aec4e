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
    /// Certificates that stand and have an end, by that.
    pub expiries: BTreeSet<(u64, CertificateId)>,
}

/// Models on a dataset: each by its newest certificate that stands.
#[derive(Default)]
pub struct Board {
    standing: BTreeMap<DigestKey, BTreeSet<CertificateId>>,
    ranked: BTreeMap<Measure, BTreeSet<(i64, CertificateId)>>,
}

impl Board {
    /// Notes whether a certificate of `model` stands; `scores` tells those of any certificate.
    pub fn set(
        &mut self,
        model: DigestBytes,
        id: CertificateId,
        stands: bool,
        scores: impl Fn(CertificateId) -> Result<Scores, Error>,
    ) -> Result<(), Error> {
        let own = self.standing.entry(model.0).or_default();
        let before = own.last().copied();
        if stands {
            own.insert(id)
        } else {
            own.remove(&id)
        };
        let after = own.last().copied();
        if own.is_empty() {
            self.standing.remove(&model.0);
        }
        if before == after {
            return Ok(());
        }
        for (shown, entry) in [(false, before), (true, after)] {
            let Some(id) = entry else { continue };
            for score in scores(id)?.0 {
                let ranking = self.ranked.entry(score.measure).or_default();
                let place = (score.measure.rank(&score), id);
                if shown {
                    ranking.insert(place)
                } else {
                    ranking.remove(&place)
                };
            }
        }
        Ok(())
    }

    /// Number of models.
    pub fn models(&self) -> u64 {
        self.standing.len() as u64
    }

    /// Certificates ranked by a measure, the best first.
    pub fn ranked(&self, measure: Measure) -> impl Iterator<Item = CertificateId> {
        self.ranked.get(&measure).into_iter().flatten().map(|(_, id)| *id)
    }
}
