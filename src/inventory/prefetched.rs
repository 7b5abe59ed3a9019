//! Responses that the checks have fetched before the scan, which uses them instead of requests.

use std::collections::HashMap;
use std::sync::Mutex;

use super::counts::FirstCountsPage;
use super::list::FirstPage;
use crate::aws::client::CallOutput;
use crate::aws::error::CallError;
use crate::aws::ops::describe_configuration_recorder_status::RecorderStatus;
use crate::model::{Region, ResourceType};
use crate::sync;

/// The recorder statuses of a region, or the error of the call.
pub type StatusResponse = Result<CallOutput<Vec<RecorderStatus>>, CallError>;

/// The prefetched responses by region; each is taken once. Failures are kept too.
#[derive(Default)]
pub struct Prefetched {
    pages: Mutex<HashMap<(Region, ResourceType), FirstPage>>,
    counts: Mutex<HashMap<Region, FirstCountsPage>>,
    statuses: Mutex<HashMap<Region, StatusResponse>>,
}

impl Prefetched {
    /// Keeps the first page of a listing.
    pub fn keep_page(&self, region: &Region, resource_type: &ResourceType, page: FirstPage) {
        put(&self.pages, (region.clone(), resource_type.clone()), page);
    }

    /// Keeps the first page of the counts.
    pub fn keep_counts(&self, region: &Region, page: FirstCountsPage) {
        put(&self.counts, region.clone(), page);
    }

    /// Keeps the recorder statuses.
    pub fn keep_status(&self, region: &Region, status: StatusResponse) {
        put(&self.statuses, region.clone(), status);
    }

    /// Returns the recorder statuses, and keeps them.
    #[must_use]
    pub fn status(&self, region: &Region) -> Option<StatusResponse> {
        let statuses = sync::lock(&self.statuses);
        statuses.get(region).cloned()
    }

    /// Takes the first page of a listing.
    #[must_use]
    pub fn take_page(&self, region: &Region, resource_type: &ResourceType) -> Option<FirstPage> {
        take(&self.pages, &(region.clone(), resource_type.clone()))
    }

    /// Takes the first page of the counts.
    #[must_use]
    pub fn take_counts(&self, region: &Region) -> Option<FirstCountsPage> {
        take(&self.counts, region)
    }

    /// Takes the recorder statuses.
    #[must_use]
    pub fn take_status(&self, region: &Region) -> Option<StatusResponse> {
        take(&self.statuses, region)
    }
}

fn put<K: std::hash::Hash + Eq, V>(map: &Mutex<HashMap<K, V>>, key: K, value: V) {
    let mut map = sync::lock(map);
    map.insert(key, value);
}

fn take<K: std::hash::Hash + Eq, V>(map: &Mutex<HashMap<K, V>>, key: &K) -> Option<V> {
    let mut map = sync::lock(map);
    map.remove(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::client::fake::{call_error, service_cause};
    use crate::aws::error::ErrorKind;
    use crate::aws::ops::list_discovered_resources::ResourcePage;

    fn denied(region: &Region) -> CallError {
        CallError {
            region: region.clone(),
            ..call_error(service_cause("AccessDeniedException", "", 400))
        }
    }

    #[test]
    fn page_is_taken_once_for_its_type() {
        let prefetched = Prefetched::default();
        let [region, other] = ["eu-west-1", "us-east-1"].map(|r| r.parse().unwrap());
        let [bucket, vpc] = ["AWS::S3::Bucket", "AWS::EC2::VPC"].map(|t| t.parse().unwrap());
        let output = ResourcePage {
            ids: vec![1, 2, 3],
            next_token: None,
        };
        let request_id = None;
        let page = Ok(CallOutput { output, request_id });
        prefetched.keep_page(&region, &bucket, page);
        prefetched.keep_page(&region, &vpc, Err(denied(&region)));
        assert!(prefetched.take_page(&other, &bucket).is_none());
        let page = prefetched.take_page(&region, &bucket).unwrap();
        assert_eq!(page.unwrap().output.ids, [1, 2, 3]);
        assert!(prefetched.take_page(&region, &bucket).is_none(), "once");
        let failure = prefetched.take_page(&region, &vpc).unwrap();
        let kind = failure.unwrap_err().kind();
        assert_eq!(kind, Some(ErrorKind::AccessDenied), "a failure is kept too");
    }

    #[test]
    fn status_stays_until_it_is_taken() {
        let (prefetched, region) = (Prefetched::default(), "eu-west-1".parse().unwrap());
        assert!(prefetched.status(&region).is_none());
        prefetched.keep_status(&region, Err(denied(&region)));
        assert!(prefetched.status(&region).is_some());
        assert!(prefetched.take_status(&region).is_some());
        assert!(prefetched.take_status(&region).is_none());
    }
}
