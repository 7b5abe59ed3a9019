//! The check of the permission to count: the calls that the run's method needs, made once in a region.

use crate::aws::client::Client;
use crate::aws::error::{CallError, ErrorKind};
use crate::aws::ops::describe_configuration_recorder_status::DescribeConfigurationRecorderStatus;
use crate::aws::ops::list_discovered_resources::ListDiscoveredResources;
use crate::aws::partition::Partition;
use crate::inventory::counts::first_page;
use crate::inventory::{Method, Prefetched, StatusResponse};
use crate::model::{Region, ResourceType, ResourceTypes};
use crate::session::default_region;

/// Returns the region of the permission check: us-east-1 if it is enabled, else the start region. If `enabled` is
/// empty, the regions are not known yet. (us-east-1 cannot be disabled.)
pub(super) fn check_region(start: &Region, enabled: &[Region]) -> Region {
    let first = default_region();
    let same_partition = Partition::for_region(start) == Partition::for_region(&first);
    if same_partition && (enabled.is_empty() || enabled.contains(&first)) {
        first
    } else {
        home_region(start)
    }
}

/// Returns the start region; if that is a pseudo region, the global region of its partition.
pub(super) fn home_region(start: &Region) -> Region {
    let pseudo = Partition::of_pseudo_region(start);
    pseudo.map_or_else(|| start.clone(), Partition::global_region)
}

/// The permission to count in one region.
#[derive(Debug, Clone, Copy)]
pub(super) enum Permission {
    /// The calls are allowed, and the region has a recorder.
    Allowed,
    /// The calls are allowed, and the region has no recorder.
    NoRecorder,
    /// The calls are allowed; the region may or may not have a recorder.
    Inconclusive,
}

/// The calls of the check; the scan uses the responses.
pub(super) struct PermissionCheck<'a> {
    pub(super) client: &'a Client,
    pub(super) method: Method,
    pub(super) types: &'a ResourceTypes,
    pub(super) prefetched: &'a Prefetched,
}

/// Returns the name of the check.
pub(super) fn name(method: Method, types: &ResourceTypes) -> &'static str {
    match (method.lists(), method.asks_counts(types)) {
        (true, false) => "IAM permission: config:ListDiscoveredResources",
        (false, _) => "IAM permission: config:GetDiscoveredResourceCounts",
        (true, true) => {
            "IAM permission: config:ListDiscoveredResources, config:GetDiscoveredResourceCounts"
        }
    }
}

impl PermissionCheck<'_> {
    /// Makes every call that the count needs, in `region`.
    pub(super) fn run(&self, region: &Region) -> Result<Permission, CallError> {
        let mut counted = Vec::new();
        if self.method.asks_counts(self.types) {
            let page = self.client.call(region, &first_page(self.types));
            self.prefetched.keep_counts(region, page.clone());
            counted = page?.output.counts.into_iter().map(|(t, _)| t).collect();
        }
        match (self.method.lists(), counted.is_empty()) {
            (true, _) => self.list(region, counted.first()),
            // An empty response cannot distinguish "no recorder" from "no resources".
            (false, true) => Ok(Permission::Inconclusive),
            (false, false) => Ok(Permission::Allowed),
        }
    }

    /// Requests the first page of a type that AWS Config supports, such as one that it has just
    /// counted. For an unsupported type the error may hide the missing permission.
    fn list(
        &self,
        region: &Region,
        counted: Option<&ResourceType>,
    ) -> Result<Permission, CallError> {
        let common = ResourceType::common();
        let mut named = self.types.named().unwrap_or_default().iter();
        let named = named.find(|t| common.contains(t));
        let operation = ListDiscoveredResources {
            resource_type: named.or(counted).unwrap_or(&common[0]),
            next_token: None,
            page: 1,
        };
        let page = self.client.call(region, &operation);
        let resource_type = operation.resource_type;
        self.prefetched
            .keep_page(region, resource_type, page.clone());
        match page {
            Ok(_) => Ok(Permission::Allowed),
            Err(e) => match e.kind() {
                Some(ErrorKind::ResourceNotDiscovered) => Ok(Permission::Allowed),
                Some(ErrorKind::NoRecorder) => Ok(Permission::NoRecorder),
                // Only this type cannot be counted.
                _ if e.cause.has_invalid_item() => Ok(Permission::Inconclusive),
                _ => Err(e),
            },
        }
    }

    /// Returns the recorder status of `region`, from an earlier call if there was one.
    pub(super) fn recorder_status(&self, region: &Region) -> StatusResponse {
        self.prefetched.status(region).unwrap_or_else(|| {
            let operation = DescribeConfigurationRecorderStatus {};
            let status = self.client.call(region, &operation);
            self.prefetched.keep_status(region, status.clone());
            status
        })
    }
}
