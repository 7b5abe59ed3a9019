//! Counts with `config:GetDiscoveredResourceCounts`: reads all pages and checks their sum.

use std::collections::btree_map::Entry;

use super::error::{CountError, Inconsistency};
use super::method::Counts;
use super::paging::Paging;
use crate::aws::client::{CallOutput, Client};
use crate::aws::error::{CallError, ErrorKind};
use crate::aws::operation::Operation;
use crate::aws::ops::get_discovered_resource_counts::{
    CountsPage, GetDiscoveredResourceCounts, MAX_TYPES,
};
use crate::model::{Region, ResourceType, ResourceTypes};

/// The maximum sum of the counts of a region. No account has as many resources, and the sums over all regions stay far
/// below the maximum of 64 bits.
const MAX_SUM: u64 = 1_000_000_000_000;

/// The maximum number of types; far more than AWS Config and third-party types together.
const MAX_COUNTED: usize = 20_000;

/// The first page of the counts, or the error of its call, if it was requested before the scan.
pub type FirstCountsPage = Result<CallOutput<CountsPage>, CallError>;

/// Returns the counts of `types`, without the types that have no resources. Uses `first` instead of a request for the
/// first page if there is one.
///
/// If a page token has expired or the counts have changed between two pages, the counts are fetched again.
///
/// # Errors
/// A call failed, or the pages are inconsistent; no count may be used.
pub fn fetch(
    client: &Client,
    region: &Region,
    types: &ResourceTypes,
    first: Option<FirstCountsPage>,
) -> Result<Counts, CountError> {
    let mut token = None;
    match fetch_pages(client, region, types, first, &mut token) {
        Err(error) if token.is_some() && is_changed(&error) => {
            fetch_pages(client, region, types, None, &mut None)
        }
        result => result,
    }
}

/// Returns true if several pages may be consistent when they are fetched again.
fn is_changed(error: &CountError) -> bool {
    match error {
        CountError::Call(call) => call.kind() == Some(ErrorKind::InvalidPageToken),
        CountError::Pages { inconsistency, .. } => matches!(
            inconsistency,
            Inconsistency::RepeatedType(_) | Inconsistency::WrongTotal { .. }
        ),
    }
}

/// Returns the counts of all pages. `token` is the page token of the last request.
fn fetch_pages(
    client: &Client,
    region: &Region,
    types: &ResourceTypes,
    mut first: Option<FirstCountsPage>,
    token: &mut Option<String>,
) -> Result<Counts, CountError> {
    let mut sum = Sum::default();
    let mut paging = Paging::new("counts");
    loop {
        let page = if let Some(page) = first.take() {
            page
        } else {
            let request = GetDiscoveredResourceCounts {
                next_token: token.as_deref(),
                page: paging.next_page(),
                ..first_page(types)
            };
            client.call(region, &request)
        }?;
        let request_id = page.request_id;
        let inconsistent =
            |why: Inconsistency| why.of(GetDiscoveredResourceCounts::NAME, request_id);
        if names_contain_credentials(client, &page.output) {
            return Err(inconsistent(Inconsistency::Credentials));
        }
        let CountsPage { total, counts, .. } = page.output;
        let is_empty = counts.is_empty();
        let next = page.output.next_token;
        let checked = sum.add(counts).and_then(|()| match &next {
            Some(next) => paging.add(next, is_empty),
            None => sum.check(total),
        });
        checked.map_err(inconsistent)?;
        if next.is_none() {
            return Ok(sum.counts_of(types));
        }
        *token = next;
    }
}

/// Returns the first request for the counts of `types`.
///
/// If there are more types than a request may name, all types are requested and filtered: this
/// takes fewer pages than several requests.
#[must_use]
pub fn first_page(types: &ResourceTypes) -> GetDiscoveredResourceCounts<'_> {
    let named = types.named().filter(|types| types.len() <= MAX_TYPES);
    GetDiscoveredResourceCounts {
        resource_types: named.unwrap_or_default(),
        next_token: None,
        page: 1,
    }
}

/// The pages so far.
#[derive(Default)]
struct Sum {
    counts: Counts,
    total: u64,
}

impl Sum {
    /// Adds a page, or returns what is wrong with it.
    fn add(&mut self, page: Vec<(ResourceType, u64)>) -> Result<(), Inconsistency> {
        for (resource_type, count) in page {
            self.total = self.total.saturating_add(count);
            if self.total > MAX_SUM {
                return Err(Inconsistency::TooLarge);
            }
            match self.counts.entry(resource_type) {
                Entry::Vacant(entry) => entry.insert(count),
                Entry::Occupied(entry) => {
                    return Err(Inconsistency::RepeatedType(entry.key().clone()));
                }
            };
        }
        if self.counts.len() > MAX_COUNTED {
            return Err(Inconsistency::TooManyTypes(MAX_COUNTED));
        }
        Ok(())
    }

    /// Compares the sum of all pages with the total of the response.
    fn check(&self, total: u64) -> Result<(), Inconsistency> {
        let sum = self.total;
        if sum == total {
            Ok(())
        } else {
            Err(Inconsistency::WrongTotal { sum, total })
        }
    }

    /// Returns the counts above zero of `types`.
    fn counts_of(mut self, types: &ResourceTypes) -> Counts {
        self.counts.retain(|t, n| *n > 0 && types.includes(t));
        self.counts
    }
}

/// Type names are shown and written to files, so they must not contain the credentials.
fn names_contain_credentials(client: &Client, page: &CountsPage) -> bool {
    let names = page.counts.iter().flat_map(|(t, _)| [t.as_str(), " "]);
    client.holds_key(&names.collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::aws::client::fake::{client, clock};
    use crate::http::fake::{FakeResponse, Scripted, answer_with};

    const VPC: &str = "AWS::EC2::VPC";
    const BUCKET: &str = "AWS::S3::Bucket";
    const ROLE: &str = "AWS::IAM::Role";

    /// A page with these counts and the given `totalDiscoveredResources`.
    fn page(total: u64, counts: &[(&str, u64)], next_token: Option<&str>) -> FakeResponse {
        let counts: Vec<_> = counts
            .iter()
            .map(|(t, n)| serde_json::json!({"resourceType": t, "count": n}))
            .collect();
        let mut body =
            serde_json::json!({"totalDiscoveredResources": total, "resourceCounts": counts});
        if let Some(token) = next_token {
            body["nextToken"] = token.into();
        }
        answer_with(200, &[("x-amzn-requestid", "r-1")], body.to_string())
    }

    fn named(types: &[&str]) -> ResourceTypes {
        ResourceTypes::Named(types.iter().map(|t| t.parse().unwrap()).collect())
    }

    fn counts(http: &Arc<Scripted>, types: &ResourceTypes) -> Result<Counts, CountError> {
        let client = client(http.clone(), clock());
        fetch(&client, &"eu-west-1".parse().unwrap(), types, None)
    }

    fn expected(counts: &[(&str, u64)]) -> Counts {
        let parsed = counts.iter().map(|(t, n)| (t.parse().unwrap(), *n));
        parsed.collect()
    }

    #[test]
    fn pages_are_added_and_match_total() {
        let http = Scripted::list([
            page(12, &[(VPC, 7)], Some("a")),
            page(12, &[], Some("b")),
            page(12, &[(BUCKET, 5), (ROLE, 0)], None),
        ]);
        assert_eq!(
            counts(&http, &ResourceTypes::All).unwrap(),
            expected(&[(VPC, 7), (BUCKET, 5)]),
            "types without resources are left out"
        );
        let bodies: Vec<serde_json::Value> = http
            .requests()
            .iter()
            .map(|r| serde_json::from_slice(&r.body).unwrap())
            .collect();
        assert_eq!(
            bodies,
            [
                serde_json::json!({}),
                serde_json::json!({"nextToken": "a"}),
                serde_json::json!({"nextToken": "b"})
            ]
        );
    }

    #[test]
    fn inconsistent_pages_are_an_error() {
        // They are fetched again, unless there is only one page.
        let twice = |pages: &[FakeResponse]| [pages, pages].concat();
        for (pages, why) in [
            (
                twice(&[
                    page(13, &[(VPC, 7)], Some("a")),
                    page(13, &[(BUCKET, 5)], None),
                ]),
                "pages with 12 resources but totalDiscoveredResources is 13",
            ),
            (
                vec![page(0, &[(VPC, 7)], None)],
                "pages with 7 resources but totalDiscoveredResources is 0",
            ),
            (
                vec![page(5, &[], None)],
                "pages with 0 resources but totalDiscoveredResources is 5",
            ),
            (
                twice(&[page(7, &[(VPC, 7)], Some("a")), page(7, &[(VPC, 7)], None)]),
                "the type AWS::EC2::VPC twice",
            ),
            (
                vec![page(1, &[(VPC, u64::MAX), (BUCKET, 1)], None)],
                "counts that are too large to add",
            ),
            (
                vec![page(u64::MAX, &[(VPC, u64::MAX)], None)],
                "counts that are too large to add",
            ),
            (
                vec![page(7, &[(VPC, 7)], Some("a")), page(7, &[], Some("a"))],
                "the same page token twice: the counts would never end",
            ),
        ] {
            let error = counts(&Scripted::list(pages), &ResourceTypes::All).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("config:GetDiscoveredResourceCounts returned {why} (request id r-1)")
            );
        }
    }

    #[test]
    fn endless_pages_are_an_error() {
        let n = std::sync::atomic::AtomicU32::new(0);
        let http = Scripted::by(move |_| {
            let token = n
                .fetch_add(1, std::sync::atomic::Ordering::SeqCst)
                .to_string();
            page(0, &[], Some(&token))
        });
        let error = counts(&http, &ResourceTypes::All).unwrap_err().to_string();
        assert!(error.contains("returned 10000 pages in a row"), "{error}");
    }

    #[test]
    fn changed_counts_are_fetched_again() {
        let expired = || answer_with(400, &[], r#"{"__type": "InvalidNextTokenException"}"#);
        for second in [
            page(12, &[(VPC, 7), (BUCKET, 5)], None),
            page(13, &[(BUCKET, 5)], None),
            expired(),
        ] {
            let http = Scripted::list([
                page(12, &[(VPC, 7)], Some("a")),
                second,
                page(13, &[(VPC, 8)], Some("b")),
                page(13, &[(BUCKET, 5)], None),
            ]);
            let found = counts(&http, &ResourceTypes::All).unwrap();
            assert_eq!(found, expected(&[(VPC, 8), (BUCKET, 5)]));
        }
        // They are fetched again once, not twice.
        let http = Scripted::list([
            page(12, &[(VPC, 7)], Some("a")),
            expired(),
            page(12, &[(VPC, 7)], Some("a")),
            expired(),
        ]);
        assert!(matches!(
            counts(&http, &ResourceTypes::All).unwrap_err(),
            CountError::Call(_)
        ));
    }

    #[test]
    fn many_empty_pages_are_counted() {
        let n = std::sync::atomic::AtomicU32::new(0);
        let http =
            Scripted::by(
                move |_| match n.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                    500 => page(7, &[(VPC, 7)], None),
                    n => page(7, &[], Some(&n.to_string())),
                },
            );
        assert_eq!(
            counts(&http, &ResourceTypes::All).unwrap(),
            expected(&[(VPC, 7)])
        );
    }

    #[test]
    fn more_than_twenty_types_are_filtered_from_all() {
        let http = Scripted::list([page(7, &[(VPC, 7)], None)]);
        let found = counts(&http, &named(&[VPC, BUCKET])).unwrap();
        assert_eq!(found, expected(&[(VPC, 7)]));
        let body = String::from_utf8(http.requests()[0].body.clone()).unwrap();
        assert_eq!(
            body,
            r#"{"resourceTypes":["AWS::EC2::VPC","AWS::S3::Bucket"]}"#
        );

        let many: Vec<String> = (10..31).map(|n| format!("AWS::EC2::Type{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let http = Scripted::list([page(9, &[(VPC, 7), (many[20], 2)], None)]);
        assert_eq!(
            counts(&http, &named(&many)).unwrap(),
            expected(&[(many[20], 2)]),
            "the sum covers all types, the counts only the requested ones"
        );
        assert_eq!(http.requests()[0].body, b"{}");
    }

    #[test]
    fn failed_page_leaves_no_counts() {
        let denied = r#"{"__type": "AccessDeniedException"}"#;
        let http = Scripted::list([
            page(12, &[(VPC, 7)], Some("a")),
            answer_with(400, &[], denied),
        ]);
        let error = counts(&http, &ResourceTypes::All).unwrap_err();
        assert!(matches!(error, CountError::Call(_)));
    }
}
