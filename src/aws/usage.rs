//! What the calls of a run cost.

use std::ops::AddAssign;

/// Requests and what became of them; every attempt is a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests that were sent.
    pub requests: u64,
    /// Those of them that repeat an earlier one.
    pub retries: u64,
    /// Those of them whose answer was that there are too many.
    pub throttles: u64,
    /// The bodies of all answers, in bytes.
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
