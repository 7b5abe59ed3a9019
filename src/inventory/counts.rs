//! Counts with `config:GetDiscoveredResourceCounts`: reads all pages and checks their sum.

use std::collections::HashSet;
use std::collections::btree_map::Entry;
use std::hash::{BuildHasher, RandomState};

use super::{CountError, Counts};
use crate::aws::client::Client;
use crate::aws::operation::Operation;
use crate::aws::ops::get_discovered_resource_counts::{GetDiscoveredResourceCounts, MAX_TYPES};
use crate::model::{KnownTypes, Region, ResourceType, ResourceTypes};

/// The maximum number of pages. A page has 100 types; AWS Config supports about 550.
const MAX_PAGES: usize = 200;

/// The maximum number of types; far more than AWS Config and third-party types together.
const MAX_COUNTED: usize = 20_000;

/// Returns the counts of `types`, without the types that have no resources.
pub(super) fn counts(
    client: &Client,
    known: &KnownTypes,
    region: &Region,
    types: &ResourceTypes,
) -> Result<Counts, CountError> {
    let hasher = RandomState::new();
    let mut counts = Counts::new();
    let mut seen = HashSet::new();
    let mut token: Option<String> = None;
    let mut sum: u64 = 0;
    for _ in 0..MAX_PAGES {
        let page = GetDiscoveredResourceCounts {
            next_token: token.as_deref(),
            known: Some(known),
            ..first_page(types)
        };
        let response = client.call(region, &page)?;
        let broken = |why| Err(broken(why, response.request_id.clone()));
        let new = response.output.new;
        if !new.is_empty() {
            let names: String = new.iter().flat_map(|t| [t.as_str(), " "]).collect();
            if client.holds_key(&names) {
                return broken("a type name that contains the caller's credentials".to_owned());
            }
            known.add(new);
        }
        for (resource_type, count) in response.output.counts {
            let Some(new_sum) = sum.checked_add(count) else {
                return broken("counts that are too large to add".to_owned());
            };
            sum = new_sum;
            match counts.entry(resource_type) {
                Entry::Vacant(entry) => entry.insert(count),
                Entry::Occupied(entry) => {
                    return broken(format!("the type {} twice", entry.key()));
                }
            };
        }
        if counts.len() > MAX_COUNTED {
            return broken(format!("more than {MAX_COUNTED} types"));
        }
        let total = response.output.total;
        match response.output.next_token {
            None if sum == total => {
                let named = types.named();
                counts.retain(|t, n| *n > 0 && (named.is_empty() || named.contains(t)));
                return Ok(counts);
            }
            None => {
                return broken(format!(
                    "pages with {sum} resources but totalDiscoveredResources is {total}"
                ));
            }
            Some(next) if !seen.insert(hasher.hash_one(&next)) => {
                return broken("the same page token twice: the counts would never end".to_owned());
            }
            next => token = next,
        }
    }
    Err(broken(format!("more than {MAX_PAGES} pages"), None))
}

/// Returns the first request for the counts of `types`.
///
/// If there are more types than a request may name, all types are requested and filtered: this
/// takes fewer pages than several requests.
#[must_use]
pub fn first_page(types: &ResourceTypes) -> GetDiscoveredResourceCounts<'_> {
    let named: &[ResourceType] = types.named();
    GetDiscoveredResourceCounts {
        resource_types: if named.len() > MAX_TYPES { &[] } else { named },
        next_token: None,
        known: None,
    }
}

fn broken(why: String, request_id: Option<String>) -> CountError {
    CountError::Pages {
        operation: GetDiscoveredResourceCounts::NAME,
        why,
        request_id,
    }
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
        super::counts(
            &client,
            &KnownTypes::default(),
            &"eu-west-1".parse().unwrap(),
            types,
        )
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
        for (pages, why) in [
            (
                vec![
                    page(13, &[(VPC, 7)], Some("a")),
                    page(13, &[(BUCKET, 5)], None),
                ],
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
                vec![page(7, &[(VPC, 7)], Some("a")), page(7, &[(VPC, 7)], None)],
                "the type AWS::EC2::VPC twice",
            ),
            (
                vec![page(1, &[(VPC, u64::MAX), (BUCKET, 1)], None)],
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
        assert!(error.contains("returned more than 200 pages"), "{error}");
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
