//! An AWS account: who it is, and what it holds where.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use super::answers::Answers;
use super::call::Call;
use super::reply::Reply;
use super::server::Server;
use super::tls::Certificate;

/// The default and the greatest size of a page.
///
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_ListDiscoveredResources.html>
pub const PAGE_SIZE: usize = 100;

/// A region's configuration recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorder {
    /// It records.
    On,
    /// It is stopped; what it found is still listed.
    Stopped,
    /// There is none.
    None,
}

/// One enabled region of an account.
#[derive(Clone)]
pub struct Place {
    /// The region's recorder.
    pub recorder: Recorder,
    /// The types that the recorder leaves out; it records all others, IAM's included.
    pub left_out: BTreeSet<String>,
    /// How many resources there are of each type.
    pub resources: BTreeMap<String, usize>,
}

impl Place {
    /// What its recorder counts: nothing unless it records, and nothing of what it leaves out.
    pub fn counted(&self) -> impl Iterator<Item = (&str, usize)> {
        let resources = self.resources.iter().map(|(t, n)| (t.as_str(), *n));
        resources
            .filter(|(t, n)| self.recorder == Recorder::On && *n > 0 && !self.left_out.contains(*t))
    }
}

/// An account: who it is, and what it holds where.
#[derive(Clone)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// The alias, if it has one.
    pub alias: Option<String>,
    /// The enabled regions.
    pub regions: BTreeMap<String, Place>,
    /// How long every answer takes.
    pub latency: Duration,
}

impl Account {
    /// An account without an alias and without a region.
    pub fn new() -> Self {
        Self {
            id: "012345678901".to_owned(),
            alias: None,
            regions: BTreeMap::new(),
            latency: Duration::ZERO,
        }
    }

    /// The same account with an alias.
    pub fn alias(mut self, alias: &str) -> Self {
        self.alias = Some(alias.to_owned());
        self
    }

    /// The same account with one more region, which holds `counts` and records.
    pub fn region(self, name: &str, counts: &[(&str, usize)]) -> Self {
        self.region_with(name, Recorder::On, counts)
    }

    /// The same account with one more region.
    pub fn region_with(mut self, name: &str, recorder: Recorder, counts: &[(&str, usize)]) -> Self {
        let place = Place {
            recorder,
            left_out: BTreeSet::new(),
            resources: counts.iter().map(|(t, n)| ((*t).to_owned(), *n)).collect(),
        };
        self.regions.insert(name.to_owned(), place);
        self
    }

    /// The same account, where the recorder of its region `name` leaves `types` out.
    pub fn leaving_out(mut self, name: &str, types: &[&str]) -> Self {
        let place = self.regions.get_mut(name).expect("one of its regions");
        place.left_out = types.iter().map(|t| (*t).to_owned()).collect();
        self
    }

    /// The same account, farther away.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// The CSV that a run without incidents leaves.
    pub fn csv(&self) -> String {
        let mut csv = "account,alias,region,resource_type,total\r\n".to_owned();
        let alias = self.alias.as_deref().unwrap_or_default();
        for (region, place) in &self.regions {
            let listed = |_: &_| place.recorder != Recorder::None;
            let counts = place.resources.iter().filter(listed);
            for (resource_type, total) in counts.filter(|(_, total)| **total > 0) {
                let _ = write!(
                    csv,
                    "{},{alias},{region},{resource_type},{total}\r\n",
                    self.id
                );
            }
        }
        csv
    }

    /// How many requests it takes to list each of `types`, region by region.
    pub fn listings(&self, types: &[&str]) -> Vec<usize> {
        let pages = |place: &Place| {
            let of = |t: &&str| {
                place
                    .resources
                    .get(*t)
                    .map_or(1, |n| n.div_ceil(PAGE_SIZE).max(1))
            };
            types.iter().map(of).sum()
        };
        self.regions.values().map(pages).collect()
    }

    /// What AWS answers for this account.
    pub fn answers(&self) -> Answers {
        Answers::of(self)
    }

    /// A server that answers as AWS does for this account.
    pub fn serve(&self) -> Server {
        self.serve_but(|_| None)
    }

    /// A server that answers as AWS does, where `differently` has no answer of its own.
    pub fn serve_but(
        &self,
        differently: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static,
    ) -> Server {
        Server::distant(self.latency, self.handler(differently))
    }

    /// The same over TLS.
    pub fn serve_tls(&self, certificate: &Certificate) -> Server {
        Server::tls(certificate, self.handler(|_| None))
    }

    fn handler(
        &self,
        differently: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static,
    ) -> impl Fn(&Call) -> Reply + Send + Sync + 'static {
        let answers = self.answers();
        move |call| differently(call).unwrap_or_else(|| answers.answer(call))
    }
}
