//! CSV with the same bytes as Python's `csv.DictWriter`: CRLF, and quotes only if needed.
//!
//! <https://docs.python.org/3/library/csv.html#csv.excel>

use std::io::{self, Write};

use csv::{QuoteStyle, Terminator, WriterBuilder};
use serde::Serialize;

/// The size of the write buffer, in bytes.
const BUFFER: usize = 64 * 1024;

/// Writes the header, which an empty table has too, and a line per row.
///
/// # Errors
/// Writing to `to` failed.
pub fn write_csv<R: Serialize>(
    header: &str,
    rows: impl Iterator<Item = R>,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .has_headers(false)
        .buffer_capacity(BUFFER)
        .from_writer(to);
    writer.write_record(header.split(','))?;
    for row in rows {
        writer.serialize(row)?;
    }
    writer.flush()
}
