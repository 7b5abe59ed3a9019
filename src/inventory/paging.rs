//! Bounds of the pages of one answer: they must end, whatever AWS returns.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::error::Inconsistency;

/// The maximum number of pages in a row without anything new. Empty pages with a page token are
/// normal: AWS Config filters a page after it has read it.
const MAX_EMPTY_PAGES: u32 = 10_000;

/// The maximum number of pages; it bounds the memory of the tokens. A listing of the maximum
/// number of resources has 50,000 full pages.
const MAX_PAGES: usize = 1_000_000;

/// The pages of one answer so far.
pub struct Paging {
    /// The name of the answer in errors.
    name: &'static str,
    hasher: RandomState,
    /// Hashes of the page tokens: eight bytes per page, whatever the length of a token.
    tokens: HashSet<u64>,
    empty: u32,
}

impl Paging {
    /// Creates the state before the first page of the answer `name`.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            hasher: RandomState::new(),
            tokens: HashSet::new(),
            empty: 0,
        }
    }

    /// Returns the number of the next page, from 1.
    pub(super) fn next_page(&self) -> usize {
        self.tokens.len() + 1
    }

    /// Adds a page that has the token of another one. `is_empty` is true if it has nothing new.
    ///
    /// # Errors
    /// The token was returned before, or the pages exceed a bound.
    pub fn add(&mut self, token: &str, is_empty: bool) -> Result<(), Inconsistency> {
        if !self.tokens.insert(self.hasher.hash_one(token)) {
            return Err(Inconsistency::RepeatedToken(self.name));
        }
        if self.tokens.len() > MAX_PAGES {
            return Err(Inconsistency::TooManyPages(MAX_PAGES));
        }
        self.empty = if is_empty { self.empty + 1 } else { 0 };
        if self.empty == MAX_EMPTY_PAGES {
            return Err(Inconsistency::EmptyPages(MAX_EMPTY_PAGES));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_earlier_token_is_repeated() {
        for first in [0, 1, 7, 499] {
            let mut paging = Paging::new("test");
            for n in 0..500 {
                paging.add(&n.to_string(), false).unwrap();
            }
            let repeated = paging.add(&first.to_string(), false);
            assert_eq!(repeated, Err(Inconsistency::RepeatedToken("test")));
        }
    }

    #[test]
    fn empty_pages_in_a_row_are_bounded() {
        let mut paging = Paging::new("test");
        for n in 1..2 * MAX_EMPTY_PAGES {
            let is_empty = n % MAX_EMPTY_PAGES != 0;
            paging.add(&n.to_string(), is_empty).unwrap();
        }
        let last = paging.add("last", true);
        assert_eq!(last, Err(Inconsistency::EmptyPages(MAX_EMPTY_PAGES)));
    }

    #[test]
    fn pages_are_bounded() {
        let mut paging = Paging::new("test");
        for n in 0..MAX_PAGES {
            paging.add(&n.to_string(), false).unwrap();
        }
        let more = paging.add("more", false);
        assert_eq!(more, Err(Inconsistency::TooManyPages(MAX_PAGES)));
    }
}
