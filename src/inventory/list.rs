//! Counts the resources of a type by listing them: every page of `config:ListDiscoveredResources`.
//!
//! A listing is not a snapshot: resources appear and disappear while it is read. It counts different resources, by the hashes
//! of their IDs. A resource that is listed twice shows that the pages have moved, so that another one may be missing: the
//! listing is made again from its first page. So it is after a page token has expired.

use std::collections::HashSet;
use std::sync::Arc;

use super::error::{CountError, Inconsistency};
use super::method::Listed;
use super::paging::Paging;
use crate::aws::client::{CallOutput, Client, Progress};
use crate::aws::error::{CallError, ErrorKind};
use crate::aws::operation::Operation;
use crate::aws::ops::list_discovered_resources::{ListDiscoveredResources, ResourcePage};
use crate::model::{Region, ResourceType};

/// The maximum number of resources of one type in one region. Their hashes take at most 110 MB. The
/// probability that two of so many IDs have the same hash of 64 bits is below one in a million; they
/// would look like a repeated resource, which is logged.
const MAX_RESOURCES: usize = 5_000_000;

/// The maximum number of resources of a global type, whose hashes are kept until the end of the run.
/// IAM's quotas are below this.
const MAX_GLOBAL_RESOURCES: usize = 50_000;

/// The first page of a listing, or the error of its call, if it was requested before the listing starts.
pub type FirstPage = Result<CallOutput<ResourcePage>, CallError>;

/// A listing in progress.
pub struct Listing {
    resource_type: ResourceType,
    first_page: Option<FirstPage>,
    /// The pages since the first one.
    pages: Pages,
    /// The state of the call for the next page.
    call: Progress,
    /// True if the listing was made again because a resource was repeated.
    was_repeated: bool,
    /// True if the listing was made again because a page token had expired.
    was_expired: bool,
}

/// The pages of a listing since its first one.
struct Pages {
    token: Option<String>,
    paging: Paging,
    /// The hashes of the resource IDs.
    ids: HashSet<u64>,
    /// The number of resources, repeated ones included.
    listed: u64,
}

impl Listing {
    /// Creates a listing of `resource_type`. It uses `first_page` instead of a request if there is one.
    #[must_use]
    pub fn new(resource_type: ResourceType, first_page: Option<FirstPage>) -> Self {
        Self {
            resource_type,
            first_page,
            pages: Pages::new(),
            call: Progress::default(),
            was_repeated: false,
            was_expired: false,
        }
    }

    /// Fetches all pages of a listing of `resource_type`.
    ///
    /// # Errors
    /// As [`Self::fetch_page`].
    pub fn fetch_all(
        client: &Client,
        region: &Region,
        resource_type: &ResourceType,
    ) -> Result<Listed, CountError> {
        let mut listing = Self::new(resource_type.clone(), None);
        loop {
            if let Some(listed) = listing.fetch_page(client, region, &|| false)? {
                return Ok(listed);
            }
        }
    }

    /// Returns the type that is listed.
    #[must_use]
    pub fn resource_type(&self) -> &ResourceType {
        &self.resource_type
    }

    /// Fetches the next page. Returns the result after the last page, `None` if the listing must be continued: there
    /// are more pages, or the request was throttled and `yields` returned true (see [`Client::resume`]).
    ///
    /// # Errors
    /// The call failed, or the pages are inconsistent; no part of the listing may be used.
    pub fn fetch_page(
        &mut self,
        client: &Client,
        region: &Region,
        yields: &dyn Fn() -> bool,
    ) -> Result<Option<Listed>, CountError> {
        let page = if let Some(page) = self.first_page.take() {
            page
        } else {
            let request = ListDiscoveredResources {
                resource_type: &self.resource_type,
                next_token: self.pages.token.as_deref(),
                page: self.pages.paging.next_page(),
            };
            match client.resume(region, &request, &mut self.call, yields) {
                Ok(None) => return Ok(None),
                Ok(Some(page)) => Ok(page),
                Err(error) => Err(error),
            }
        };
        self.call = Progress::default();
        let is_first = self.pages.token.is_none();
        match page {
            Ok(page) => self.add(page),
            // After the first page, it would make a partial count a total.
            Err(e) if is_first && e.kind() == Some(ErrorKind::ResourceNotDiscovered) => {
                Ok(Some(self.finish()))
            }
            Err(e) if !self.was_expired && e.kind() == Some(ErrorKind::InvalidPageToken) => {
                self.was_expired = true;
                self.pages = Pages::new();
                Ok(None)
            }
            Err(e) => Err(e.into()),
        }
    }

    fn add(&mut self, page: CallOutput<ResourcePage>) -> Result<Option<Listed>, CountError> {
        let request_id = page.request_id;
        let max = if self.resource_type.is_global() {
            MAX_GLOBAL_RESOURCES
        } else {
            MAX_RESOURCES
        };
        let added = self.pages.add(page.output, max);
        let is_last = added.map_err(|why| why.of(ListDiscoveredResources::NAME, request_id))?;
        if self.pages.repeated().is_some() && !self.was_repeated {
            self.was_repeated = true;
            self.pages = Pages::new();
            return Ok(None);
        }
        Ok(is_last.then(|| self.finish()))
    }

    fn finish(&mut self) -> Listed {
        let pages = std::mem::replace(&mut self.pages, Pages::new());
        let total = pages.ids.len() as u64;
        let ids = pages.ids.iter().copied();
        let is_global = self.resource_type.is_global();
        Listed {
            total,
            ids: ids.filter(|_| is_global).collect(),
            changed: pages.repeated().map(|listed| changed(listed, total)),
        }
    }
}

impl Pages {
    fn new() -> Self {
        Self {
            token: None,
            paging: Paging::new("listing"),
            ids: HashSet::new(),
            listed: 0,
        }
    }

    /// Adds a page. Returns true if it is the last one.
    fn add(&mut self, page: ResourcePage, max: usize) -> Result<bool, Inconsistency> {
        let known = self.ids.len();
        self.listed += page.ids.len() as u64;
        self.ids.extend(page.ids);
        if self.ids.len() > max {
            return Err(Inconsistency::TooManyResources(max));
        }
        if let Some(token) = &page.next_token {
            self.paging.add(token, self.ids.len() == known)?;
        }
        self.token = page.next_token;
        Ok(self.token.is_none())
    }

    /// Returns the number of resources, if some are repeated.
    fn repeated(&self) -> Option<u64> {
        (self.listed > self.ids.len() as u64).then_some(self.listed)
    }
}

/// Returns the reason why a total may be wrong.
fn changed(listed: u64, different: u64) -> Arc<str> {
    let operation = ListDiscoveredResources::NAME;
    format!(
        "config:{operation} returned {listed} resources, of which {different} are different, also when they were listed \
         again: they changed meanwhile, so the count may be wrong"
    )
    .into()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::aws::client::fake::{client, clock};
    use crate::http::fake::{FakeResponse, Scripted, answer_with};

    /// A page with these buckets and the token of the next page.
    fn page_of(ids: &[String], next_token: Option<&str>) -> FakeResponse {
        let item = |id| serde_json::json!({"resourceType": "AWS::S3::Bucket", "resourceId": id});
        let identifiers: Vec<_> = ids.iter().map(item).collect();
        let mut body = serde_json::json!({"resourceIdentifiers": identifiers});
        if let Some(token) = next_token {
            body["nextToken"] = token.into();
        }
        answer_with(200, &[("x-amzn-requestid", "r-1")], body.to_string())
    }

    /// A page with `resources` new buckets and the token of the next page.
    fn page(resources: usize, next_token: Option<&str>) -> FakeResponse {
        let ids: Vec<_> = (0..resources)
            .map(|n| format!("{n} {next_token:?}"))
            .collect();
        page_of(&ids, next_token)
    }

    /// A page with one bucket per letter of `ids`.
    fn letters(ids: &str, next_token: Option<&str>) -> FakeResponse {
        let ids: Vec<_> = ids.chars().map(String::from).collect();
        page_of(&ids, next_token)
    }

    /// Lists the buckets in eu-west-1.
    fn buckets(http: &Arc<Scripted>) -> Result<Listed, CountError> {
        let client = client(http.clone(), clock());
        let bucket = "AWS::S3::Bucket".parse().unwrap();
        let listed = Listing::fetch_all(&client, &"eu-west-1".parse().unwrap(), &bucket)?;
        assert_eq!(listed.ids, [0; 0], "buckets are not global resources");
        Ok(listed)
    }

    /// Returns the total of the buckets in eu-west-1, which do not change.
    fn total(http: &Arc<Scripted>) -> Result<u64, CountError> {
        let listed = buckets(http)?;
        assert_eq!(listed.changed, None);
        Ok(listed.total)
    }

    fn bodies(http: &Scripted) -> Vec<serde_json::Value> {
        let bodies = http
            .requests()
            .into_iter()
            .map(|r| serde_json::from_slice(&r.body));
        bodies.map(Result::unwrap).collect()
    }

    #[test]
    fn pages_are_added() {
        let pages = [
            page(100, Some("a")),
            page(100, Some("b/=\"")),
            page(7, None),
        ];
        let http = Scripted::list(pages);
        assert_eq!(total(&http).unwrap(), 207);
        assert_eq!(
            bodies(&http),
            [
                serde_json::json!({"resourceType": "AWS::S3::Bucket"}),
                serde_json::json!({"resourceType": "AWS::S3::Bucket", "nextToken": "a"}),
                serde_json::json!({"resourceType": "AWS::S3::Bucket", "nextToken": "b/=\""}),
            ]
        );
    }

    #[test]
    fn empty_listing_is_zero() {
        assert_eq!(total(&Scripted::list([page(0, None)])).unwrap(), 0);
    }

    #[test]
    fn empty_page_with_token_continues() {
        let http = Scripted::list([page(0, Some("a")), page(2, Some("b")), page(0, None)]);
        assert_eq!(total(&http).unwrap(), 2);
    }

    #[test]
    fn repeated_token_is_an_error() {
        for tokens in [&["a", "a"][..], &["a", "b", "a"]] {
            let http = Scripted::list(tokens.iter().map(|token| page(3, Some(token))));
            let error = total(&http).unwrap_err();
            assert_eq!(
                error.to_string(),
                "config:ListDiscoveredResources returned the same page token twice: the listing \
                 would never end (request id r-1)"
            );
        }
    }

    #[test]
    fn ten_thousand_empty_pages_are_an_error() {
        // The first page has resources, and later ones have the same again.
        let n = AtomicU32::new(0);
        let http = Scripted::by(move |_| {
            let n = n.fetch_add(1, Ordering::SeqCst);
            let ids = if n % 100 < 2 { "a" } else { "" };
            letters(ids, Some(&n.to_string()))
        });
        let error = buckets(&http).unwrap_err().to_string();
        let expected =
            "returned 10000 pages in a row without anything new, and a token for another";
        assert!(error.contains(expected), "{error}");
        // Two pages before the listing is made again, then 98 empty ones.
        assert_eq!(http.requests().len(), 2 + 98 + 1 + 10_000);
    }

    #[test]
    fn resources_are_bounded() {
        for (resource_type, max) in [
            ("AWS::S3::Bucket", MAX_RESOURCES),
            ("AWS::IAM::Role", MAX_GLOBAL_RESOURCES),
        ] {
            let mut listing = Listing::new(resource_type.parse().unwrap(), None);
            for n in 0..=max / 10_000 {
                let first = n as u64 * 10_000;
                let output = ResourcePage {
                    ids: (first..first + 10_000).collect(),
                    next_token: Some(n.to_string()),
                };
                let request_id = None;
                let added = listing.add(CallOutput { output, request_id });
                if n < max / 10_000 {
                    assert_eq!(added.unwrap(), None);
                } else {
                    let error = added.unwrap_err().to_string();
                    assert!(
                        error.contains(&format!("more than {max} resources")),
                        "{error}"
                    );
                }
            }
        }
    }

    #[test]
    fn repeated_resource_lists_again() {
        for pages in [
            // On one page, on two pages, on the first and the last page.
            vec![letters("aba", None), letters("ab", None)],
            vec![
                letters("a", Some("1")),
                letters("ab", None),
                letters("ab", None),
            ],
            vec![
                letters("ab", Some("1")),
                letters("", Some("2")),
                letters("a", Some("3")),
                letters("a", Some("1")),
                letters("b", None),
            ],
        ] {
            let requests = pages.len();
            let http = Scripted::list(pages);
            assert_eq!(total(&http).unwrap(), 2);
            assert_eq!(http.requests().len(), requests);
        }
    }

    #[test]
    fn resource_repeated_again_is_counted_once() {
        let pages = [
            letters("aa", Some("1")),
            letters("abc", Some("1")),
            letters("cd", Some("2")),
            letters("de", None),
        ];
        let listed = buckets(&Scripted::list(pages)).unwrap();
        let why = listed.changed.unwrap();
        assert!(
            why.contains("returned 7 resources, of which 5 are different, "),
            "{why}"
        );
        assert_eq!(listed.total, 5);
    }

    #[test]
    fn expired_token_lists_again() {
        let expired = || answer_with(400, &[], r#"{"__type": "InvalidNextTokenException"}"#);
        let pages = [
            letters("ab", Some("1")),
            expired(),
            letters("abc", Some("1")),
            letters("d", None),
        ];
        let http = Scripted::list(pages);
        assert_eq!(total(&http).unwrap(), 4);
        assert!(bodies(&http)[2].get("nextToken").is_none());

        let pages = [
            letters("ab", Some("1")),
            expired(),
            letters("ab", Some("1")),
            expired(),
        ];
        let http = Scripted::list(pages);
        assert!(matches!(total(&http).unwrap_err(), CountError::Call(_)));
        assert_eq!(http.requests().len(), 4);
    }

    #[test]
    fn separate_empty_pages_continue() {
        let n = AtomicU32::new(0);
        let http = Scripted::by(move |_| {
            let n = n.fetch_add(1, Ordering::SeqCst);
            let token = n.to_string();
            page(
                usize::from(n % 100 == 99),
                (n < 400).then_some(token.as_str()),
            )
        });
        assert_eq!(total(&http).unwrap(), 4);
    }

    #[test]
    fn failed_page_leaves_no_total() {
        let denied = r#"{"__type": "AccessDeniedException"}"#;
        for broken in [
            answer_with(400, &[], denied),
            answer_with(200, &[], ""),
            answer_with(200, &[], r#"{"nextToken": "c"}"#),
        ] {
            let http = Scripted::list([page(100, Some("a")), page(100, Some("b")), broken]);
            assert!(matches!(total(&http).unwrap_err(), CountError::Call(_)));
            assert_eq!(http.requests().len(), 3);
        }
    }

    #[test]
    fn undiscovered_type_is_zero_only_on_first_page() {
        let never = || answer_with(400, &[], r#"{"__type": "ResourceNotDiscoveredException"}"#);
        assert_eq!(total(&Scripted::list([never()])).unwrap(), 0);
        let http = Scripted::list([page(100, Some("a")), never()]);
        assert!(matches!(total(&http).unwrap_err(), CountError::Call(_)));
    }

    #[test]
    fn retried_page_is_counted_once() {
        let http = Scripted::list([
            page(100, Some("a")),
            answer_with(503, &[], ""),
            page(5, None),
        ]);
        assert_eq!(total(&http).unwrap(), 105);
        let tokens: Vec<_> = bodies(&http)
            .into_iter()
            .map(|b| b["nextToken"].clone())
            .collect();
        assert_eq!(tokens, [serde_json::Value::Null, "a".into(), "a".into()]);
    }

    #[test]
    fn ids_of_global_resources_are_kept() {
        let page = |ids: &[&str], token: &str| {
            let ids: Vec<_> = ids
                .iter()
                .map(|id| serde_json::json!({"resourceType": "AWS::IAM::Role", "resourceId": id}))
                .collect();
            let body = serde_json::json!({"resourceIdentifiers": ids, "nextToken": token});
            answer_with(200, &[], body.to_string())
        };
        let http = Scripted::list([page(&["AROA1", "AROA2"], "a"), page(&["AROA3"], "")]);
        let client = client(http, clock());
        let (region, role) = (
            "eu-west-1".parse().unwrap(),
            "AWS::IAM::Role".parse().unwrap(),
        );
        let listed = Listing::fetch_all(&client, &region, &role).unwrap();
        let ids: HashSet<u64> = listed.ids.iter().copied().collect();
        assert_eq!((listed.total, listed.ids.len(), ids.len()), (3, 3, 3));
    }
}
