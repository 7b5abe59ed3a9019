//! The proxies of the variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as in curl and the AWS CLI.

use std::fmt;
use std::net::Ipv6Addr;

use percent_encoding::percent_decode_str;
use thiserror::Error;

use super::no_proxy;
use crate::env::Env;
use crate::secret::Secret;

/// The proxies of a run.
///
/// The scheme of a request selects its proxy. Like the AWS CLI, this does not read ALL_PROXY.
/// <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-proxy.html>
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    https: Option<Proxy>,
    http: Option<Proxy>,
    /// The value of NO_PROXY.
    no_proxy: String,
}

impl Proxies {
    /// Reads HTTPS_PROXY, HTTP_PROXY and NO_PROXY; the names in lower case take precedence, also if they are empty.
    ///
    /// # Errors
    /// A variable is not a proxy URL.
    pub fn from_env(env: &dyn Env) -> Result<Self, ProxyError> {
        let (_, no_proxy) = first_set(env, ["no_proxy", "NO_PROXY"]).unwrap_or_default();
        Ok(Self {
            https: Proxy::from_env(env, ["https_proxy", "HTTPS_PROXY"])?,
            http: Proxy::from_env(env, ["http_proxy", "HTTP_PROXY"])?,
            no_proxy,
        })
    }

    /// Returns the proxy for a request to `uri`; `None` for a direct connection.
    #[must_use]
    pub fn for_uri(&self, uri: &str) -> Option<&Proxy> {
        let uri: http::Uri = uri.parse().ok()?;
        let (proxy, port) = match uri.scheme_str()? {
            "https" => (self.https.as_ref()?, 443),
            _ => (self.http.as_ref()?, 80),
        };
        let port = uri.port_u16().unwrap_or(port);
        (!no_proxy::covers(&self.no_proxy, uri.host()?, port)).then_some(proxy)
    }

    /// Iterates over the configured proxies.
    pub fn iter(&self) -> impl Iterator<Item = &Proxy> {
        self.https.iter().chain(&self.http)
    }
}

/// Returns the name and the value of the first variable of `names` that is set; `None` if it is empty, which disables the
/// second one, as in curl and Python.
fn first_set(env: &dyn Env, names: [&'static str; 2]) -> Option<(&'static str, String)> {
    let name = names.into_iter().find(|name| env.is_set(name))?;
    Some((name, env.var(name)?))
}

/// A proxy. Its `Display` and `Debug` output is host, port and variable, never user or password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The variable that configures it.
    pub variable: &'static str,
    /// True if the connection to the proxy itself uses TLS.
    pub tls: bool,
    /// The host; an IPv6 address has brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user name and password.
    pub credentials: Option<(String, Secret)>,
}

/// The error of a variable that is not a proxy URL. Its text does not contain the value, which may
/// contain a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{variable} is not a proxy URL such as http://proxy.example:3128: {source}")]
pub struct ProxyError {
    variable: &'static str,
    source: InvalidProxyUrl,
}

/// The reason why a text is not a proxy URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidProxyUrl {
    /// The scheme is not `http` or `https`.
    #[error("only http and https proxies are supported")]
    Scheme,
    /// The URL has no host.
    #[error("the host is missing")]
    NoHost,
    /// A character that is not valid in user name, password, host and port.
    #[error(
        "only / may follow the host and port (percent-encode / ? # and blanks in the user name and \
         password)"
    )]
    Rest,
    /// The host is not a name or an address.
    #[error("invalid host (percent-encode the user name and password)")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("invalid port (put IPv6 addresses in brackets)")]
    Port,
    /// The user name or the password is not percent-encoded UTF-8.
    #[error("the user name or password is not percent-encoded UTF-8")]
    Encoding,
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
    /// Reads the proxy of the first variable of `names` that is set.
    fn from_env(env: &dyn Env, names: [&'static str; 2]) -> Result<Option<Self>, ProxyError> {
        let parse = |(variable, text): (_, String)| {
            Self::parse(variable, &text).map_err(|source| ProxyError { variable, source })
        };
        first_set(env, names).map(parse).transpose()
    }

    /// Parses `[http[s]://][user[:password]@]host[:port][/]`, with user and password percent-encoded.
    /// The default port is 80, for `https` 443.
    fn parse(variable: &'static str, text: &str) -> Result<Self, InvalidProxyUrl> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(InvalidProxyUrl::Scheme),
        };
        // With another character, a part of the password would be taken for the host and shown.
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let is_other = |c: char| "/?#\\".contains(c) || c.is_whitespace() || c.is_control();
        if authority.contains(is_other) {
            return Err(InvalidProxyUrl::Rest);
        }
        let user_and_host = authority.rsplit_once('@');
        let user = user_and_host.map(|(user, _)| credentials(user));
        let (_, host) = user_and_host.unwrap_or(("", authority));
        let (host, port) = host_and_port(host, if tls { 443 } else { 80 })?;
        Ok(Self {
            variable,
            tls,
            host: host.to_ascii_lowercase(),
            port,
            credentials: user.transpose()?,
        })
    }
}

fn host_and_port(text: &str, default_port: u16) -> Result<(&str, u16), InvalidProxyUrl> {
    let end = text.find(']').map_or(0, |at| at + 1);
    let host_length = text[end..].find(':').map_or(text.len(), |at| end + at);
    let (host, port) = text.split_at(host_length);
    let address = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let is_name_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match address {
        _ if host.is_empty() => return Err(InvalidProxyUrl::NoHost),
        Some(address) if address.parse::<Ipv6Addr>().is_ok() => {}
        None if host.chars().all(is_name_char) => {}
        _ => return Err(InvalidProxyUrl::Host),
    }
    match port.strip_prefix(':') {
        None | Some("") => Ok((host, default_port)),
        Some(port) => match port.parse() {
            Ok(0) | Err(_) => Err(InvalidProxyUrl::Port),
            Ok(port) => Ok((host, port)),
        },
    }
}

fn credentials(text: &str) -> Result<(String, Secret), InvalidProxyUrl> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    Ok((decode(user)?, decode(password)?.into()))
}

fn decode(text: &str) -> Result<String, InvalidProxyUrl> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| InvalidProxyUrl::Encoding)?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::RecordedEnv;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, ProxyError> {
        let to_owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        let variables = variables.iter().map(to_owned).collect();
        Proxies::from_env(&RecordedEnv::new("missing".as_ref(), variables))
    }

    fn selected_proxy(variables: &[(&str, &str)], uri: &str) -> String {
        let proxies = proxies(variables).unwrap();
        proxies
            .for_uri(uri)
            .map_or("direct".to_owned(), ToString::to_string)
    }

    #[test]
    fn request_scheme_selects_proxy() {
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
            (&[https, ("https_proxy", "")], sts, "direct"),
            (&[https, ("https_proxy", " ")], sts, "direct"),
            (
                &[("HTTPS_PROXY", ""), lower_https],
                sts,
                "l:3 (https_proxy)",
            ),
            (
                &[https, ("no_proxy", ""), ("NO_PROXY", "*")],
                sts,
                "s:1 (HTTPS_PROXY)",
            ),
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
            assert_eq!(
                selected_proxy(variables, uri),
                expected,
                "{variables:?} {uri}"
            );
        }
    }

    #[test]
    fn proxy_url_is_split_into_parts() {
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
            let user = user.map(|(u, p)| (u.to_owned(), Secret::from(p)));
            assert_eq!(proxy.credentials, user, "{text}");
        }
    }

    #[test]
    fn invalid_proxy_error_hides_its_value() {
        for (text, reason) in [
            ("http://", "host is missing"),
            ("http://marked:marked@:3128", "host is missing"),
            ("socks5://marked:1080", "only http and https"),
            ("://marked", "only http and https"),
            (
                "http://marked:marked/marked@proxy:3128",
                "only / may follow",
            ),
            ("http://marked:12#marked@proxy:3128", "only / may follow"),
            ("http://marked:12?marked@proxy:3128", "only / may follow"),
            ("http://marked:12\\marked@proxy:3128", "only / may follow"),
            ("http://marked:12 marked@proxy:3128", "only / may follow"),
            ("marked:12/@proxy:3128", "only / may follow"),
            ("http://proxy:3128/marked", "only / may follow"),
            ("http://proxy:3128//", "only / may follow"),
            ("http://proxy:3128/?marked", "only / may follow"),
            ("http://proxy:3128#marked", "only / may follow"),
            ("http://proxy:marked", "invalid port"),
            ("http://proxy:0", "invalid port"),
            ("http://proxy:65536", "invalid port"),
            ("http://::1:3128", "host is missing"),
            ("http://2001:db8::1", "invalid port"),
            ("http://[marked]:3128", "invalid host"),
            ("http://[::1]marked:3128", "invalid host"),
            ("http://proxy marked:3128", "only / may follow"),
            ("http://märked:3128", "invalid host"),
            ("http://marked:%FF@proxy", "not percent-encoded UTF-8"),
        ] {
            for name in ["HTTPS_PROXY", "http_proxy"] {
                let error = proxies(&[(name, text), ("NO_PROXY", "*")]).unwrap_err();
                let error = error.to_string();
                assert!(error.starts_with(name) && error.contains(reason), "{error}");
                assert!(!error.contains("marked"), "{error}");
            }
        }
    }

    #[test]
    fn proxy_output_hides_user_and_password() {
        let proxies = proxies(&[("HTTPS_PROXY", "https://marked:marked@proxy:3128")]).unwrap();
        let proxy = proxies.iter().next().unwrap();
        let text = format!("{proxy} {proxy:?} {proxies:?}");
        assert!(text.starts_with("proxy:3128 (HTTPS_PROXY) Proxy(proxy:3128 (HTTPS_PROXY))"));
        assert!(!text.contains("marked"), "{text}");
    }
}
