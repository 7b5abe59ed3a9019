//! The pages of a list of AWS Organizations or of IAM Identity Center.

use super::list_error::ListError;
use crate::aws::error::CallError;
use crate::aws::page::Page;
use crate::inventory::Paging;

/// The state of a list between two pages.
pub struct PageCursor {
    service: &'static str,
    operation: &'static str,
    token: Option<String>,
    paging: Paging,
    is_complete: bool,
}

impl PageCursor {
    /// Creates the state before the first page of `operation` of `service`.
    pub fn new(service: &'static str, operation: &'static str) -> Self {
        Self {
            service,
            operation,
            token: None,
            paging: Paging::new("list"),
            is_complete: false,
        }
    }

    /// Returns true if the last page was fetched.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Fetches the next page with `fetch`, which gets the page token. Returns `None` after the last page.
    ///
    /// # Errors
    /// The call failed, or the pages do not end.
    pub fn next<T, E: Into<ListError>>(
        &mut self,
        fetch: impl FnOnce(Option<&str>) -> Result<Page<T>, E>,
    ) -> Result<Option<Vec<T>>, ListError> {
        if self.is_complete {
            return Ok(None);
        }
        let page = fetch(self.token.as_deref()).map_err(Into::into)?;
        match &page.next_token {
            // An empty page with a page token is not the last one.
            Some(token) => {
                let added = self.paging.add(token, page.items.is_empty());
                added.map_err(|source| ListError::Pages {
                    service: self.service,
                    operation: self.operation,
                    source,
                })?;
            }
            None => self.is_complete = true,
        }
        self.token = page.next_token;
        Ok(Some(page.items))
    }

    /// Fetches all pages of `operation` of AWS Organizations with `fetch`.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn all<T>(
        operation: &'static str,
        fetch: impl Fn(Option<&str>) -> Result<Page<T>, CallError>,
    ) -> Result<Vec<T>, ListError> {
        let (mut pages, mut all) = (Self::new("organizations", operation), Vec::new());
        while let Some(items) = pages.next(&fetch)? {
            all.extend(items);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_page_with_token_is_not_the_end() {
        let pages = [
            (vec![1], Some("a")),
            (vec![], Some("b")),
            (vec![2, 3], None),
        ];
        let mut rest = pages.into_iter();
        let mut list = PageCursor::new("organizations", "ListAccounts");
        let mut all = Vec::new();
        let mut tokens = Vec::new();
        while let Some(items) = list
            .next(|token| {
                tokens.push(token.map(str::to_owned));
                let (items, next) = rest.next().unwrap();
                let next_token = next.map(str::to_owned);
                Ok::<_, CallError>(Page { items, next_token })
            })
            .unwrap()
        {
            all.extend(items);
        }
        assert_eq!(all, [1, 2, 3]);
        assert_eq!(tokens, [None, Some("a".to_owned()), Some("b".to_owned())]);
    }

    #[test]
    fn repeated_token_is_an_error() {
        let page = Page {
            items: vec![0],
            next_token: Some("t".to_owned()),
        };
        let all = PageCursor::all("ListAccounts", |_| Ok(page.clone()));
        let error = all.unwrap_err().to_string();
        assert!(error.starts_with("organizations:ListAccounts: "), "{error}");
    }
}
