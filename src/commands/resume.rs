//! Creates the run file of a run of many accounts; with `--resume`, from the complete accounts of an earlier one.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use super::combined;
use super::context::Context;
use super::exit::Exit;
use crate::error_log::timestamp;
use crate::model::AccountId;
use crate::options::{AccountOptions, Resume};
use crate::output::earlier_run::{EarlierRun, EarlierRunError};
use crate::output::run_file::{AccountRecord, NewLine, Position, RunFile};
use crate::output::run_header::RunHeader;
use crate::text::{list, pluralize};

/// The maximum number of invalid lines that are named.
const NAMED: usize = 8;

/// The records of the accounts that an earlier run has counted, in the new run file.
pub(super) type Counted = BTreeMap<AccountId, Position>;

/// Locks the output directory and creates the run file. Returns it with the accounts that need no scan, or the exit code;
/// the error is shown.
pub(super) fn start(
    context: &mut Context,
    accounts: &AccountOptions,
    scope: &str,
    caller: Option<&AccountId>,
) -> Result<(RunFile, Counted), Exit> {
    if !context.lock_for(
        &format!("combined_{scope}"),
        &format!("the accounts of {scope}"),
    ) {
        return Err(Exit::Failed);
    }
    let started = timestamp(context.runtime.clock.now());
    let mut header = RunHeader::new(context.options, accounts, scope, caller, started);
    let path = context.path(&combined::name("run", &header.scope, "jsonl"));
    let earlier = read_earlier(context, accounts, &header, path.clone())?;
    if let Some(earlier) = &earlier {
        header.started.clone_from(&earlier.header.started);
    }
    let mut counted = Counted::new();
    let is_here = accounts.account_files && accounts.resume == Some(Resume::Default);
    let has_files = |record: &AccountRecord| {
        let csv = format!("aws_config_resource_count_{}.csv", record.file_stem);
        !is_here || context.path(&csv).exists()
    };
    let copy_counted = |new: &mut RunFile| copy(earlier.as_ref(), has_files, new, &mut counted);
    let created = RunFile::create(
        path.clone(),
        &header,
        &context.runtime.interrupt,
        copy_counted,
    );
    let file = created.map_err(|e| {
        if !context.is_interrupted() {
            let path = path.display();
            context
                .console
                .error(format_args!("error: {path} cannot be created: {e}"));
        }
        Exit::Failed
    })?;
    let command = accounts.resume_command.clone();
    context.runtime.interrupt.set_command(command);
    if earlier.is_some() {
        let taken = pluralize(counted.len(), "complete account");
        context.console.line(format_args!(
            "Resuming the run of {}: {taken} will not be counted again",
            header.started
        ));
    }
    Ok((file, counted))
}

/// Reads the run file of the run to continue. Returns `None` if it is missing.
fn read_earlier(
    context: &mut Context,
    accounts: &AccountOptions,
    header: &RunHeader,
    default: PathBuf,
) -> Result<Option<EarlierRun>, Exit> {
    let (path, is_default) = match &accounts.resume {
        None => return Ok(None),
        Some(Resume::Default) => (default, true),
        Some(Resume::File(path)) => (path.clone(), false),
    };
    let shown = path.display();
    let refusal = match EarlierRun::read(&path) {
        Ok(earlier) => match earlier.header.difference(header) {
            None => {
                warn_of_invalid_lines(context, &earlier, &shown.to_string());
                return Ok(Some(earlier));
            }
            Some(difference) => format!("it is of another run: {difference}"),
        },
        Err(error) if is_default && is_absent(&error) => {
            context.console.line(format_args!(
                "Nothing to resume: {shown} has no results; all accounts are counted"
            ));
            return Ok(None);
        }
        Err(error) => error.to_string(),
    };
    context.console.error(format_args!(
        "error: --resume: {shown} cannot be continued: {refusal}. To count all accounts again, omit --resume."
    ));
    Err(Exit::Usage)
}

/// Returns true if the earlier run ended before it wrote a result.
fn is_absent(error: &EarlierRunError) -> bool {
    match error {
        EarlierRunError::Empty => true,
        EarlierRunError::Io(e) => e.kind() == io::ErrorKind::NotFound,
        EarlierRunError::NotRunFile => false,
    }
}

fn warn_of_invalid_lines(context: &mut Context, earlier: &EarlierRun, path: &str) {
    let lines = &earlier.invalid_lines;
    if !lines.is_empty() {
        context.console.error(format_args!(
            "warning: {path}: {} not valid (line {}); accounts without a valid line are counted again",
            pluralize(lines.len(), "line"),
            list(lines.iter(), NAMED)
        ));
    }
}

/// Copies the complete accounts that `has_files` into the new run file.
fn copy(
    earlier: Option<&EarlierRun>,
    has_files: impl Fn(&AccountRecord) -> bool,
    new: &mut RunFile,
    into: &mut Counted,
) -> io::Result<()> {
    for record in earlier.into_iter().flat_map(EarlierRun::records) {
        let (id, record) = record?;
        if has_files(&record) {
            into.insert(id, new.append(&NewLine::Account(&record))?);
        }
    }
    Ok(())
}
