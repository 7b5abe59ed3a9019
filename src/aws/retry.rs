//! Retries as in the SDKs' standard mode: pure functions of the attempt, chance and the quota.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>

use std::time::Duration;

/// How often a request is tried in all when nothing says otherwise.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 10;

/// How long one call may take with all its attempts.
pub const CALL_LIMIT: Duration = Duration::from_mins(2);

/// The longest wait that chance is multiplied with.
const MAX_BACKOFF_SECONDS: u32 = 20;

/// What another attempt costs of the quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// After a throttling answer or a transient one.
    Usual,
    /// After a time-out.
    Timeout,
}

impl Cost {
    fn tokens(self) -> u32 {
        match self {
            Self::Usual => 5,
            Self::Timeout => 10,
        }
    }
}

/// The wait before retry `i` (from 0): `chance × min(2^i, 20)` seconds, `chance` in 0..1.
///
/// A `retry_after` that the server sent (`x-amz-retry-after`) is honoured within five seconds above
/// that wait.
#[must_use]
pub fn backoff(i: u32, chance: f64, retry_after: Option<Duration>) -> Duration {
    let cap = 2u32
        .checked_pow(i)
        .map_or(MAX_BACKOFF_SECONDS, |s| s.min(MAX_BACKOFF_SECONDS));
    let wait = Duration::from_secs(cap.into()).mul_f64(chance.clamp(0.0, 1.0));
    retry_after.map_or(wait, |t| t.clamp(wait, wait + Duration::from_secs(5)))
}

/// The retries that one region of one service may still cost: a bucket of 500 tokens.
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
    /// What the bucket holds at the most.
    pub const CAPACITY: u32 = 500;

    /// Pays for one retry; `false`, and nothing paid, when the bucket holds too little.
    pub fn pay(&mut self, cost: Cost) -> bool {
        match self.tokens.checked_sub(cost.tokens()) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }

    /// Takes a success in: the last retry's price comes back, or one token where it needed none.
    pub fn reward(&mut self, last: Option<Cost>) {
        let back = last.map_or(1, Cost::tokens);
        self.tokens = (self.tokens + back).min(Self::CAPACITY);
    }

    /// What the bucket holds.
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
    fn backoff_to_the_digit() {
        let ms = |i, chance| backoff(i, chance, None).as_millis();
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
    fn a_servers_wish_is_honoured_within_five_seconds() {
        let after = |t| backoff(1, 0.5, Some(Duration::from_millis(t))).as_millis();
        assert_eq!(after(10), 1000, "never sooner than our own wait");
        assert_eq!(after(2500), 2500);
        assert_eq!(after(60_000), 6000);
    }

    #[test]
    fn the_quota_is_the_sdks() {
        let mut quota = Quota::default();
        assert!((0..100).all(|_| quota.pay(Cost::Usual)), "100 retries");
        assert!(!quota.pay(Cost::Usual));
        assert_eq!(quota.tokens(), 0);
        quota.reward(None);
        assert_eq!(quota.tokens(), 1);
        quota.reward(Some(Cost::Timeout));
        assert_eq!(quota.tokens(), 11);
        assert!(quota.pay(Cost::Timeout));
        for _ in 0..600 {
            quota.reward(None);
        }
        assert_eq!(quota.tokens(), Quota::CAPACITY);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_wait_is_within_its_bounds(
            i in any::<u32>(),
            chance in any::<f64>(),
            wish in option::of(any::<u64>().prop_map(Duration::from_millis)),
        ) {
            let chance = if chance.is_nan() { 0.0 } else { chance };
            let own = backoff(i, chance, None);
            prop_assert!(own <= Duration::from_secs(20));
            prop_assert!(i > 4 || own <= Duration::from_secs(1 << i));
            let wait = backoff(i, chance, wish);
            prop_assert!(own <= wait && wait <= own + Duration::from_secs(5));
        }

        #[test]
        fn a_bucket_holds_what_was_paid_back_and_never_more_than_it_can(
            steps in vec((any::<bool>(), option::of(select(vec![Cost::Usual, Cost::Timeout]))), 0..400),
        ) {
            let mut quota = Quota::default();
            let mut expected = Quota::CAPACITY;
            for (pays, cost) in steps {
                if pays {
                    let cost = cost.unwrap_or(Cost::Usual);
                    let paid = quota.pay(cost);
                    prop_assert_eq!(paid, expected >= cost.tokens());
                    expected -= if paid { cost.tokens() } else { 0 };
                } else {
                    quota.reward(cost);
                    expected = Quota::CAPACITY.min(expected + cost.map_or(1, Cost::tokens));
                }
                prop_assert_eq!(quota.tokens(), expected);
                prop_assert!(quota.tokens() <= Quota::CAPACITY);
            }
        }

        #[test]
        fn a_wait_grows_with_each_try_and_with_chance(
            i in 0..100u32,
            chance in 0.0..=1.0f64,
            more in 0.0..=1.0f64,
        ) {
            let wait = backoff(i, chance, None);
            prop_assert!(wait <= backoff(i + 1, chance, None));
            prop_assert!(wait <= backoff(i, chance.max(more), None));
        }
    }
}
