//! Counting by `config:GetDiscoveredResourceCounts`: every page of it, and the pages' own sum.

use std::collections::HashSet;
use std::collections::btree_map::Entry;
use std::hash::{BuildHasher, RandomState};

use super::{CountError, Counts};
use crate::aws::client::Client;
use crate::aws::operation::Operation;
use crate::aws::ops::get_discovered_resource_counts::{GetDiscoveredResourceCounts, MAX_TYPES};
use crate::model::{KnownTypes, Region, ResourceType, ResourceTypes};

/// How many pages the counts may have: of 100 types each, while AWS Config knows some 550.
const MAX_PAGES: usize = 200;

/// How many types the counts may name: an account's own ones included, far fewer.
const MAX_COUNTED: usize = 20_000;

/// The counts of `types`; those without resources are not among them.
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
        let answer = client.call(region, &page)?;
        let broken = |why| Err(broken(why, answer.request_id.clone()));
        let new = answer.output.new;
        if !new.is_empty() {
            let shown: String = new.iter().flat_map(|t| [t.as_str(), " "]).collect();
            if client.holds_key(&shown) {
                return broken("a type with a key of the caller's in its name".to_owned());
            }
            known.add(new);
        }
        for (resource_type, count) in answer.output.counts {
            let Some(more) = sum.checked_add(count) else {
                return broken("counts too great to be added up".to_owned());
            };
            sum = more;
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
        let total = answer.output.total;
        match answer.output.next_token {
            None if sum == total => {
                let named = types.named();
                counts.retain(|t, n| *n > 0 && (named.is_empty() || named.contains(t)));
                return Ok(counts);
            }
            None => {
                return broken(format!(
                    "pages that add up to {sum} where it tells of {total} resources"
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

/// The first request for the counts of `types`.
///
/// More types than one request may name are taken from the counts of all: fewer pages than there
/// would be requests.
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
    use crate::http::fake::{Answer, Scripted, answer_with};

    const VPC: &str = "AWS::EC2::VPC";
    const BUCKET: &str = "AWS::S3::Bucket";
    const ROLE: &str = "AWS::IAM::Role";

    /// A page of these counts, which tells of `total` resources in all.
    fn page(total: u64, counts: &[(&str, u64)], next_token: Option<&str>) -> Answer {
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
        let own = |(t, n): &(&str, u64)| (t.parse().unwrap(), *n);
        counts.iter().map(own).collect()
    }

    #[test]
    fn several_pages_add_up_to_their_own_total() {
        let http = Scripted::list([
            page(12, &[(VPC, 7)], Some("a")),
            page(12, &[], Some("b")),
            page(12, &[(BUCKET, 5), (ROLE, 0)], None),
        ]);
        assert_eq!(
            counts(&http, &ResourceTypes::All).unwrap(),
            expected(&[(VPC, 7), (BUCKET, 5)]),
            "a type without resources is none that there is"
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
    fn pages_that_do_not_add_up_are_an_error_and_no_count() {
        for (pages, why) in [
            (
                vec![
                    page(13, &[(VPC, 7)], Some("a")),
                    page(13, &[(BUCKET, 5)], None),
                ],
                "pages that add up to 12 where it tells of 13 resources",
            ),
            (
                vec![page(0, &[(VPC, 7)], None)],
                "pages that add up to 7 where it tells of 0 resources",
            ),
            (
                vec![page(5, &[], None)],
                "pages that add up to 0 where it tells of 5 resources",
            ),
            (
                vec![page(7, &[(VPC, 7)], Some("a")), page(7, &[(VPC, 7)], None)],
                "the type AWS::EC2::VPC twice",
            ),
            (
                vec![page(1, &[(VPC, u64::MAX), (BUCKET, 1)], None)],
                "counts too great to be added up",
            ),
            (
                vec![page(7, &[(VPC, 7)], Some("a")), page(7, &[], Some("a"))],
                "the same page token twice: the counts would never end",
            ),
        ] {
            let error = counts(&Scripted::list(pages), &ResourceTypes::All).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("config:GetDiscoveredResourceCounts gave {why} (request id r-1)")
            );
        }
    }

    #[test]
    fn pages_that_never_end_do() {
        let n = std::sync::atomic::AtomicU32::new(0);
        let http = Scripted::by(move |_| {
            let token = n
                .fetch_add(1, std::sync::atomic::Ordering::SeqCst)
                .to_string();
            page(0, &[], Some(&token))
        });
        let error = counts(&http, &ResourceTypes::All).unwrap_err().to_string();
        assert!(error.contains("gave more than 200 pages"), "{error}");
    }

    #[test]
    fn up_to_twenty_types_are_named_and_more_are_picked_out_of_all() {
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
            "the sum is that of all, the counts are those asked for"
        );
        assert_eq!(http.requests()[0].body, b"{}");
    }

    #[test]
    fn a_failure_in_the_middle_leaves_no_counts() {
        let denied = r#"{"__type": "AccessDeniedException"}"#;
        let http = Scripted::list([
            page(12, &[(VPC, 7)], Some("a")),
            answer_with(400, &[], denied),
        ]);
        let error = counts(&http, &ResourceTypes::All).unwrap_err();
        assert!(matches!(error, CountError::Call(_)));
    }
}
