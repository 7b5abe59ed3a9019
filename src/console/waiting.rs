//! The text about the calls in progress that a run waits for.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::aws::client::ActiveCall;
use crate::aws::operation::Service;

/// The time without a response after which a call is slow.
const SLOW: Duration = Duration::from_secs(2);

/// The time after which a call of a check is shown.
const SHOWN: Duration = Duration::from_secs(1);

/// The maximum number of regions that are named.
const NAMED: usize = 2;

/// Returns the regions that the scan waits for and why, at most two, that with the oldest call first. In a run of many
/// accounts, the account is before the region. If no region is
/// slow, returns the pages in progress if there are at most two regions.
#[must_use]
pub fn awaited_regions(calls: &[ActiveCall], now: Duration) -> Vec<String> {
    let mut oldest: BTreeMap<_, &ActiveCall> = BTreeMap::new();
    for call in calls {
        let first = oldest.entry((&call.account, &call.region)).or_insert(call);
        if order(call) < order(first) {
            *first = call;
        }
    }
    let mut regions: Vec<_> = oldest.into_values().collect();
    if regions.len() > NAMED {
        regions.retain(|call| is_slow(call, now));
    }
    regions.sort_by_key(|call| (!is_slow(call, now), order(call)));
    let regions = regions.into_iter().take(NAMED);
    regions
        .map(|call| {
            let account = call.account.as_ref();
            let account = account.map_or(String::new(), |account| format!("{account} "));
            format!("{account}{}: {}", call.region, state(call, now))
        })
        .collect()
}

fn order(call: &ActiveCall) -> (Duration, Reverse<u32>) {
    (call.began, Reverse(call.attempt))
}

/// Returns the time without a response, if it is long.
fn silence(call: &ActiveCall, now: Duration) -> Option<Duration> {
    let since = call.unanswered_since?;
    Some(now.saturating_sub(since)).filter(|silence| *silence >= SLOW)
}

fn is_slow(call: &ActiveCall, now: Duration) -> bool {
    call.attempt > 1 || now.saturating_sub(call.began) >= SLOW
}

fn state(call: &ActiveCall, now: Duration) -> String {
    if let Some(silence) = silence(call, now) {
        return format!("no answer for {} s", silence.as_secs());
    }
    match (call.page, &call.resource_type) {
        _ if call.attempt > 1 => format!("retry {} of {}", call.attempt, call.max_attempts),
        _ if call.unanswered_since.is_none() && is_slow(call, now) => {
            "slowed down to its rate limit".to_owned()
        }
        (Some(page), Some(resource_type)) => format!("page {page} of {resource_type}"),
        _ => call.operation.to_owned(),
    }
}

/// Returns the call that the checks wait for, and its state: the oldest one, if it takes a second or longer.
#[must_use]
pub fn awaited_call(calls: &[ActiveCall], now: Duration) -> Option<String> {
    let call = calls.iter().min_by_key(|call| order(call))?;
    let time = now.saturating_sub(call.began);
    if time < SHOWN {
        return None;
    }
    let place = match call.service {
        Service::Config => format!(" in {}", call.region),
        _ => String::new(),
    };
    let (seconds, attempt, max) = (time.as_secs(), call.attempt, call.max_attempts);
    let state = if attempt > 1 && silence(call, now).is_none() {
        format!("retry {attempt} of {max} ({seconds} s)")
    } else {
        format!("no answer yet ({seconds} s, attempt {attempt} of {max})")
    };
    let more = match calls.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    Some(format!(
        "{}:{}{place}: {state}{more}",
        call.service.name(),
        call.operation
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Returns an attempt that is sent at the time `began`.
    fn call(region: &str, began: u64) -> ActiveCall {
        ActiveCall {
            account: None,
            service: Service::Config,
            operation: "ListDiscoveredResources",
            region: region.parse().unwrap(),
            resource_type: Some("AWS::S3::Bucket".parse().unwrap()),
            page: Some(7),
            attempt: 1,
            max_attempts: 10,
            began: at(began),
            unanswered_since: Some(at(began)),
        }
    }

    /// Returns a call that waits for its next attempt after a response.
    fn retry(region: &str, began: u64, attempt: u32) -> ActiveCall {
        ActiveCall {
            attempt,
            unanswered_since: None,
            ..call(region, began)
        }
    }

    #[test]
    fn oldest_calls_of_two_regions_are_named() {
        let calls = [
            call("us-east-1", 99),
            retry("eu-west-3", 70, 4),
            retry("eu-west-3", 50, 6),
            call("sa-east-1", 59),
            retry("ap-south-1", 98, 2),
        ];
        assert_eq!(
            awaited_regions(&calls, at(100)),
            ["eu-west-3: retry 6 of 10", "sa-east-1: no answer for 41 s"]
        );
    }

    #[test]
    fn region_of_many_accounts_has_account() {
        let of_account = |id: &str, began| ActiveCall {
            account: Some(id.parse().unwrap()),
            ..call("eu-west-3", began)
        };
        let calls = [
            of_account("222222222222", 97),
            of_account("111111111111", 95),
        ];
        assert_eq!(
            awaited_regions(&calls, at(100)),
            [
                "111111111111 eu-west-3: no answer for 5 s",
                "222222222222 eu-west-3: no answer for 3 s"
            ]
        );
    }

    #[test]
    fn pages_of_last_regions_are_shown() {
        let recorder = ActiveCall {
            operation: "DescribeConfigurationRecorders",
            resource_type: None,
            page: None,
            ..call("eu-west-1", 100)
        };
        let mut calls = vec![recorder, call("us-east-1", 99)];
        assert_eq!(
            awaited_regions(&calls, at(100)),
            [
                "us-east-1: page 7 of AWS::S3::Bucket",
                "eu-west-1: DescribeConfigurationRecorders"
            ]
        );
        calls.push(call("us-west-2", 99));
        assert_eq!(awaited_regions(&calls, at(100)), [""; 0], "none is slow");
        calls.push(retry("sa-east-1", 97, 1));
        assert_eq!(
            awaited_regions(&calls, at(100)),
            ["sa-east-1: slowed down to its rate limit"]
        );
        assert_eq!(awaited_regions(&[], at(100)), [""; 0]);
    }

    #[test]
    fn check_shows_its_oldest_call() {
        let alias = ActiveCall {
            service: Service::Iam,
            operation: "ListAccountAliases",
            ..call("us-east-1", 88)
        };
        let shown = |calls: &[ActiveCall]| awaited_call(calls, at(100));
        let expected = "iam:ListAccountAliases: no answer yet (12 s, attempt 1 of 10)";
        assert_eq!(
            shown(std::slice::from_ref(&alias)).as_deref(),
            Some(expected)
        );
        let expected = format!("{expected}, and 1 more");
        assert_eq!(shown(&[call("eu-west-1", 90), alias]), Some(expected));
        let expected = "config:ListDiscoveredResources in eu-west-1: retry 3 of 10 (10 s)";
        assert_eq!(
            shown(&[retry("eu-west-1", 90, 3)]).as_deref(),
            Some(expected)
        );
        assert_eq!(shown(&[call("eu-west-1", 100)]), None, "it has just begun");
        assert_eq!(shown(&[]), None);
    }
}
