//! The requests and bytes that a run's calls used.

use std::iter::Sum;
use std::ops::AddAssign;

use serde::Serialize;

/// Counts of requests and bytes; every attempt is a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// The requests sent.
    pub requests: u64,
    /// The requests that repeat an earlier one.
    pub retries: u64,
    /// The requests that were throttled.
    pub throttles: u64,
    /// The size of all response bodies, in bytes.
    pub bytes: u64,
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.retries += other.retries;
        self.throttles += other.throttles;
        self.bytes += other.bytes;
    }
}

impl<'a> Sum<&'a Self> for Usage {
    fn sum<I: Iterator<Item = &'a Self>>(usages: I) -> Self {
        let mut sum = Self::default();
        for usage in usages {
            sum += *usage;
        }
        sum
    }
}
