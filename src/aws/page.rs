//! Pages of lists.

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items. An empty page with a page token is not the last one.
    pub items: Vec<T>,
    /// The page token of the next page; `None` on the last page.
    pub next_token: Option<String>,
}

impl<T> Page<T> {
    /// Creates the page of a response; an empty page token counts as missing.
    pub(super) fn new(items: impl IntoIterator<Item = T>, next_token: Option<String>) -> Self {
        Self {
            items: items.into_iter().collect(),
            next_token: next_token.filter(|token| !token.is_empty()),
        }
    }
}
