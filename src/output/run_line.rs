//! The lines of a run file: JSON objects whose last member is a checksum, so that no changed line is taken for a result.

use std::hash::Hasher;

use serde::Serialize;

/// The text before the checksum.
const MEMBER: &str = ",\"checksum\":\"";

/// The length of the end of a line: the checksum and what is around it.
const END: usize = MEMBER.len() + 16 + "\"}".len();

/// Returns `object` as a line with a checksum and a line feed.
///
/// # Panics
/// Never, for an enum of plain structs.
#[must_use]
pub fn to_line(object: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(object).expect("an enum of plain structs");
    line.pop();
    let end = format!("{MEMBER}{:016x}\"}}\n", checksum(&line));
    line.extend(end.into_bytes());
    line
}

/// Returns the JSON object of a line without its checksum; `None` if the line is incomplete or was changed.
#[must_use]
pub fn from_line(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.strip_suffix(b"\n")?;
    let (object, end) = line.split_at(line.len().checked_sub(END)?);
    let expected = format!("{MEMBER}{:016x}\"}}", checksum(object));
    (end == expected.as_bytes()).then(|| [object, b"}"].concat())
}

/// Returns a hash. It may be another one in a program that was built with another Rust version; then lines are invalid.
fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_byte_is_noticed() {
        let line = to_line(&serde_json::json!({"page": ["111111111111"]}));
        assert_eq!(
            from_line(&line).as_deref(),
            Some(&b"{\"page\":[\"111111111111\"]}"[..])
        );
        for at in 0..line.len() {
            let mut changed = line.clone();
            changed[at] ^= 1;
            assert_eq!(from_line(&changed), None, "byte {at}");
            assert_eq!(from_line(&line[..at]), None, "length {at}");
        }
    }
}
