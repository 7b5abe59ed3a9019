//! Which proxy a request goes through, by the variables that curl and the AWS CLI read.

use std::fmt;
use std::net::Ipv6Addr;

use percent_encoding::percent_decode_str;

use super::no_proxy::NoProxy;
use crate::env::Env;

/// The proxies of a run.
///
/// Each is chosen by the scheme of the request, as in the AWS CLI, which does not read ALL_PROXY.
/// <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-proxy.html>
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    https: Option<Proxy>,
    http: Option<Proxy>,
    direct: NoProxy,
}

impl Proxies {
    /// HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in lower case first.
    ///
    /// # Errors
    /// A variable holds no URL of a proxy. The text names the variable and nothing of its value,
    /// which may hold a password.
    pub fn from_env(env: &dyn Env) -> Result<Self, String> {
        let named = |names: [&'static str; 2]| {
            let mut set = names.into_iter().filter_map(|n| Some((n, env.var(n)?)));
            set.next()
        };
        let proxy = |names| {
            let parse = |(name, text): (_, String)| Proxy::parse(name, &text);
            named(names).map(parse).transpose()
        };
        Ok(Self {
            https: proxy(["https_proxy", "HTTPS_PROXY"])?,
            http: proxy(["http_proxy", "HTTP_PROXY"])?,
            direct: named(["no_proxy", "NO_PROXY"])
                .map(|(_, text)| NoProxy::parse(&text))
                .unwrap_or_default(),
        })
    }

    /// The proxy that a request to `uri` goes through; `None` where it goes directly.
    #[must_use]
    pub fn for_uri(&self, uri: &str) -> Option<&Proxy> {
        let uri: http::Uri = uri.parse().ok()?;
        let (proxy, port) = match uri.scheme_str()? {
            "https" => (self.https.as_ref()?, 443),
            _ => (self.http.as_ref()?, 80),
        };
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(port);
        (!self.direct.covers(host, port)).then_some(proxy)
    }

    /// The proxies that are set.
    pub fn iter(&self) -> impl Iterator<Item = &Proxy> {
        self.https.iter().chain(&self.http)
    }
}

/// A proxy. What it is shown as names its host and its variable, never its user or password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The variable that names it.
    pub variable: &'static str,
    /// Whether TLS is spoken with the proxy itself.
    pub tls: bool,
    /// Its host; an IPv6 address in brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user and the password that it asks for.
    pub credentials: Option<(String, String)>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ({})", self.host, self.port, self.variable)
    }
}

impl Proxy {
    /// `[http[s]://][user[:password]@]host[:port]`, with user and password percent-encoded; the
    /// port is 80, with `https` 443.
    fn parse(variable: &'static str, text: &str) -> Result<Self, String> {
        let bad = |why: &str| {
            format!("{variable} is not a proxy URL such as http://proxy.example:3128: {why}")
        };
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(bad("only http and https proxies are supported")),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let (host, port) = host_and_port(place).map_err(bad)?;
        let credentials = user.map(credentials).transpose().map_err(bad)?;
        Ok(Self {
            variable,
            tls,
            host: host.to_ascii_lowercase(),
            port: port.unwrap_or(if tls { 443 } else { 80 }),
            credentials,
        })
    }
}

fn host_and_port(place: &str) -> Result<(&str, Option<u16>), &'static str> {
    let end = place.find(']').map_or(0, |at| at + 1);
    let (host, port) = match place[end..].split_once(':') {
        Some((host, port)) => (&place[..end + host.len()], Some(port)),
        None => (place, None),
    };
    let address = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match address {
        _ if host.is_empty() => return Err("it names no host"),
        Some(address) if address.parse::<Ipv6Addr>().is_ok() => {}
        None if host.chars().all(name) => {}
        _ => return Err("its host is none (a user and a password are to be percent-encoded)"),
    }
    let port = port.filter(|p| !p.is_empty()).map(str::parse).transpose();
    match port {
        Ok(Some(0)) | Err(_) => Err("its port is none (IPv6 addresses stand in brackets)"),
        Ok(port) => Ok((host, port)),
    }
}

fn credentials(text: &str) -> Result<(String, String), &'static str> {
    let decode = |part| match percent_decode_str(part).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err("its user or its password is not percent-encoded UTF-8"),
    };
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    Ok((decode(user)?, decode(password)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::FolderEnv;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, String> {
        let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        let variables = variables.iter().map(own).collect();
        Proxies::from_env(&FolderEnv::new("none".as_ref(), variables))
    }

    fn shown(variables: &[(&str, &str)], uri: &str) -> String {
        let proxies = proxies(variables).unwrap();
        proxies
            .for_uri(uri)
            .map_or("direct".to_owned(), ToString::to_string)
    }

    #[test]
    fn the_scheme_of_the_request_chooses() {
        let (https, http) = (("HTTPS_PROXY", "http://s:1"), ("HTTP_PROXY", "http://p:2"));
        let (lower_https, lower_http) = (("https_proxy", "l:3"), ("http_proxy", "m:4"));
        let sts = "https://sts.eu-west-1.amazonaws.com/";
        let plain = "http://aws.test/";
        for (variables, uri, expected) in [
            (&[][..], sts, "direct"),
            (&[https, http], sts, "s:1 (HTTPS_PROXY)"),
            (&[https, http], plain, "p:2 (HTTP_PROXY)"),
            (&[http], sts, "direct"),
            (&[https], plain, "direct"),
            (&[https, lower_https], sts, "l:3 (https_proxy)"),
            (&[http, lower_http], plain, "m:4 (http_proxy)"),
            (&[https, ("https_proxy", " ")], sts, "s:1 (HTTPS_PROXY)"),
            (&[("ALL_PROXY", "a:5"), ("all_proxy", "a:5")], sts, "direct"),
            (&[https, ("NO_PROXY", "*")], sts, "direct"),
            (&[https, ("NO_PROXY", "x, amazonaws.com")], sts, "direct"),
            (&[https, ("no_proxy", ".amazonaws.com:443")], sts, "direct"),
            (
                &[https, ("NO_PROXY", "amazonaws.com:80")],
                sts,
                "s:1 (HTTPS_PROXY)",
            ),
            (
                &[https, ("no_proxy", "x"), ("NO_PROXY", "*")],
                sts,
                "s:1 (HTTPS_PROXY)",
            ),
            (&[http, ("NO_PROXY", "aws.test:80")], plain, "direct"),
            (&[https], "https://[2001:db8::1]:8443/", "s:1 (HTTPS_PROXY)"),
            (
                &[https, ("NO_PROXY", "2001:db8::/32")],
                "https://[2001:db8::1]:8443/",
                "direct",
            ),
            (&[http], "http://127.0.0.1:5000/", "direct"),
            (&[http], "http://[::1]:5000/", "direct"),
            (&[http], "http://169.254.169.254/latest/api/token", "direct"),
            (&[http], "http://[fd00:ec2::254]/latest/api/token", "direct"),
        ] {
            assert_eq!(shown(variables, uri), expected, "{variables:?} {uri}");
        }
    }

    #[test]
    fn the_parts_of_a_proxy() {
        for (text, tls, host, port, user) in [
            ("proxy", false, "proxy", 80, None),
            ("Proxy.Example:3128", false, "proxy.example", 3128, None),
            ("http://proxy:3128/", false, "proxy", 3128, None),
            (" HTTP://proxy: ", false, "proxy", 80, None),
            ("https://proxy", true, "proxy", 443, None),
            ("http://10.0.0.1:3128", false, "10.0.0.1", 3128, None),
            ("http://[::1]:3128", false, "[::1]", 3128, None),
            ("http://[::1]", false, "[::1]", 80, None),
            ("u:p@proxy:1", false, "proxy", 1, Some(("u", "p"))),
            ("http://u@proxy:1", false, "proxy", 1, Some(("u", ""))),
            ("http://:p@proxy:1", false, "proxy", 1, Some(("", "p"))),
            (
                "http://DOM%5Cu%40x:p%3A%2F%25%20+%C3%A9@proxy:1",
                false,
                "proxy",
                1,
                Some(("DOM\\u@x", "p:/% +é")),
            ),
            (
                "http://u:a@b:c@proxy",
                false,
                "proxy",
                80,
                Some(("u", "a@b:c")),
            ),
        ] {
            let proxy = Proxy::parse("HTTPS_PROXY", text).unwrap();
            let found = (proxy.tls, proxy.host.as_str(), proxy.port);
            assert_eq!(found, (tls, host, port), "{text}");
            let user = user.map(|(u, p)| (u.to_owned(), p.to_owned()));
            assert_eq!(proxy.credentials, user, "{text}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_a_word_of_it() {
        for (text, why) in [
            ("http://", "names no host"),
            ("http://marked:marked@:3128", "names no host"),
            ("socks5://marked:1080", "only http and https"),
            ("://marked", "only http and https"),
            ("http://marked:marked/marked@proxy:3128", "its port is none"),
            ("http://proxy:marked", "its port is none"),
            ("http://proxy:0", "its port is none"),
            ("http://proxy:65536", "its port is none"),
            ("http://::1:3128", "names no host"),
            ("http://2001:db8::1", "its port is none"),
            ("http://[marked]:3128", "its host is none"),
            ("http://[::1]marked:3128", "its host is none"),
            ("http://proxy marked:3128", "its host is none"),
            ("http://märked:3128", "its host is none"),
            ("http://marked:%FF@proxy", "not percent-encoded UTF-8"),
        ] {
            for name in ["HTTPS_PROXY", "http_proxy"] {
                let error = proxies(&[(name, text), ("NO_PROXY", "*")]).unwrap_err();
                assert!(error.starts_with(name) && error.contains(why), "{error}");
                assert!(!error.contains("marked"), "{error}");
            }
        }
    }

    #[test]
    fn user_and_password_are_not_shown() {
        let proxies = proxies(&[("HTTPS_PROXY", "https://marked:marked@proxy:3128")]).unwrap();
        let proxy = proxies.iter().next().unwrap();
        let text = format!("{proxy} {proxy:?} {proxies:?}");
        assert!(text.starts_with("proxy:3128 (HTTPS_PROXY) Proxy(proxy:3128 (HTTPS_PROXY))"));
        assert!(!text.contains("marked"), "{text}");
    }
}
