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
    write_csv_header(header, to)?;
    write_csv_rows(rows, to)
}

/// Writes the first line of a table.
///
/// # Errors
/// Writing to `to` failed.
pub fn write_csv_header(header: &str, to: &mut dyn Write) -> io::Result<()> {
    let mut writer = builder().from_writer(to);
    writer.write_record(header.split(','))?;
    writer.flush()
}

/// Writes a line per row.
///
/// # Errors
/// Writing to `to` failed.
pub fn write_csv_rows<R: Serialize>(
    rows: impl Iterator<Item = R>,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut writer = builder().from_writer(to);
    for row in rows {
        writer.serialize(row)?;
    }
    writer.flush()
}

fn builder() -> WriterBuilder {
    let mut builder = WriterBuilder::new();
    builder
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .has_headers(false)
        .buffer_capacity(BUFFER);
    builder
}
