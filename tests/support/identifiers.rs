//! Resource identifiers and page tokens in the form of AWS Config's, the same in every run.

use std::fmt::Write;

/// Renders a page: the resources `first..end` of `resource_type` in `region`, and the page token.
pub fn page(
    region: &str,
    resource_type: &str,
    first: usize,
    end: usize,
    token: Option<&str>,
) -> Vec<u8> {
    let mut page = String::with_capacity(128 * (end - first) + 256);
    page.push_str("{\"resourceIdentifiers\":[");
    // Resources of IAM and global clusters are global: every region lists the same ones.
    let global =
        resource_type.starts_with("AWS::IAM::") || resource_type == "AWS::RDS::GlobalCluster";
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

/// Returns the token of the page at `offset`, opaque to a client and valid only for this listing.
pub fn token(region: &str, resource_type: &str, limit: usize, offset: usize) -> String {
    let seed = format!("{region} {resource_type} {limit}");
    format!("{offset:08x}{}", text(&seed, offset, 120, BASE64))
}

/// Returns the offset of a page token, if the token is valid for this listing.
pub fn offset(region: &str, resource_type: &str, limit: usize, page_token: &str) -> Option<usize> {
    let offset = usize::from_str_radix(page_token.get(..8)?, 16).ok()?;
    (token(region, resource_type, limit, offset) == page_token).then_some(offset)
}

const HEX: &[u8] = b"0123456789abcdef";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn resource_id(region: &str, resource_type: &str, n: usize) -> String {
    let seed = format!("{region} {resource_type}");
    let id = |prefix: &str, length, alphabet| prefix.to_owned() + &text(&seed, n, length, alphabet);
    match resource_type {
        "AWS::EC2::Instance" => id("i-0", 16, HEX),
        "AWS::EC2::Volume" => id("vol-0", 16, HEX),
        "AWS::EC2::SecurityGroup" => id("sg-0", 16, HEX),
        "AWS::EC2::VPC" => id("vpc-0", 16, HEX),
        "AWS::RDS::DBInstance" => id("db-", 26, BASE32),
        "AWS::IAM::Role" => id("AROA", 17, BASE32),
        "AWS::IAM::User" => id("AIDA", 17, BASE32),
        // The ID of a bucket, a function or a table is its name.
        _ => name(region, resource_type, n),
    }
}

/// Returns the name; instances, volumes and VPCs have none, because AWS Config ignores the Name
/// tag.
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

/// Returns `length` characters of `alphabet`, whose length is a power of two.
///
/// They depend only on `seed` and `n`: an FNV hash seeds an xorshift generator.
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
