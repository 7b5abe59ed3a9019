//! NO_PROXY: the hosts that bypass the proxy.
//!
//! NO_PROXY has no standard. The syntax here is that of curl and Go, a superset of the syntax of
//! Python and the AWS CLI: <https://curl.se/docs/manpage.html#NOPROXY>,
//! <https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config>.

use std::net::IpAddr;

/// Returns true if `host` bypasses the proxy on `port` according to `list`.
///
/// The entries are separated by commas or whitespace: `*`, `host`, `domain` or `.domain` (both with
/// subdomains), an address, each optionally with a port; or a network (`10.0.0.0/8`). Invalid
/// entries are ignored.
pub(super) fn covers(list: &str, host: &str, port: u16) -> bool {
    let host = normalize(unbracketed(host));
    let address = parse_address(&host);
    let mut entries = list.split(|c: char| c == ',' || c.is_whitespace());
    let is_covered = |entry| entry_covers(entry, &host, address, port) == Some(true);
    is_local(&host, address) || entries.any(is_covered)
}

/// Returns true if `entry` covers the host, whose address is `address` if it is one; `None` if the
/// entry is invalid.
fn entry_covers(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> Option<bool> {
    if let Some((network, bits)) = entry.split_once('/') {
        let (network, bits) = (parse_address(unbracketed(network))?, bits.parse().ok()?);
        return Some(address.is_some_and(|address| within(address, network, bits)));
    }
    let (pattern, entry_port) = split_port(entry)?;
    let pattern = pattern.strip_prefix('*').unwrap_or(pattern);
    let domain = normalize(pattern.strip_prefix('.').unwrap_or(pattern));
    let covers_host = match (parse_address(&domain), address) {
        _ if domain.is_empty() => entry.starts_with('*'),
        (None, None) => is_within_domain(host, &domain),
        (of_entry, of_host) => of_entry == of_host,
    };
    Some(covers_host && entry_port.is_none_or(|p| p == port))
}

fn is_within_domain(host: &str, domain: &str) -> bool {
    let rest = host.strip_suffix(domain);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
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
fn parse_address(host: &str) -> Option<IpAddr> {
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
            let found = covers(entries, host, port.parse().unwrap());
            assert_eq!(found, covered, "{entries} and {target}");
        }
    }

    #[test]
    fn local_and_metadata_hosts_are_always_covered() {
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
            assert!(covers("", host, 80), "{host}");
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
            assert!(!covers("", host, 80), "{host}");
        }
    }
}
