//! Resource identifiers and page tokens as AWS Config gives them, the same in every run.

use std::fmt::Write;

/// A page's JSON: the resources `first..end` of `resource_type` in `region`, and the token.
pub fn page(
    region: &str,
    resource_type: &str,
    first: usize,
    end: usize,
    token: Option<&str>,
) -> Vec<u8> {
    let mut page = String::with_capacity(128 * (end - first) + 256);
    page.push_str("{\"resourceIdentifiers\":[");
    // IAM's resources are the account's own: every region names the same ones.
    let global = resource_type.starts_with("AWS::IAM::");
    let region = if global { "global" } else { region };
    for n in first..end {
        if n > first {
            page.push(',');
        }
        let id = resource_id(region, resource_type, n);
        let name = resource_name(region, resource_type, n);
        let _ = write!(
            page,
            "{{\"resourceType\":\"{resource_type}\",\"resourceId\":\"{id}\""
        );
        if let Some(name) = name {
            let _ = write!(page, ",\"resourceName\":\"{name}\"");
        }
        page.push('}');
    }
    page.push(']');
    if let Some(token) = token {
        let _ = write!(page, ",\"nextToken\":\"{token}\"");
    }
    page.push('}');
    page.into_bytes()
}

/// The token of the page that begins at `offset`: opaque to a client, and good for one listing
/// alone.
pub fn token(region: &str, resource_type: &str, limit: usize, offset: usize) -> String {
    let seed = format!("{region} {resource_type} {limit}");
    format!("{offset:08x}{}", text(&seed, offset, 120, BASE64))
}

/// The offset of a token that is this listing's.
pub fn offset(region: &str, resource_type: &str, limit: usize, given: &str) -> Option<usize> {
    let offset = usize::from_str_radix(given.get(..8)?, 16).ok()?;
    (token(region, resource_type, limit, offset) == given).then_some(offset)
}

const HEX: &[u8] = b"0123456789abcdef";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn resource_id(region: &str, resource_type: &str, n: usize) -> String {
    let seed = format!("{region} {resource_type}");
    let with =
        |prefix: &str, length, alphabet| prefix.to_owned() + &text(&seed, n, length, alphabet);
    match resource_type {
        "AWS::EC2::Instance" => with("i-0", 16, HEX),
        "AWS::EC2::Volume" => with("vol-0", 16, HEX),
        "AWS::EC2::SecurityGroup" => with("sg-0", 16, HEX),
        "AWS::EC2::VPC" => with("vpc-0", 16, HEX),
        "AWS::RDS::DBInstance" => with("db-", 26, BASE32),
        "AWS::IAM::Role" => with("AROA", 17, BASE32),
        "AWS::IAM::User" => with("AIDA", 17, BASE32),
        // A bucket, a function or a table is identified by its name.
        _ => name(region, resource_type, n),
    }
}

/// EC2's instances, volumes and networks have no name of their own; their tags do not count.
fn resource_name(region: &str, resource_type: &str, n: usize) -> Option<String> {
    match resource_type {
        "AWS::EC2::Instance" | "AWS::EC2::Volume" | "AWS::EC2::VPC" => None,
        _ => Some(name(region, resource_type, n)),
    }
}

fn name(region: &str, resource_type: &str, n: usize) -> String {
    let kind = resource_type.rsplit(':').next().unwrap_or_default();
    format!("acme-{}-{region}-{n:05}", kind.to_lowercase())
}

/// `length` characters of `alphabet` (a power of two long) that follow from `seed` and `n`:
/// an FNV hash, stirred on by an xorshift.
fn text(seed: &str, n: usize, length: usize, alphabet: &[u8]) -> String {
    let bytes = seed.bytes().chain(n.to_le_bytes());
    let mut state = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let index = usize::try_from(state >> 40).unwrap_or_default();
        char::from(alphabet[index % alphabet.len()])
    };
    (0..length).map(|_| next()).collect()
}
