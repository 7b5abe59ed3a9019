//! Connections through a proxy: ureq's connector, with the schemes that a proxy offers in the error of its
//! status 407.
//!
//! ureq sends CONNECT over a connection that it opens by calling [`ConnectionDetails::run_connector`]
//! on the same thread, and drops the headers of the response. The connection is wrapped, so that the
//! head of the response is still there after an error. After CONNECT the wrapper only forwards.

use std::sync::{Arc, Mutex, Weak};

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout, Transport,
};

use crate::sync::lock;

/// The maximum number of schemes in a message.
const MAX_SCHEMES: usize = 5;

/// Opens a tunnel through the proxy of a request, if it has one.
#[derive(Debug, Default)]
pub(super) struct ProxyConnector(ConnectProxyConnector);

impl<In: Transport> Connector<In> for ProxyConnector {
    type Out = Either<In, Box<dyn Transport>>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if details.config.proxy().is_none() {
            return self.0.connect(details, chained);
        }
        let head = Arc::new(Mutex::new(Vec::new()));
        let (run, copy) = (details.run_connector.clone(), Arc::downgrade(&head));
        let watched = ConnectionDetails {
            uri: details.uri,
            addrs: details.addrs.clone(),
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: Arc::new(move |details: &ConnectionDetails| {
                let (transport, copy) = (run(details)?, copy.clone());
                Ok(Box::new(HeadCopy { transport, copy }) as Box<dyn Transport>)
            }),
            register_shutdown: details.register_shutdown.clone(),
        };
        self.0
            .connect(&watched, chained)
            .map_err(|error| match error {
                Error::ConnectProxyFailed(reason) => {
                    Error::ConnectProxyFailed(with_schemes(reason, &lock(&head)))
                }
                error => error,
            })
    }
}

/// Adds the schemes that the head of a response offers to the reason of a failure.
fn with_schemes(reason: String, head: &[u8]) -> String {
    let schemes = schemes(head);
    if schemes.is_empty() {
        reason
    } else {
        format!("{reason}/{}", schemes.join(", "))
    }
}

/// Returns the schemes in the headers Proxy-Authenticate of a head, in order, without duplicates.
fn schemes(head: &[u8]) -> Vec<String> {
    let head = String::from_utf8_lossy(head);
    let is_token = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut found: Vec<String> = Vec::new();
    for line in head.lines().take_while(|line| !line.is_empty()) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if !name.eq_ignore_ascii_case("proxy-authenticate") {
            continue;
        }
        // A comma separates challenges and the parameters of one: those have a `=`.
        for part in value.split(',') {
            let word = part.split_whitespace().next().unwrap_or_default();
            let is_scheme = (1..=20).contains(&word.len()) && word.chars().all(is_token);
            let is_new = !found.iter().any(|known| known.eq_ignore_ascii_case(word));
            if is_scheme && is_new && found.len() < MAX_SCHEMES {
                found.push(word.to_owned());
            }
        }
    }
    found
}

/// A connection that copies the received head while somebody waits for it.
#[derive(Debug)]
struct HeadCopy {
    transport: Box<dyn Transport>,
    copy: Weak<Mutex<Vec<u8>>>,
}

impl Transport for HeadCopy {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.transport.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let progress = self.transport.await_input(timeout)?;
        if let Some(copy) = self.copy.upgrade() {
            // The input is not consumed before the head is complete.
            *lock(&copy) = self.transport.buffers().input().to_vec();
        }
        Ok(progress)
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }

    fn is_tls(&self) -> bool {
        self.transport.is_tls()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offered_schemes_are_read_from_head() {
        for (head, expected) in [
            (
                "HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\n\r\n",
                &["NTLM"][..],
            ),
            (
                "HTTP/1.0 407\nproxy-authenticate: Negotiate\nPROXY-AUTHENTICATE: ntlm \nx: Basic\n\nProxy-Authenticate: y",
                &["Negotiate", "ntlm"],
            ),
            (
                "HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=\"a, b\", qop=\"auth\", Basic realm=\"x\"\r\n",
                &["Digest", "Basic"],
            ),
            (
                "HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate YII=, negotiate\r\n",
                &["Negotiate"],
            ),
            ("HTTP/1.1 407 No\r\nWWW-Authenticate: Basic\r\n\r\n", &[]),
            (
                "HTTP/1.1 407 No\r\nProxy-Authenticate: <b>\u{1b}[2J\r\n\r\n",
                &[],
            ),
            ("", &[]),
        ] {
            assert_eq!(schemes(head.as_bytes()), expected, "{head}");
        }
    }
}
