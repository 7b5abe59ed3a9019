//! The hosts of the services as all accounts of a run know them.
//!
//! - Without this, each account would find out on its own, for two minutes, that a host does not answer.
//! - A host that [`SUSPECT`] accounts have abandoned in succession, without a success of any account, is suspect: each
//!   further account tries it with one attempt of at most [`PROBE_LIMIT`], and [`MAX_PROBES`] attempts are sent at the same
//!   time over all. After [`DEAD`] such accounts it is no longer tried in this run.
//! - Any response that is neither an error of the server nor late ends all of that.
//! - STS, Organizations and the sign-in services are not included: they have their own pacing.
//! - The mutexes are not held while a thread sends or sleeps. A thread that waits for its attempt polls, because it also
//!   waits for the time limits of its call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::aws::error::{Cause, ErrorKind};
use crate::aws::operation::Service;
use crate::http::{TransportError, TransportErrorKind};
use crate::model::Region;
use crate::sync::lock;

/// The number of accounts that make a host suspect.
const SUSPECT: usize = 3;

/// The number of accounts after which a host is no longer tried.
const DEAD: usize = SUSPECT + 12;

/// The maximum number of attempts at a suspect host at the same time.
const MAX_PROBES: usize = 4;

/// The maximum time of an attempt at a suspect host.
pub(super) const PROBE_LIMIT: Duration = Duration::from_secs(5);

/// The interval at which a thread looks whether it may send an attempt to a suspect host.
pub(super) const PROBE_POLL: Duration = Duration::from_millis(100);

/// The hosts of a run of many accounts.
#[derive(Default)]
pub struct SharedHosts(Mutex<HashMap<(Service, Region), Arc<Host>>>);

impl SharedHosts {
    /// Returns the host of a service in a region; `None` if the accounts do not share it.
    pub(super) fn host(&self, service: Service, region: &Region) -> Option<Arc<Host>> {
        if !matches!(service, Service::Config | Service::Ec2 | Service::Iam) {
            return None;
        }
        let mut hosts = lock(&self.0);
        Some(hosts.entry((service, region.clone())).or_default().clone())
    }
}

/// The state of a host.
#[derive(Default)]
pub(super) struct Host(Mutex<HostState>);

#[derive(Default)]
struct HostState {
    /// The number of accounts that have abandoned the host since its last success.
    failures: usize,
    /// The number of attempts in progress at the suspect host.
    probes: usize,
    /// The last failure.
    cause: Option<Cause>,
}

impl Host {
    /// Returns true if only single attempts are sent to the host.
    pub(super) fn is_suspect(&self) -> bool {
        lock(&self.0).failures >= SUSPECT
    }

    /// Returns the reason why the host is no longer tried; `None` if it is.
    pub(super) fn dead(&self) -> Option<Cause> {
        let state = lock(&self.0);
        let cause = state.cause.as_ref().filter(|_| state.failures >= DEAD)?;
        let message = format!(
            "not tried, because {} accounts of this run got no response from this host; the last error: {}",
            state.failures,
            described(cause)
        );
        let kind = TransportErrorKind::Connection;
        Some(Cause::Transport(TransportError { kind, message }))
    }

    /// Starts an attempt at a suspect host. Returns false if there are too many.
    pub(super) fn start_probe(&self) -> bool {
        let mut state = lock(&self.0);
        let is_free = state.probes < MAX_PROBES;
        state.probes += usize::from(is_free);
        is_free
    }

    /// Ends an attempt at a suspect host.
    pub(super) fn end_probe(&self) {
        lock(&self.0).probes -= 1;
    }

    /// Records that another account has abandoned the host.
    pub(super) fn fail(&self, cause: &Cause) {
        let mut state = lock(&self.0);
        state.failures += 1;
        state.cause = Some(cause.clone());
    }

    /// Records a response.
    pub(super) fn succeed(&self) {
        lock(&self.0).failures = 0;
    }
}

fn described(cause: &Cause) -> String {
    match cause {
        Cause::Transport(error) => error.message.clone(),
        Cause::Service { code, status, .. } => format!("{code} (HTTP {status})"),
        _ => "no response".to_owned(),
    }
}

/// Returns true if the cause is one of the host, not of the account: there was no response, or a server error.
pub(super) fn is_of_host(cause: &Cause) -> bool {
    use TransportErrorKind::{Exhausted, Interrupted, NotRecorded, TooLarge};
    match cause {
        Cause::Transport(error) => {
            !matches!(error.kind, Exhausted | Interrupted | NotRecorded | TooLarge)
        }
        Cause::Service { kind, status, .. } => *kind != ErrorKind::Throttling && *status >= 500,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::client::fake::{clock, credentials, transport};
    use crate::aws::client::{Client, Transport};
    use crate::aws::ops::list_discovered_resources::ListDiscoveredResources;
    use crate::clock::Clock;
    use crate::http::{HttpClient, Request, Response};
    use crate::model::ResourceType;
    use crate::recording::VirtualClock;

    /// A host that answers only the requests `good`; the others fail after `time` or at their limit.
    struct Silent {
        clock: Arc<VirtualClock>,
        kind: TransportErrorKind,
        time: Duration,
        good: std::ops::Range<usize>,
        sent: Mutex<usize>,
    }

    impl HttpClient for Silent {
        fn send(&self, request: &Request) -> Result<Response, TransportError> {
            let number = {
                let mut sent = lock(&self.sent);
                *sent += 1;
                *sent
            };
            if self.good.contains(&number) {
                return Ok(Response {
                    status: 200,
                    headers: vec![("x-amzn-requestid".to_owned(), "1".to_owned())],
                    body: br#"{"resourceIdentifiers":[]}"#.to_vec(),
                });
            }
            self.clock.sleep(request.budget.min(self.time));
            Err(TransportError {
                kind: self.kind,
                message: "config.eu-west-1.amazonaws.com: no response".to_owned(),
            })
        }
    }

    fn silent(good: std::ops::Range<usize>) -> (Arc<VirtualClock>, Arc<Silent>, Transport) {
        failing(TransportErrorKind::Timeout, 30, good)
    }

    fn failing(
        kind: TransportErrorKind,
        seconds: u64,
        good: std::ops::Range<usize>,
    ) -> (Arc<VirtualClock>, Arc<Silent>, Transport) {
        let clock = clock();
        let http = Arc::new(Silent {
            clock: clock.clone(),
            kind,
            time: Duration::from_secs(seconds),
            good,
            sent: Mutex::default(),
        });
        let transport = Transport {
            hosts: Some(Arc::default()),
            ..transport(http.clone(), clock.clone())
        };
        (clock, http, transport)
    }

    fn first_page(resource_type: &ResourceType) -> ListDiscoveredResources<'_> {
        ListDiscoveredResources {
            resource_type,
            next_token: None,
            page: 1,
        }
    }

    /// Calls for two types of an account. Returns the number of requests, the time and the last error.
    fn ask(clock: &VirtualClock, http: &Silent, transport: &Transport) -> (usize, u64, String) {
        let client = Client::new(transport.clone(), credentials());
        let (sent, began) = (*lock(&http.sent), clock.elapsed());
        let region: Region = "eu-west-1".parse().unwrap();
        let mut last = String::new();
        for resource_type in ["AWS::S3::Bucket", "AWS::EC2::VPC"] {
            let resource_type = resource_type.parse().unwrap();
            let call = first_page(&resource_type);
            if let Err(error) = client.call(&region, &call) {
                last = error.to_string();
            }
        }
        let time = clock.elapsed().saturating_sub(began).as_secs();
        (*lock(&http.sent) - sent, time, last)
    }

    #[test]
    fn silent_host_costs_hundred_accounts_little() {
        use TransportErrorKind::{Connect, Timeout};
        for (kind, seconds, min_sent) in [(Timeout, 30, 4), (Connect, 5, 3)] {
            let (clock, http, transport) = failing(kind, seconds, 0..0);
            for number in 1..=SUSPECT {
                let (sent, time, _) = ask(&clock, &http, &transport);
                assert!(sent >= min_sent && time <= 121, "{number}: {sent} {time}");
            }
            for number in 1..=12 {
                let (sent, time, _) = ask(&clock, &http, &transport);
                assert_eq!((sent, time), (1, 5), "{number}");
            }
            for _ in DEAD..100 {
                let (sent, time, error) = ask(&clock, &http, &transport);
                assert_eq!((sent, time), (0, 0));
                assert!(error.contains("not tried, because 15 accounts"), "{error}");
            }
        }
    }

    #[test]
    fn success_ends_suspicion() {
        let (clock, http, transport) = silent(0..0);
        for _ in 0..SUSPECT {
            ask(&clock, &http, &transport);
        }
        let hosts = transport.hosts;
        let (clock, http, transport) = silent(1..2);
        let transport = Transport { hosts, ..transport };
        let (sent, time, _) = ask(&clock, &http, &transport);
        assert!(
            sent > 2 && time > 30,
            "the second type has all its attempts: {sent} {time}"
        );
    }

    #[test]
    fn at_most_four_attempts_are_sent() {
        let host = Host::default();
        assert_eq!(
            [(); 6].map(|()| host.start_probe()),
            [true, true, true, true, false, false]
        );
        host.end_probe();
        assert!(host.start_probe() && !host.start_probe());
    }

    #[test]
    fn first_type_is_asked_before_the_others() {
        let (.., transport) = silent(1..2);
        let client = Client::new(transport, credentials());
        let region: Region = "eu-west-1".parse().unwrap();
        assert_eq!(client.concurrency(Service::Config, &region), 1);
        let resource_type = "AWS::S3::Bucket".parse().unwrap();
        let call = first_page(&resource_type);
        client.call(&region, &call).unwrap();
        assert_eq!(client.concurrency(Service::Config, &region), 4);
    }
}
