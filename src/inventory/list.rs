//! Counts the resources of a type by listing them: every page of `config:ListDiscoveredResources`.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::error::{CountError, Inconsistency};
use super::method::Listed;
use crate::aws::client::{CallOutput, Client, Progress};
use crate::aws::error::{CallError, ErrorKind};
use crate::aws::operation::Operation;
use crate::aws::ops::list_discovered_resources::{ListDiscoveredResources, ResourcePage};
use crate::model::{Region, ResourceType};

/// The maximum number of empty pages in a row. Empty pages with a page token are normal, but a listing must progress.
const MAX_EMPTY_PAGES: u32 = 100;

/// The maximum number of pages: ten million resources of one type in one region.
const MAX_PAGES: u32 = 100_000;

/// The first page of a listing, or the error of its call, if it was requested before the listing starts.
pub type FirstPage = Result<CallOutput<ResourcePage>, CallError>;

/// A listing in progress. It keeps the number of resources, hashes of what must not repeat, and hashes of the IDs of
/// global resources.
pub struct Listing {
    resource_type: ResourceType,
    first_page: Option<FirstPage>,
    token: Option<String>,
    hasher: RandomState,
    /// Hashes of the page tokens: eight bytes per page, whatever the length of a token.
    tokens: HashSet<u64>,
    /// Fingerprints of the pages.
    pages: HashSet<u64>,
    fetched: u32,
    empty: u32,
    listed: Listed,
    /// The state of the call for the next page.
    call: Progress,
}

impl Listing {
    /// Creates a listing of `resource_type`. It uses `first_page` instead of a request if there is one.
    #[must_use]
    pub fn new(resource_type: ResourceType, first_page: Option<FirstPage>) -> Self {
        Self {
            resource_type,
            first_page,
            token: None,
            hasher: RandomState::new(),
            tokens: HashSet::new(),
            pages: HashSet::new(),
            fetched: 0,
            empty: 0,
            listed: Listed::default(),
            call: Progress::default(),
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
        if self.fetched == MAX_PAGES {
            return Err(inconsistent(Inconsistency::TooManyPages(MAX_PAGES), None));
        }
        let page = if let Some(page) = self.first_page.take() {
            page
        } else {
            let request = ListDiscoveredResources {
                resource_type: &self.resource_type,
                next_token: self.token.as_deref(),
            };
            match client.resume(region, &request, &mut self.call, yields) {
                Ok(None) => return Ok(None),
                Ok(Some(page)) => Ok(page),
                Err(error) => Err(error),
            }
        };
        self.fetched += 1;
        self.call = Progress::default();
        match page {
            // After the first page, it would make a partial count a total.
            Err(e)
                if self.token.is_none() && e.kind() == Some(ErrorKind::ResourceNotDiscovered) =>
            {
                Ok(Some(std::mem::take(&mut self.listed)))
            }
            page => self.add(page?),
        }
    }

    fn add(&mut self, page: CallOutput<ResourcePage>) -> Result<Option<Listed>, CountError> {
        let request_id = page.request_id;
        let inconsistent = |why| Err(inconsistent(why, request_id));
        let page = page.output;
        self.listed.total += page.resources;
        self.listed.ids.extend(page.ids);
        if let Some(next) = &page.next_token
            && !self.tokens.insert(self.hasher.hash_one(next))
        {
            return inconsistent(Inconsistency::RepeatedToken("listing"));
        }
        if let Some(fingerprint) = page.fingerprint
            && !self.pages.insert(fingerprint)
        {
            return inconsistent(Inconsistency::RepeatedPage);
        }
        if page.next_token.is_none() {
            return Ok(Some(std::mem::take(&mut self.listed)));
        }
        self.empty = if page.resources == 0 {
            self.empty + 1
        } else {
            0
        };
        if self.empty == MAX_EMPTY_PAGES {
            return inconsistent(Inconsistency::EmptyPages);
        }
        self.token = page.next_token;
        Ok(None)
    }
}

fn inconsistent(inconsistency: Inconsistency, request_id: Option<String>) -> CountError {
    CountError::Pages {
        operation: ListDiscoveredResources::NAME,
        inconsistency,
        request_id,
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash, Hasher};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::aws::client::fake::{client, clock};
    use crate::http::fake::{FakeResponse, Scripted, answer_with};

    /// A page with `resources` buckets and the token of the next page.
    fn page(resources: usize, next_token: Option<&str>) -> FakeResponse {
        let identifiers = vec![serde_json::json!({"resourceType": "AWS::S3::Bucket"}); resources];
        let mut body = serde_json::json!({"resourceIdentifiers": identifiers});
        if let Some(token) = next_token {
            body["nextToken"] = token.into();
        }
        answer_with(200, &[("x-amzn-requestid", "r-1")], body.to_string())
    }

    fn list(
        client: &Client,
        region: &Region,
        resource_type: &ResourceType,
    ) -> Result<Listed, CountError> {
        let mut listing = Listing::new(resource_type.clone(), None);
        loop {
            if let Some(listed) = listing.fetch_page(client, region, &|| false)? {
                return Ok(listed);
            }
        }
    }

    /// Returns the total of the buckets in eu-west-1.
    fn total(http: &Arc<Scripted>) -> Result<u64, CountError> {
        let client = client(http.clone(), clock());
        let types = ["AWS::S3::Bucket".parse().unwrap()];
        let region = "eu-west-1".parse().unwrap();
        let listed = list(&client, &region, &types[0])?;
        assert_eq!(listed.ids, [0; 0], "buckets are not global resources");
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
    fn hundred_empty_pages_are_an_error() {
        let n = AtomicU32::new(0);
        let http = Scripted::by(move |_| {
            let token = n.fetch_add(1, Ordering::SeqCst).to_string();
            page(usize::from(token == "0"), Some(&token))
        });
        let error = total(&http).unwrap_err().to_string();
        assert!(
            error.contains("returned a hundred empty pages in a row"),
            "{error}"
        );
        assert_eq!(http.requests().len(), 101);
    }

    #[test]
    fn repeated_page_is_an_error() {
        let n = AtomicU32::new(0);
        let http = Scripted::by(move |_| {
            let n = n.fetch_add(1, Ordering::SeqCst);
            let id = |k: u32| serde_json::json!({"resourceId": format!("b-{}", (n % 3) * 2 + k)});
            let body = serde_json::json!({
                "resourceIdentifiers": [id(0), id(1)],
                "nextToken": n.to_string(),
            });
            answer_with(200, &[], body.to_string())
        });
        let error = total(&http).unwrap_err().to_string();
        assert!(
            error.contains("returned the same resources on two pages"),
            "{error}"
        );
        assert_eq!(
            http.requests().len(),
            4,
            "three new pages and one repeated page"
        );
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
        let listed = list(&client, &region, &role).unwrap();
        let hash = |id: &str| {
            let mut hasher = DefaultHasher::new();
            id.hash(&mut hasher);
            hasher.finish()
        };
        let expected = ["AROA1", "AROA2", "AROA3"].map(hash);
        assert_eq!((listed.total, &listed.ids[..]), (3, &expected[..]));
    }
}
