//! Counts the resources of one region: a file per AWS operation, a [`Method`] per combination of them.

pub mod counts;
mod error;
pub mod list;
mod method;
mod paging;
mod prefetched;

pub use error::{CountError, Inconsistency};
pub use method::{Counts, Listed, Method};
pub use paging::Paging;
pub use prefetched::{Prefetched, StatusResponse};

#[cfg(test)]
mod tests;
