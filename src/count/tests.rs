//! Whatever the pages: they add up to all that there is, or there is no number.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::aws::client::fake::{client, clock};
use crate::http::fake::{Answer, Scripted, answer};

/// A page: its items, and the token of the next one.
type Page<T> = (T, Option<String>);

/// Counts over these answers, which are asked for one after the other; also how many requests it took.
fn count<T>(answers: Vec<Answer>, work: impl FnOnce(&Counter, &Region) -> T) -> (T, usize) {
    let answers = Mutex::new(VecDeque::from(answers));
    // One request more is answered with an error that no other attempt follows.
    let http = Scripted::by(move |_| {
        let next = answers.lock().unwrap().pop_front();
        next.unwrap_or_else(|| answer(400, r#"{"__type": "NoMorePages"}"#))
    });
    let client = client(Arc::clone(&http) as Arc<_>, clock());
    let counter = Counter::new(Arc::new(client));
    let came = work(&counter, &"eu-west-1".parse().unwrap());
    (came, http.requests().len())
}

fn listing_page((resources, next): &Page<usize>) -> Answer {
    let items = vec![serde_json::json!({"resourceType": "AWS::S3::Bucket"}); *resources];
    let body = serde_json::json!({"resourceIdentifiers": items, "nextToken": next});
    answer(200, body.to_string())
}

/// What a listing of these pages says, and how many it asked for.
fn listed(pages: &[Page<usize>]) -> (Result<u64, CountError>, usize) {
    let answers = pages.iter().map(listing_page).collect();
    let bucket = "AWS::S3::Bucket".parse().unwrap();
    let (listed, requests) = count(answers, |counter, region| counter.list(region, &bucket));
    (listed.map(|listed| listed.total), requests)
}

fn counts_page(total: u64, (counts, next): &Page<Vec<(String, u64)>>) -> Answer {
    let counts = counts.iter().map(
        |(resource_type, count)| serde_json::json!({"resourceType": resource_type, "count": count}),
    );
    let body = serde_json::json!({"totalDiscoveredResources": total,
        "resourceCounts": counts.collect::<Vec<_>>(), "nextToken": next});
    answer(200, body.to_string())
}

/// What counts of these pages say, each of which tells of `total` resources.
fn counted(total: u64, pages: &[Page<Vec<(String, u64)>>]) -> (Result<Counts, CountError>, usize) {
    let answers = pages.iter().map(|page| counts_page(total, page)).collect();
    let all = ResourceTypes::All;
    count(answers, |counter, region| counter.counts(region, &all))
}

/// Items with a token behind each but the last.
fn chained<T>(items: Vec<T>) -> Vec<Page<T>> {
    let last = items.len() - 1;
    let token = |n| (n < last).then(|| format!("t\"{n}="));
    let items = items.into_iter().enumerate();
    items.map(|(n, item)| (item, token(n))).collect()
}

/// Types with their numbers, on pages as they may come, also empty ones.
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

/// Where two pages are, the first before the second.
fn two(of: usize, a: Index, b: Index) -> (usize, usize) {
    let second = 1 + a.index(of - 1);
    (b.index(second), second)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn pages_of_a_listing_add_up(sizes in vec(prop_oneof![Just(0usize), 0..101usize], 1..40)) {
        let pages = chained(sizes.clone());
        let (total, requests) = listed(&pages);
        prop_assert_eq!(total, Ok(sizes.iter().sum::<usize>() as u64));
        prop_assert_eq!(requests, sizes.len(), "each page is asked for once");
    }

    #[test]
    fn a_token_that_comes_back_anywhere_leaves_no_total(
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
    fn a_listing_goes_on_over_fewer_than_a_hundred_empty_pages_in_a_row(
        runs in vec((0..130usize, 1..3usize), 1..4),
    ) {
        let pages = |(empty, some): &(usize, usize)| {
            [vec![0; *empty], vec![7; *some]].concat()
        };
        let sizes: Vec<usize> = runs.iter().flat_map(pages).collect();
        let (total, _) = listed(&chained(sizes.clone()));
        if runs.iter().all(|(empty, _)| *empty < 100) {
            prop_assert_eq!(total, Ok(sizes.iter().sum::<usize>() as u64));
        } else {
            let refused = matches!(total, Err(CountError::Pages { .. }));
            prop_assert!(refused, "{total:?}");
        }
    }

    #[test]
    fn one_page_that_is_none_leaves_no_total(
        sizes in vec(0..3usize, 1..20),
        at in any::<Index>(),
        broken in select(vec![
            (200, ""), (200, "{}"), (200, "[[], null]"), (200, "<html></html>"),
            (200, r#"{"resourceIdentifiers": [["AWS::S3::Bucket", "b"]], "nextToken": null}"#),
            (200, r#"{"resourceIdentifiers": [{"resourceType": "AWS::EC2::VPC"}]}"#),
            (400, r#"{"__type": "ValidationException"}"#), (403, "<html></html>"),
        ]),
    ) {
        let pages = chained(sizes);
        let mut answers: Vec<_> = pages.iter().map(listing_page).collect();
        let at = at.index(answers.len());
        answers[at] = answer(broken.0, broken.1);
        let bucket = "AWS::S3::Bucket".parse().unwrap();
        let (listed, requests) = count(answers, |counter, region| counter.list(region, &bucket));
        prop_assert!(matches!(listed, Err(CountError::Call(_))), "{listed:?}");
        prop_assert_eq!(requests, at + 1);
    }

    #[test]
    fn pages_of_counts_add_up(pages in any_counts()) {
        let all: Vec<_> = pages.concat();
        let total = all.iter().map(|(_, n)| n).sum();
        let (counts, requests) = counted(total, &chained(pages.clone()));
        let expected: Counts = all.iter().filter(|(_, n)| *n > 0)
            .map(|(t, n)| (t.parse().unwrap(), *n)).collect();
        prop_assert_eq!(counts, Ok(expected));
        prop_assert_eq!(requests, pages.len());
    }

    #[test]
    fn counts_that_do_not_add_up_are_none(pages in any_counts(), off in 1..1000u64, less in any::<bool>()) {
        let sum: u64 = pages.iter().flatten().map(|(_, n)| n).sum();
        let told = if less { sum.saturating_sub(off) } else { sum + off };
        let (counts, _) = counted(told, &chained(pages));
        prop_assert_eq!(counts.is_ok(), told == sum, "{:?}", counts);
    }

    #[test]
    fn counts_that_name_a_type_twice_or_repeat_a_token_are_none(
        pages in any_counts(), a in any::<Index>(), b in any::<Index>(), token in any::<bool>(),
    ) {
        let total = pages.iter().flatten().map(|(_, n)| n).sum();
        let mut chain = chained(pages.clone());
        let named: BTreeSet<_> = pages.concat().into_iter().collect();
        if token && chain.len() > 2 {
            let (first, second) = two(chain.len() - 1, a, b);
            chain[second].1 = chain[first].1.clone();
        } else if let Some((resource_type, _)) = named.first() {
            // Of none more, so that the sum is still right.
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
