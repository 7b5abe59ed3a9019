//! NO_PROXY: the hosts that bypass the proxy.
//!
//! NO_PROXY has no standard. The syntax here is that of curl and Go, a superset of the syntax of
//! Python and the AWS CLI: <https://curl.se/docs/manpage.html#NOPROXY>,
//! <https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config>.

use std::net::IpAddr;

/// The hosts that bypass the proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoProxy(Vec<BypassRule>);

/// One entry: hosts and a port; without a port, all ports.
#[derive(Debug, Clone, PartialEq, Eq)]
struct BypassRule {
    hosts: HostPattern,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    All,
    /// A domain and its subdomains.
    Domain(String),
    /// The addresses that share the first bits of this address.
    Network(IpAddr, u32),
}

impl NoProxy {
    /// Parses a list separated by commas or whitespace. Entries: `*`, `host`, `domain` or `.domain`
    /// (both with subdomains), an address, each optionally with a port; or a network
    /// (`10.0.0.0/8`). Invalid entries are ignored.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let entries = text.split(|c: char| c == ',' || c.is_whitespace());
        Self(entries.filter_map(BypassRule::parse).collect())
    }

    /// Returns true if `host` bypasses the proxy on `port`.
    #[must_use]
    pub fn covers(&self, host: &str, port: u16) -> bool {
        let host = normalize(unbracketed(host));
        let address = address(&host);
        let mut rules = self.0.iter().filter(|r| r.port.is_none_or(|p| p == port));
        is_local(&host, address) || rules.any(|r| r.hosts.contain(&host, address))
    }
}

impl BypassRule {
    /// Parses an entry; returns `None` if it is invalid.
    fn parse(text: &str) -> Option<Self> {
        if let Some((network, bits)) = text.split_once('/') {
            let network = address(unbracketed(network))?;
            let bits = bits.parse().ok().filter(|b| *b <= width(network))?;
            let hosts = HostPattern::Network(network, bits);
            return Some(Self { hosts, port: None });
        }
        let (host, port) = split_port(text)?;
        let host = host.strip_prefix('*').unwrap_or(host);
        let host = normalize(host.strip_prefix('.').unwrap_or(host));
        let hosts = match address(&host) {
            Some(address) => HostPattern::Network(address, width(address)),
            None if !host.is_empty() => HostPattern::Domain(host),
            None if text.starts_with('*') => HostPattern::All,
            None => return None,
        };
        Some(Self { hosts, port })
    }
}

impl HostPattern {
    fn contain(&self, host: &str, address: Option<IpAddr>) -> bool {
        match (self, address) {
            (Self::All, _) => true,
            (Self::Domain(domain), None) => host
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            (Self::Network(network, bits), Some(address)) => within(address, *network, *bits),
            _ => false,
        }
    }
}

/// Returns true for this machine and for the addresses of the AWS metadata and container services.
/// Through a proxy, they would return the credentials of the proxy's machine or leak those of this
/// one.
fn is_local(host: &str, address: Option<IpAddr>) -> bool {
    match address {
        Some(IpAddr::V4(v4)) => v4.is_loopback() || v4.is_link_local(),
        Some(IpAddr::V6(v6)) => v6.is_loopback() || v6.segments().starts_with(&[0xfd00, 0x0ec2]),
        None => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// Returns the host in lower case and without the trailing dot of the DNS root.
fn normalize(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

fn unbracketed(host: &str) -> &str {
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    inner.unwrap_or(host)
}

/// Parses an address; an IPv4-mapped IPv6 address becomes its IPv4 address.
fn address(host: &str) -> Option<IpAddr> {
    let address: IpAddr = host.parse().ok()?;
    Some(address.to_canonical())
}

/// Splits `host`, `host:port`, `[::1]:port` or `::1`; returns `None` if the port is invalid.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    if text.parse::<IpAddr>().is_ok() || text.ends_with(']') {
        return Some((unbracketed(text), None));
    }
    match text.rsplit_once(':') {
        None => Some((text, None)),
        Some((host, port)) => Some((unbracketed(host), Some(port.parse().ok()?))),
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Returns true if the first `bits` of both addresses are equal.
fn within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let equal = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (a.to_bits() ^ n.to_bits()).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(n)) => (a.to_bits() ^ n.to_bits()).leading_zeros(),
        _ => return false,
    };
    equal >= bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_covers_matching_hosts() {
        let covered_cases = [
            ("*", "a.example:443"),
            ("x, *", "a.example:443"),
            ("*:8443", "a.example:8443"),
            ("example.com", "example.com:443"),
            ("example.com", "sts.example.com:443"),
            (".example.com", "sts.example.com:443"),
            (".example.com", "example.com:443"),
            ("*.example.com", "sts.example.com:443"),
            ("EXAMPLE.com", "sts.Example.COM.:443"),
            ("example.com.", "example.com:443"),
            ("a.test,  example.com", "example.com:443"),
            ("a.test example.com\t,", "example.com:443"),
            ("example.com:8443", "sts.example.com:8443"),
            ("10.1.2.3", "10.1.2.3:443"),
            ("10.1.2.3:80", "10.1.2.3:80"),
            ("10.0.0.0/8", "10.1.2.3:443"),
            ("10.1.2.3/32", "10.1.2.3:443"),
            ("0.0.0.0/0", "10.1.2.3:443"),
            ("10.1.2.0/23", "10.1.3.255:443"),
            ("10.0.0.0/8", "::ffff:10.1.2.3:443"),
            ("2001:db8::1", "2001:db8:0::1:443"),
            ("[2001:db8::1]", "2001:db8::1:443"),
            ("[2001:db8::1]:8443", "2001:db8::1:8443"),
            ("2001:db8::/32", "2001:db8:ffff::1:443"),
            ("::/0", "2001:db8::1:443"),
        ];
        let other_cases = [
            ("", "a.example:443"),
            (" , ,", "a.example:443"),
            (".", "a.example:443"),
            ("*:8443", "a.example:443"),
            ("example.com", "notexample.com:443"),
            ("example.com", "example.com.test:443"),
            ("sts.example.com", "example.com:443"),
            ("example.com:8443", "example.com:443"),
            ("example.com:x", "example.com:443"),
            ("2.3", "10.1.2.3:443"),
            ("10.1.2.3", "10.1.2.4:443"),
            ("10.1.2.3", "a10.1.2.3:443"),
            ("10.0.0.0/8", "11.1.2.3:443"),
            ("10.0.0.0/8", "10.example:443"),
            ("10.1.2.0/23", "10.1.4.0:443"),
            ("10.0.0.0/33", "10.1.2.3:443"),
            ("10.0.0.0/x", "10.1.2.3:443"),
            ("0.0.0.0/0", "2001:db8::1:443"),
            ("2001:db8::/32", "2001:db9::1:443"),
            ("[2001:db8::1]:8443", "2001:db8::1:443"),
        ];
        let cases = covered_cases.iter().map(|c| (c, true));
        for ((entries, target), covered) in cases.chain(other_cases.iter().map(|c| (c, false))) {
            let (host, port) = target.rsplit_once(':').unwrap();
            let found = NoProxy::parse(entries).covers(host, port.parse().unwrap());
            assert_eq!(found, covered, "{entries} and {target}");
        }
    }

    #[test]
    fn local_and_metadata_hosts_are_always_covered() {
        let empty = NoProxy::default();
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "::ffff:127.0.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "fd00:ec2::254",
            "fd00:ec2::23",
        ] {
            assert!(empty.covers(host, 80), "{host}");
        }
        for host in [
            "localhost.example",
            "notlocalhost",
            "128.0.0.1",
            "169.253.0.1",
            "fd00:ec3::254",
            "::2",
            "127.example",
        ] {
            assert!(!empty.covers(host, 80), "{host}");
        }
    }
}
