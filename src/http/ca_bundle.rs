//! A file of CA certificates, read as OpenSSL reads it, and what in it cannot be used.
//!
//! - Blocks of PEM with the labels `CERTIFICATE`, `X509 CERTIFICATE` and `TRUSTED CERTIFICATE`, whose
//!   trust settings apply; other blocks and the text between them are ignored.
//! - UTF-8 and UTF-16 with a byte order mark; any line ends.

use aws_lc_rs::signature::RsaParameters;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use thiserror::Error;

use super::signatures::supports_key;
use crate::text::{pluralize, sanitize};

/// A file of CA certificates, which replace the built-in roots.
#[derive(Debug, Clone)]
pub struct CaBundle {
    /// The name of the file in messages.
    pub name: String,
    /// The certificates that cannot be used, and why: `certificate 2: not valid Base64`.
    pub ignored: Vec<String>,
    certificates: Vec<CertificateDer<'static>>,
}

/// The error of a CA bundle without a usable certificate.
#[derive(Debug, Clone, Error)]
pub enum InvalidBundle {
    /// The file has no certificate in PEM format; the text says what it has.
    #[error("{0}: contains no certificate in PEM format{1}")]
    NoCertificate(String, String),
    /// No certificate can be used.
    #[error("{0}: contains no usable certificate ({1})")]
    NoneUsable(String, String),
}

/// The label of a certificate that trust settings follow.
const TRUSTED: &str = "TRUSTED CERTIFICATE";

/// The maximum number of ignored certificates that a message names.
const NAMED: usize = 5;

impl CaBundle {
    /// Parses the content of the file `name`.
    ///
    /// # Errors
    /// It has no usable certificate.
    pub fn parse(name: String, content: &[u8]) -> Result<Self, InvalidBundle> {
        let text = decode_text(content);
        let mut bundle = Self {
            name,
            ignored: Vec::new(),
            certificates: Vec::new(),
        };
        let mut others = Vec::new();
        let mut position = 0;
        for block in blocks(&text) {
            if !["CERTIFICATE", "X509 CERTIFICATE", TRUSTED].contains(&block.label) {
                others.push(sanitize(block.label, 40));
                continue;
            }
            position += 1;
            match certificate(&block) {
                Ok(certificate) => bundle.certificates.push(certificate),
                Err(why) => bundle
                    .ignored
                    .push(format!("certificate {position}: {why}")),
            }
        }
        if position == 0 {
            let found = match (others.as_slice(), content) {
                ([], [0x30, 0x80..=0x84, ..]) => {
                    "; it may be in DER format: convert it with openssl x509 -inform der".to_owned()
                }
                ([], _) => String::new(),
                (labels, _) => format!(", only {}", labels.join(", ")),
            };
            return Err(InvalidBundle::NoCertificate(bundle.name, found));
        }
        match (bundle.certificates.as_slice(), bundle.describe_ignored()) {
            ([], ignored) => {
                let ignored = ignored.unwrap_or_default();
                Err(InvalidBundle::NoneUsable(bundle.name, ignored))
            }
            _ => Ok(bundle),
        }
    }

    /// Describes the certificates that cannot be used; `None` if there are none.
    #[must_use]
    pub fn describe_ignored(&self) -> Option<String> {
        let named = self.ignored.iter().take(NAMED).cloned();
        let more = self.ignored.len().saturating_sub(NAMED);
        let more = (more > 0).then(|| format!("{} more", pluralize(more, "certificate")));
        let all: Vec<_> = named.chain(more).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Returns the trust anchors, and the certificates themselves.
    pub(super) fn anchors(&self) -> (RootCertStore, Vec<CertificateDer<'static>>) {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.certificates.iter().cloned());
        (roots, self.certificates.clone())
    }
}

/// Decodes UTF-8 or UTF-16 with or without a byte order mark; invalid characters are replaced.
fn decode_text(content: &[u8]) -> String {
    let units = |from: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let pairs = bytes.chunks_exact(2).map(|pair| from([pair[0], pair[1]]));
        String::from_utf16_lossy(&pairs.collect::<Vec<_>>())
    };
    match content {
        [0xff, 0xfe, rest @ ..] => units(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => units(u16::from_be_bytes, rest),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(content).into_owned(),
    }
}

/// A block of PEM.
struct Block<'a> {
    label: &'a str,
    /// The Base64 text between the first and the last line.
    content: String,
    is_complete: bool,
}

/// Returns the blocks of a file. A block without its last line ends where the next one begins.
fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for line in text.split(['\n', '\r']).map(str::trim) {
        let label = |start| line.strip_prefix(start)?.strip_suffix("-----");
        if let Some(label) = label("-----BEGIN ") {
            is_open = true;
            blocks.push(Block {
                label,
                content: String::new(),
                is_complete: false,
            });
        } else if let Some(block) = blocks.last_mut().filter(|_| is_open) {
            if label("-----END ") == Some(block.label) {
                block.is_complete = true;
                is_open = false;
            } else {
                block.content.extend(line.split_whitespace());
            }
        }
    }
    blocks
}

/// Returns the certificate of a block, or the reason why it cannot be used.
fn certificate(block: &Block) -> Result<CertificateDer<'static>, String> {
    if !block.is_complete {
        return Err("its END line is missing".to_owned());
    }
    let bytes = BASE64_STANDARD.decode(&block.content);
    let bytes = bytes.map_err(|_| "not valid Base64".to_owned())?;
    // Trust settings may follow the certificate. OpenSSL ignores what follows a plain one.
    let (certificate, settings) = split_value(&bytes).ok_or("not a certificate")?;
    if block.label == TRUSTED && !is_trusted_for_servers(settings) {
        return Err("its trust settings exclude TLS servers".to_owned());
    }
    let certificate = CertificateDer::from(certificate.to_vec());
    let mut roots = RootCertStore::empty();
    let added = roots.add(certificate.clone());
    let root = roots.roots.first().filter(|_| added.is_ok());
    check_key(&root.ok_or("not a certificate")?.subject_public_key_info)?;
    Ok(certificate)
}

/// Checks that the key of a certificate is supported; `key` is its type and the key itself, in DER.
fn check_key(key: &[u8]) -> Result<(), String> {
    let parts = split_value(key).and_then(|(id, bits)| Some((content(id)?, content(bits)?)));
    let (identifier, bits) = parts.ok_or("not a certificate")?;
    if !supports_key(identifier) {
        return Err("its type of key is not supported".to_owned());
    }
    // The first byte of a BIT STRING is the number of unused bits. Other keys have no modulus.
    let size = RsaParameters::public_modulus_len(bits.get(1..).unwrap_or_default());
    match size {
        Ok(size) if !(2048..=8192).contains(&size) => Err(format!(
            "its RSA key has {size} bits; supported are 2048 to 8192"
        )),
        _ => Ok(()),
    }
}

/// The usages that make a certificate a CA of TLS servers: `serverAuth` and `anyExtendedKeyUsage`, in DER.
const SERVER_USAGES: [&[u8]; 2] = [
    &[6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1],
    &[6, 4, 0x55, 0x1d, 0x25, 0],
];

/// Returns true unless the settings of a `TRUSTED CERTIFICATE` exclude TLS servers: a list of trusted
/// usages without them, or a list of rejected usages with them.
fn is_trusted_for_servers(settings: &[u8]) -> bool {
    let Some(mut rest) = split_value(settings).and_then(|(all, _)| content(all)) else {
        return true;
    };
    while let Some((list, after)) = split_value(rest) {
        let mut usages = content(list).unwrap_or_default();
        let mut names_servers = false;
        while let Some((usage, more)) = split_value(usages) {
            names_servers |= SERVER_USAGES.contains(&usage);
            usages = more;
        }
        match list[0] {
            0x30 if !names_servers => return false,
            0xa0 if names_servers => return false,
            _ => {}
        }
        rest = after;
    }
    true
}

/// Splits the first DER value off: its tag, length and content, and the rest.
fn split_value(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (header, length) = lengths(bytes)?;
    bytes.split_at_checked(header.checked_add(length)?)
}

/// Returns the content of a DER value.
fn content(value: &[u8]) -> Option<&[u8]> {
    let (header, _) = lengths(value)?;
    value.get(header..)
}

/// Returns the lengths of a DER value's header and content.
fn lengths(bytes: &[u8]) -> Option<(usize, usize)> {
    let first = usize::from(*bytes.get(1)?);
    if first < 0x80 {
        return Some((2, first));
    }
    let count = first - 0x80;
    let digits = bytes
        .get(2..2 + count)
        .filter(|_| (1..=4).contains(&count))?;
    let length = digits.iter().fold(0, |sum, b| sum << 8 | usize::from(*b));
    Some((2 + count, length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the CA of a directory of `tests/certificates`.
    fn certificate(name: &str) -> String {
        let root = env!("CARGO_MANIFEST_DIR");
        std::fs::read_to_string(format!("{root}/tests/certificates/{name}/ca.pem")).unwrap()
    }

    fn parse(content: impl AsRef<[u8]>) -> Result<CaBundle, String> {
        CaBundle::parse("ca.pem".to_owned(), content.as_ref()).map_err(|e| e.to_string())
    }

    fn der_of(pem: &str) -> Vec<u8> {
        BASE64_STANDARD.decode(&blocks(pem)[0].content).unwrap()
    }

    /// Returns PEM with another label, and with `settings` after the certificate.
    fn relabeled(pem: &str, label: &str, settings: &[u8]) -> String {
        let bytes = [&der_of(pem)[..], settings].concat();
        let content = BASE64_STANDARD.encode(bytes);
        format!("-----BEGIN {label}-----\n{content}\n-----END {label}-----\n")
    }

    #[test]
    fn every_form_of_a_bundle_is_read() {
        let (a, b) = (certificate("p521"), certificate("ed25519"));
        let both = format!("Subject: A\n{a}\nSubject: B\n{b}\n# end");
        let utf16 = |to: fn(u16) -> [u8; 2], mark: u16| -> Vec<u8> {
            let units = std::iter::once(mark).chain(both.encode_utf16());
            units.flat_map(to).collect()
        };
        for (name, content) in [
            ("plain", both.clone().into_bytes()),
            ("UTF-8 mark", format!("\u{feff}{both}").into_bytes()),
            ("UTF-16 LE", utf16(u16::to_le_bytes, 0xfeff)),
            ("UTF-16 BE", utf16(u16::to_be_bytes, 0xfeff)),
            ("CRLF", both.replace('\n', "\r\n").into_bytes()),
            ("CR", both.replace('\n', "\r").into_bytes()),
            ("blanks", both.replace('\n', " \n  ").into_bytes()),
            ("no line end", both.trim_end_matches("\n# end").into()),
            ("not text", [b"\xff\xe4\n", both.as_bytes()].concat()),
            (
                "labels",
                [
                    relabeled(&a, "X509 CERTIFICATE", &[]),
                    relabeled(&b, "TRUSTED CERTIFICATE", &[]),
                ]
                .concat()
                .into_bytes(),
            ),
        ] {
            let bundle = parse(content).unwrap();
            assert_eq!(bundle.ignored, [""; 0], "{name}");
            let found: Vec<_> = bundle.certificates.iter().map(|c| c.to_vec()).collect();
            assert_eq!(found, [der_of(&a), der_of(&b)], "{name}");
        }
    }

    #[test]
    fn trust_settings_apply() {
        // As `openssl x509 -trustout` writes them: -addtrust, -addreject and -setalias.
        let servers = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
        let email = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 4];
        let list = |tag: u8, usage: &[u8]| [&[0x30, 12, tag, 10][..], usage].concat();
        let alias = [&[0x30, 4, 0x0c, 2][..], b"me"].concat();
        for (settings, is_used) in [
            (Vec::new(), true),
            (alias, true),
            (list(0x30, &servers), true),
            (list(0x30, &email), false),
            (list(0xa0, &servers), false),
            (list(0xa0, &email), true),
        ] {
            let pem = relabeled(&certificate("p521"), "TRUSTED CERTIFICATE", &settings);
            let result = parse(pem);
            assert_eq!(result.is_ok(), is_used, "{settings:x?}");
            if let Err(error) = result {
                let part = "certificate 1: its trust settings exclude TLS servers";
                assert!(error.contains(part), "{error}");
            }
        }
    }

    #[test]
    fn unusable_certificates_are_named() {
        let good = certificate("p521");
        let end = "-----END CERTIFICATE-----\n";
        let open = good.replace(end, "");
        let broken = format!("-----BEGIN CERTIFICATE-----\n!!!\n{end}");
        let random = format!("-----BEGIN CERTIFICATE-----\nAAAA\n{end}");
        for (content, ignored) in [
            (
                format!("{open}{good}"),
                "certificate 1: its END line is missing",
            ),
            (
                format!("{good}{open}"),
                "certificate 2: its END line is missing",
            ),
            (format!("{good}{broken}"), "certificate 2: not valid Base64"),
            (
                format!("{random}{good}"),
                "certificate 1: not a certificate",
            ),
            (
                good.clone() + &certificate("ed448"),
                "certificate 2: its type of key is not supported",
            ),
            (
                certificate("rsa_1024") + &good,
                "certificate 1: its RSA key has 1024 bits; supported are 2048 to 8192",
            ),
        ] {
            let bundle = parse(&content).unwrap();
            assert_eq!(bundle.describe_ignored().as_deref(), Some(ignored));
            assert_eq!(bundle.certificates.len(), 1);
        }
        let many = parse(good + &random.repeat(8)).unwrap();
        let described = many.describe_ignored().unwrap();
        assert!(described.ends_with("; 3 certificates more"), "{described}");
    }

    #[test]
    fn bundle_without_usable_certificate_is_rejected() {
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let none = "ca.pem: contains no certificate in PEM format";
        for (content, error) in [
            (Vec::new(), none.to_owned()),
            (b"hello".to_vec(), none.to_owned()),
            (key.into(), format!("{none}, only PRIVATE KEY")),
            (
                der_of(&certificate("p521")),
                format!(
                    "{none}; it may be in DER format: convert it with openssl x509 -inform der"
                ),
            ),
            (
                certificate("brainpool").into(),
                "ca.pem: contains no usable certificate (certificate 1: its type of key is not \
                 supported)"
                    .to_owned(),
            ),
        ] {
            assert_eq!(parse(content).unwrap_err(), error);
        }
    }

    proptest! {
        #[test]
        fn any_content_is_parsed(der in prop::collection::vec(any::<u8>(), 0..64), at in 0..64_usize) {
            let content = BASE64_STANDARD.encode(&der);
            let label = "TRUSTED CERTIFICATE";
            let mut pem = format!("-----BEGIN {label}-----\n{content}\n-----END {label}-----\n");
            prop_assert!(parse(&pem).is_err());
            pem.insert(at.min(pem.len()), '\u{e4}');
            prop_assert!(parse(&pem).is_err());
            is_trusted_for_servers(&der);
        }
    }
}
