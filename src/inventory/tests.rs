//! Property tests: for any pages, the total is complete or there is an error.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::list::Listing;
use super::{CountError, Counts, counts};
use crate::aws::client::Client;
use crate::aws::client::fake::{client, clock};
use crate::http::fake::{FakeResponse, Scripted, answer};
use crate::model::{Region, ResourceType, ResourceTypes};

/// A page: its items, and the token of the next page.
type Page<T> = (T, Option<String>);

/// Runs `count` with these responses, in order. Returns its result and the number of requests.
fn with_responses<T>(
    responses: Vec<FakeResponse>,
    count: impl FnOnce(&Client, &Region) -> T,
) -> (T, usize) {
    let responses = Mutex::new(VecDeque::from(responses));
    // A further request gets an error that is not retried.
    let http = Scripted::by(move |_| {
        let next = responses.lock().unwrap().pop_front();
        next.unwrap_or_else(|| answer(400, r#"{"__type": "NoMorePages"}"#))
    });
    let client = client(Arc::clone(&http) as Arc<_>, clock());
    let result = count(&client, &"eu-west-1".parse().unwrap());
    (result, http.requests().len())
}

fn list(client: &Client, region: &Region, resource_type: &ResourceType) -> Result<u64, CountError> {
    let mut listing = Listing::new(resource_type.clone(), None);
    loop {
        if let Some(listed) = listing.fetch_page(client, region, &|| false)? {
            return Ok(listed.total);
        }
    }
}

fn listing_page((resources, next): &Page<usize>) -> FakeResponse {
    let item = |n| serde_json::json!({"resourceType": "AWS::S3::Bucket", "resourceId": format!("{n} {next:?}")});
    let items: Vec<_> = (0..*resources).map(item).collect();
    let body = serde_json::json!({"resourceIdentifiers": items, "nextToken": next});
    answer(200, body.to_string())
}

/// Returns the total of a listing of these pages, and the number of requests.
fn listed(pages: &[Page<usize>]) -> (Result<u64, CountError>, usize) {
    let responses = pages.iter().map(listing_page).collect();
    let bucket = "AWS::S3::Bucket".parse().unwrap();
    let (listed, requests) =
        with_responses(responses, |client, region| list(client, region, &bucket));
    (listed, requests)
}

fn counts_page(total: u64, (counts, next): &Page<Vec<(String, u64)>>) -> FakeResponse {
    let counts = counts.iter().map(
        |(resource_type, count)| serde_json::json!({"resourceType": resource_type, "count": count}),
    );
    let body = serde_json::json!({"totalDiscoveredResources": total,
        "resourceCounts": counts.collect::<Vec<_>>(), "nextToken": next});
    answer(200, body.to_string())
}

/// Returns the counts of these pages, each with `total` as `totalDiscoveredResources`, and the
/// number of requests.
fn counted(total: u64, pages: &[Page<Vec<(String, u64)>>]) -> (Result<Counts, CountError>, usize) {
    // Contradictory counts are fetched twice.
    let twice = pages.iter().chain(pages);
    let responses = twice.map(|page| counts_page(total, page)).collect();
    let all = ResourceTypes::All;
    with_responses(responses, |client, region| {
        counts::fetch(client, region, &all, None)
    })
}

/// Adds a page token to each item except the last.
fn chained<T>(items: Vec<T>) -> Vec<Page<T>> {
    let last = items.len() - 1;
    let token = |n| (n < last).then(|| format!("t\"{n}="));
    let items = items.into_iter().enumerate();
    items.map(|(n, item)| (item, token(n))).collect()
}

/// Types with their counts, split into pages, some of them empty.
fn any_counts() -> impl Strategy<Value = Vec<Vec<(String, u64)>>> {
    let types = btree_map(
        "AWS::[A-Z0-9]{2,3}::[A-Z][a-z]{1,3}",
        0..1_000_000u64,
        0..30,
    );
    (types, vec(0..6usize, 0..20)).prop_map(|(types, sizes)| {
        let mut types: Vec<_> = types.into_iter().collect();
        let mut pages = Vec::new();
        for size in sizes {
            let rest = types.split_off(size.min(types.len()));
            pages.push(std::mem::replace(&mut types, rest));
        }
        pages.push(types);
        pages
    })
}

/// Returns the positions of two of `count` pages, in order.
fn two(count: usize, a: Index, b: Index) -> (usize, usize) {
    let second = 1 + a.index(count - 1);
    (b.index(second), second)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn listing_pages_are_added(sizes in vec(prop_oneof![Just(0usize), 0..101usize], 1..40)) {
        let pages = chained(sizes.clone());
        let (total, requests) = listed(&pages);
        prop_assert_eq!(total.unwrap(), sizes.iter().sum::<usize>() as u64);
        prop_assert_eq!(requests, sizes.len(), "each page is requested once");
    }

    #[test]
    fn repeated_token_leaves_no_total(
        sizes in vec(0..3usize, 3..40), a in any::<Index>(), b in any::<Index>(),
    ) {
        let mut pages = chained(sizes);
        // The last page has no token to repeat.
        let (first, second) = two(pages.len() - 1, a, b);
        pages[second].1 = pages[first].1.clone();
        let (total, requests) = listed(&pages);
        let refused = matches!(total, Err(CountError::Pages { .. }));
        prop_assert!(refused, "{total:?}");
        prop_assert_eq!(requests, second + 1);
    }

    #[test]
    fn listing_counts_different_resources(
        first in vec(vec(0..20u8, 0..4), 1..8), second in vec(vec(0..20u8, 0..4), 1..8),
    ) {
        let render = |pages: &[Vec<u8>]| -> Vec<FakeResponse> {
            let item = |id: &u8| serde_json::json!({"resourceType": "AWS::S3::Bucket", "resourceId": id.to_string()});
            let page = |(ids, next): (Vec<u8>, Option<String>)| {
                let items: Vec<_> = ids.iter().map(item).collect();
                let body = serde_json::json!({"resourceIdentifiers": items, "nextToken": next});
                answer(200, body.to_string())
            };
            chained(pages.to_vec()).into_iter().map(page).collect()
        };
        // The first listing ends with the page of the first repeated resource.
        let mut seen = BTreeSet::new();
        let repeats = |ids: &Vec<u8>| ids.iter().filter(|id| !seen.insert(**id)).count() > 0;
        let read = first.iter().position(repeats);
        let mut responses = render(&first);
        let mut expected: BTreeSet<u8> = first.concat().into_iter().collect();
        if let Some(last) = read {
            responses.truncate(last + 1);
            responses.extend(render(&second));
            expected = second.concat().into_iter().collect();
        }
        let sent = responses.len();
        let bucket = "AWS::S3::Bucket".parse().unwrap();
        let (total, requests) =
            with_responses(responses, |client, region| list(client, region, &bucket));
        prop_assert_eq!(total.unwrap(), expected.len() as u64);
        prop_assert_eq!(requests, sent);
    }

    #[test]
    fn invalid_page_leaves_no_total(
        sizes in vec(0..3usize, 1..20),
        at in any::<Index>(),
        broken in select(vec![
            (200, ""), (200, "{}"), (200, "[[], null]"), (200, "<html></html>"),
            (200, r#"{"resourceIdentifiers": [["AWS::S3::Bucket", "b"]], "nextToken": null}"#),
            (400, r#"{"__type": "ValidationException"}"#), (403, "<html></html>"),
        ]),
    ) {
        let pages = chained(sizes);
        let mut responses: Vec<_> = pages.iter().map(listing_page).collect();
        let at = at.index(responses.len());
        responses[at] = answer(broken.0, broken.1);
        let bucket = "AWS::S3::Bucket".parse().unwrap();
        let (listed, requests) =
            with_responses(responses, |client, region| list(client, region, &bucket));
        prop_assert!(matches!(listed, Err(CountError::Call(_))), "{listed:?}");
        prop_assert_eq!(requests, at + 1);
    }

    #[test]
    fn invalid_item_is_retried_once(
        sizes in vec(0..3usize, 1..20),
        at in any::<Index>(),
        times in 1..4usize,
        item in select(vec![
            "{}", r#"{"resourceType": "AWS::EC2::VPC"}"#,
            r#"{"resourceType": "AWS::S3::Bucket", "resourceId": ""}"#,
            r#"{"resourceType": "AWS::EC2::VPC", "resourceId": "vpc-1"}"#,
        ]),
    ) {
        let pages = chained(sizes.clone());
        let mut responses: Vec<_> = pages.iter().map(listing_page).collect();
        let at = at.index(responses.len());
        let invalid = || answer(200, format!(r#"{{"resourceIdentifiers": [{item}]}}"#));
        responses.splice(at..at, (0..times).map(|_| invalid()));
        let bucket = "AWS::S3::Bucket".parse().unwrap();
        let (listed, requests) =
            with_responses(responses, |client, region| list(client, region, &bucket));
        if times == 1 {
            prop_assert_eq!(listed.unwrap(), sizes.iter().sum::<usize>() as u64);
        } else {
            prop_assert!(matches!(listed, Err(CountError::Call(_))), "{listed:?}");
            prop_assert_eq!(requests, at + 2);
        }
    }

    #[test]
    fn counts_pages_are_added(pages in any_counts()) {
        let all: Vec<_> = pages.concat();
        let total = all.iter().map(|(_, n)| n).sum();
        let (counts, requests) = counted(total, &chained(pages.clone()));
        let expected: Counts = all.iter().filter(|(_, n)| *n > 0)
            .map(|(t, n)| (t.parse().unwrap(), *n)).collect();
        prop_assert_eq!(counts.unwrap(), expected);
        prop_assert_eq!(requests, pages.len());
    }

    #[test]
    fn counts_with_wrong_total_are_rejected(
        pages in any_counts(), off in 1..1000u64, less in any::<bool>(),
    ) {
        let sum: u64 = pages.iter().flatten().map(|(_, n)| n).sum();
        let total = if less { sum.saturating_sub(off) } else { sum + off };
        let (counts, _) = counted(total, &chained(pages));
        prop_assert_eq!(counts.is_ok(), total == sum, "{:?}", counts);
    }

    #[test]
    fn counts_with_repeated_type_or_token_are_rejected(
        pages in any_counts(), a in any::<Index>(), b in any::<Index>(), token in any::<bool>(),
    ) {
        let total = pages.iter().flatten().map(|(_, n)| n).sum();
        let mut chain = chained(pages.clone());
        let named: BTreeSet<_> = pages.concat().into_iter().collect();
        if token && chain.len() > 2 {
            let (first, second) = two(chain.len() - 1, a, b);
            chain[second].1 = chain[first].1.clone();
        } else if let Some((resource_type, _)) = named.first() {
            // A count of 0 keeps the sum correct.
            let at = a.index(chain.len());
            chain[at].0.push((resource_type.clone(), 0));
        } else {
            return Ok(());
        }
        let (counts, _) = counted(total, &chain);
        let refused = matches!(counts, Err(CountError::Pages { .. }));
        prop_assert!(refused, "{counts:?}");
    }
}
