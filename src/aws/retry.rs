//! Retries as in the SDKs' standard mode: backoff, costs and the retry quota.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>

use std::time::Duration;

/// The default of the maximum attempts per call.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 10;

/// The maximum time of a call with all its attempts.
pub const CALL_LIMIT: Duration = Duration::from_mins(2);

/// The maximum backoff before jitter, in seconds.
const MAX_BACKOFF_SECONDS: u32 = 20;

/// The cost of a retry after a throttled response or a transient error, in tokens of the quota.
pub const RETRY_COST: u32 = 5;

/// The cost of a retry after a time-out, in tokens of the quota.
pub const TIMEOUT_COST: u32 = 10;

/// Returns the wait before retry `i` (from 0): `jitter × min(2^i, 20)` seconds, `jitter` from 0 to
/// 1.
///
/// The server's `retry_after` (`x-amz-retry-after`) is honored up to five seconds above that wait.
#[must_use]
pub fn backoff(i: u32, jitter: f64, retry_after: Option<Duration>) -> Duration {
    let cap = 2u32
        .checked_pow(i)
        .map_or(MAX_BACKOFF_SECONDS, |s| s.min(MAX_BACKOFF_SECONDS));
    let wait = Duration::from_secs(cap.into()).mul_f64(jitter.clamp(0.0, 1.0));
    retry_after.map_or(wait, |t| t.clamp(wait, wait + Duration::from_secs(5)))
}

/// The retry quota of one region of one service: a bucket of 500 tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    tokens: u32,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            tokens: Self::CAPACITY,
        }
    }
}

impl Quota {
    /// The maximum tokens of the bucket, and the initial value.
    pub const CAPACITY: u32 = 500;

    /// Pays for one retry; returns false, and takes nothing, if there are too few tokens.
    pub fn pay(&mut self, cost: u32) -> bool {
        match self.tokens.checked_sub(cost) {
            Some(tokens) => {
                self.tokens = tokens;
                true
            }
            None => false,
        }
    }

    /// Records a success: refunds the cost of the last retry, or one token if there was no retry.
    pub fn reward(&mut self, last: Option<u32>) {
        self.tokens = (self.tokens + last.unwrap_or(1)).min(Self::CAPACITY);
    }

    /// Returns the remaining tokens.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        self.tokens
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    #[test]
    fn backoff_doubles_up_to_maximum() {
        let ms = |i, jitter| backoff(i, jitter, None).as_millis();
        assert_eq!(
            (0..10).map(|i| ms(i, 1.0)).collect::<Vec<_>>(),
            [
                1000, 2000, 4000, 8000, 16000, 20000, 20000, 20000, 20000, 20000
            ]
        );
        assert_eq!(
            (0..4).map(|i| ms(i, 0.5)).collect::<Vec<_>>(),
            [500, 1000, 2000, 4000]
        );
        assert_eq!((0..4).map(|i| ms(i, 0.0)).collect::<Vec<_>>(), [0; 4]);
        assert_eq!(ms(200, 1.0), 20000, "no overflow");
    }

    #[test]
    fn retry_after_is_honored_within_five_seconds() {
        let after = |t| backoff(1, 0.5, Some(Duration::from_millis(t))).as_millis();
        assert_eq!(after(10), 1000, "never less than the backoff");
        assert_eq!(after(2500), 2500);
        assert_eq!(after(60_000), 6000);
    }

    #[test]
    fn quota_equals_that_of_the_sdks() {
        let mut quota = Quota::default();
        assert!((0..100).all(|_| quota.pay(RETRY_COST)), "100 retries");
        assert!(!quota.pay(RETRY_COST));
        assert_eq!(quota.tokens(), 0);
        quota.reward(None);
        assert_eq!(quota.tokens(), 1);
        quota.reward(Some(TIMEOUT_COST));
        assert_eq!(quota.tokens(), 11);
        assert!(quota.pay(TIMEOUT_COST));
        for _ in 0..600 {
            quota.reward(None);
        }
        assert_eq!(quota.tokens(), Quota::CAPACITY);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn backoff_is_within_bounds(
            i in any::<u32>(),
            jitter in any::<f64>(),
            retry_after in option::of(any::<u64>().prop_map(Duration::from_millis)),
        ) {
            let jitter = if jitter.is_nan() { 0.0 } else { jitter };
            let plain = backoff(i, jitter, None);
            prop_assert!(plain <= Duration::from_secs(20));
            prop_assert!(i > 4 || plain <= Duration::from_secs(1 << i));
            let wait = backoff(i, jitter, retry_after);
            prop_assert!(plain <= wait && wait <= plain + Duration::from_secs(5));
        }

        #[test]
        fn quota_never_exceeds_capacity(
            steps in vec((any::<bool>(), option::of(select(vec![RETRY_COST, TIMEOUT_COST]))), 0..400),
        ) {
            let mut quota = Quota::default();
            let mut expected = Quota::CAPACITY;
            for (pays, cost) in steps {
                if pays {
                    let cost = cost.unwrap_or(RETRY_COST);
                    let paid = quota.pay(cost);
                    prop_assert_eq!(paid, expected >= cost);
                    expected -= if paid { cost } else { 0 };
                } else {
                    quota.reward(cost);
                    expected = Quota::CAPACITY.min(expected + cost.unwrap_or(1));
                }
                prop_assert_eq!(quota.tokens(), expected);
                prop_assert!(quota.tokens() <= Quota::CAPACITY);
            }
        }

        #[test]
        fn backoff_grows_with_attempts_and_jitter(
            i in 0..100u32,
            jitter in 0.0..=1.0f64,
            more in 0.0..=1.0f64,
        ) {
            let wait = backoff(i, jitter, None);
            prop_assert!(wait <= backoff(i + 1, jitter, None));
            prop_assert!(wait <= backoff(i, jitter.max(more), None));
        }
    }
}
