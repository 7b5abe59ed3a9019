//! Checks the paths of the outputs before the first request.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::atomic_file::{self, Destination};
use crate::interrupt::Interrupt;
use crate::options::Options;
use crate::recording::mapping_path;

/// The start of the names of the program's own files.
const RESERVED: &str = "aws_config_";

/// The reason why an output cannot be written.
#[derive(Debug, Error)]
pub(super) enum OutputPathError {
    /// The output directory cannot be created or written to.
    #[error("--output-dir {0}: {1}; choose another directory")]
    Directory(String, #[source] io::Error),
    /// The report cannot be written.
    #[error("--report {0}: {1}; choose another file")]
    Report(String, #[source] io::Error),
    /// The report has the name of another output.
    #[error("--report {0}: names that begin with aws_config_ are for other files of the program")]
    Reserved(String),
    /// Another output is the same file.
    #[error("--report {0}: {1} is the same file; choose another one")]
    Same(String, String),
    /// The directory of the recording cannot be created or written to.
    #[error("--record {0}: {1}; choose another directory")]
    Record(String, #[source] io::Error),
    /// The directory of the recording has files.
    #[error("--record {0}: the directory is not empty; use a new or empty one")]
    NotEmpty(String),
    /// The report is in the directory of the recording.
    #[error("--report {0}: the file is in the directory of --record; choose another one")]
    InRecording(String),
}

/// Creates the output directory, and checks it and the path of the report.
///
/// # Errors
/// A place is unusable, or two outputs are the same file.
pub(super) fn check(options: &Options, interrupt: &Interrupt) -> Result<(), OutputPathError> {
    let directory = &options.output_dir;
    let report = options.report.as_deref();
    if let Some(report) = report.filter(|report| is_reserved(report)) {
        return Err(OutputPathError::Reserved(report.display().to_string()));
    }
    create_directory(directory, interrupt)
        .map_err(|e| OutputPathError::Directory(directory.display().to_string(), e))?;
    let mut mapping = None;
    if let Some(record) = &options.record {
        let shown = || record.display().to_string();
        if has_files(record) {
            return Err(OutputPathError::NotEmpty(shown()));
        }
        mapping = create_directory(record, interrupt)
            .and_then(|()| check_mapping(record, options, interrupt))
            .map_err(|e| OutputPathError::Record(shown(), e))?;
    }
    report.map_or(Ok(()), |report| {
        check_report(report, mapping.as_ref(), options, interrupt)
    })
}

/// Checks the file that lists what is replaced in a recording of many accounts. Returns it, if there will be one.
fn check_mapping(
    record: &Path,
    options: &Options,
    interrupt: &Interrupt,
) -> io::Result<Option<Destination>> {
    if options.accounts.is_none() || options.record_account_id.is_none() {
        return Ok(None);
    }
    let path = mapping_path(record)?;
    let error = match atomic_file::check_path(&path, interrupt) {
        Ok(destination @ Destination::File(_)) => return Ok(Some(destination)),
        Ok(_) => io::Error::other("is not a regular file"),
        Err(e) => e,
    };
    let message = format!("{}: {error}", path.display());
    Err(io::Error::new(error.kind(), message))
}

/// Creates a directory if it does not exist, and checks that files can be created in it.
fn create_directory(directory: &Path, interrupt: &Interrupt) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    atomic_file::check_directory(directory, interrupt)
}

fn has_files(directory: &Path) -> bool {
    std::fs::read_dir(directory).is_ok_and(|mut files| files.next().is_some())
}

fn check_report(
    report: &Path,
    mapping: Option<&Destination>,
    options: &Options,
    interrupt: &Interrupt,
) -> Result<(), OutputPathError> {
    let shown = || report.display().to_string();
    let destination = atomic_file::check_path(report, interrupt);
    let destination = destination.map_err(|e| OutputPathError::Report(shown(), e))?;
    let Destination::File(target) = &destination else {
        return Ok(());
    };
    if is_reserved(target) {
        return Err(OutputPathError::Reserved(shown()));
    }
    if destination.is_file_of_a_stream() {
        let stream = "stdout or stderr".to_owned();
        return Err(OutputPathError::Same(shown(), stream));
    }
    if mapping == Some(&destination) {
        let mapping = "DIR.mapping.json of --record".to_owned();
        return Err(OutputPathError::Same(shown(), mapping));
    }
    if let Some(output) = output_with_target(&options.output_dir, &destination) {
        return Err(OutputPathError::Same(shown(), output.display().to_string()));
    }
    let recording = options
        .record
        .as_ref()
        .and_then(|dir| dir.canonicalize().ok());
    match recording {
        Some(recording) if target.starts_with(&recording) => {
            Err(OutputPathError::InRecording(shown()))
        }
        _ => Ok(()),
    }
}

/// Returns true if the name of a file is reserved; some file systems ignore the case.
fn is_reserved(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.to_ascii_lowercase().starts_with(RESERVED)
}

/// Returns the output file in `directory` that is a symbolic link to `target`, if there is one.
fn output_with_target(directory: &Path, target: &Destination) -> Option<PathBuf> {
    let entries = std::fs::read_dir(directory).ok()?.filter_map(Result::ok);
    let mut paths = entries.map(|entry| entry.path());
    paths.find(|path| {
        is_reserved(path) && Destination::new(path).is_ok_and(|found| found == *target)
    })
}
