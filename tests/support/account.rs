//! A fake AWS account: its identity, and its resources by region and type.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use super::call::Call;
use super::reply::Reply;
use super::responder::Responder;
use super::server::Server;
use super::tls::Certificate;

/// The default and the maximum number of resources per page.
///
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_ListDiscoveredResources.html>
pub const PAGE_SIZE: usize = 100;

/// The state of a region's configuration recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorder {
    /// Recording.
    On,
    /// Stopped; resources discovered earlier are still listed.
    Stopped,
    /// No recorder in the region.
    None,
}

/// One enabled region of an account.
#[derive(Clone)]
pub struct RegionFixture {
    /// The region's recorder.
    pub recorder: Recorder,
    /// The types that the recorder does not record; it records all others, including those of IAM.
    pub not_recorded: BTreeSet<String>,
    /// The number of resources of each type.
    pub resources: BTreeMap<String, usize>,
}

impl RegionFixture {
    /// Returns the counts of the recorded types; none unless the recorder is recording.
    pub fn counted(&self) -> impl Iterator<Item = (&str, usize)> {
        let resources = self.resources.iter().map(|(t, n)| (t.as_str(), *n));
        resources.filter(|(t, n)| {
            self.recorder == Recorder::On && *n > 0 && !self.not_recorded.contains(*t)
        })
    }
}

/// A fake AWS account: its identity, and its resources by region and type.
#[derive(Clone)]
pub struct Account {
    /// The account ID, twelve digits.
    pub id: String,
    /// The account alias, if there is one.
    pub alias: Option<String>,
    /// The enabled regions.
    pub regions: BTreeMap<String, RegionFixture>,
    /// The regions that are not enabled, which only `AllRegions=true` lists.
    pub other_regions: Vec<String>,
    /// The minimum time that every response takes.
    pub latency: Duration,
}

impl Account {
    /// Creates an account without an alias and without regions.
    pub fn new() -> Self {
        Self {
            id: "012345678901".to_owned(),
            alias: None,
            regions: BTreeMap::new(),
            other_regions: Vec::new(),
            latency: Duration::ZERO,
        }
    }

    /// Sets the alias.
    pub fn alias(mut self, alias: &str) -> Self {
        self.alias = Some(alias.to_owned());
        self
    }

    /// Adds a region with the resources `counts` and a running recorder.
    pub fn region(self, name: &str, counts: &[(&str, usize)]) -> Self {
        self.region_with(name, Recorder::On, counts)
    }

    /// Adds a region that is not enabled.
    pub fn other_region(mut self, name: &str) -> Self {
        self.other_regions.push(name.to_owned());
        self
    }

    /// Adds a region with the resources `counts`.
    pub fn region_with(mut self, name: &str, recorder: Recorder, counts: &[(&str, usize)]) -> Self {
        let fixture = RegionFixture {
            recorder,
            not_recorded: BTreeSet::new(),
            resources: counts.iter().map(|(t, n)| ((*t).to_owned(), *n)).collect(),
        };
        self.regions.insert(name.to_owned(), fixture);
        self
    }

    /// Excludes `types` from the recorder of the region `name`.
    pub fn not_recording(mut self, name: &str, types: &[&str]) -> Self {
        let fixture = self.regions.get_mut(name).expect("a region of the account");
        fixture.not_recorded = types.iter().map(|t| (*t).to_owned()).collect();
        self
    }

    /// Sets the minimum time that every response takes.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Returns the CSV of a run without errors.
    pub fn csv(&self) -> String {
        let mut csv = "account,alias,region,resource_type,total\r\n".to_owned();
        let alias = self.alias.as_deref().unwrap_or_default();
        for (region, fixture) in &self.regions {
            let is_listed = |_: &_| fixture.recorder != Recorder::None;
            let counts = fixture.resources.iter().filter(is_listed);
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

    /// Returns the number of requests that list `types`, for each region.
    pub fn listings(&self, types: &[&str]) -> Vec<usize> {
        let pages = |fixture: &RegionFixture| {
            let pages_of_type = |t: &&str| {
                fixture
                    .resources
                    .get(*t)
                    .map_or(1, |n| n.div_ceil(PAGE_SIZE).max(1))
            };
            types.iter().map(pages_of_type).sum()
        };
        self.regions.values().map(pages).collect()
    }

    /// Returns a responder that acts as AWS for this account.
    pub fn responder(&self) -> Responder {
        Responder::new(self)
    }

    /// Starts a server that acts as AWS for this account.
    pub fn serve(&self) -> Server {
        self.serve_with(|_| None)
    }

    /// Starts a server that replies with `replies`, and as AWS where `replies` returns `None`.
    pub fn serve_with(
        &self,
        replies: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static,
    ) -> Server {
        Server::with_latency(self.latency, self.handler(replies))
    }

    /// Starts a server that acts as AWS for this account, over TLS.
    pub fn serve_tls(&self, certificate: &Certificate) -> Server {
        Server::with_tls(certificate, self.handler(|_| None))
    }

    /// Returns the handler of a server that replies as [`Self::serve_with`] says.
    pub fn handler(
        &self,
        replies: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static,
    ) -> impl Fn(&Call) -> Reply + Send + Sync + 'static {
        let responder = self.responder();
        move |call| replies(call).unwrap_or_else(|| responder.respond(call))
    }
}
