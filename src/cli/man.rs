//! The man page: clap's descriptions of the options, and the sections that clap does not write.

use std::fmt::Write as _;
use std::io::{self, Write};

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::help::{self, Entries};

/// Returns the man page in the format of `man`, as one page with all commands.
pub(super) fn page(mut command: Command) -> io::Result<Vec<u8>> {
    command.build();
    let name = command.get_name();
    let version = command.get_version().unwrap_or_default();
    let mut page = Vec::new();
    // Left-aligned, and without hyphens in URLs and names.
    writeln!(
        page,
        ".TH {} 1 \"\" \"{name} {version}\" \"User Commands\"\n.nh\n.ad l",
        name.to_uppercase()
    )?;
    let man = Man::new(command.clone());
    man.render_name_section(&mut page)?;
    add(&mut page, |roff| synopsis(roff, &command))?;
    man.render_description_section(&mut page)?;
    page.extend(options(&man)?);
    add(&mut page, |roff| {
        commands(roff, &command);
        entries(roff, "ENVIRONMENT", help::ENVIRONMENT);
        entries(roff, "FILES", help::FILES);
        entries(roff, "EXIT STATUS", help::EXIT_CODES);
        examples(roff);
        entries(roff, "SEE ALSO", help::SEE_ALSO);
    })?;
    Ok(page)
}

fn add(page: &mut Vec<u8>, write: impl FnOnce(&mut Roff)) -> io::Result<()> {
    let mut roff = Roff::new();
    write(&mut roff);
    roff.to_writer(page)
}

/// Adds one line for each form of a command line.
fn synopsis(roff: &mut Roff, command: &Command) {
    let name = command.get_name();
    roff.control("SH", ["SYNOPSIS"]);
    roff.text([bold(name), roman(" [OPTIONS]")]);
    for (subcommand, arguments) in forms(command) {
        roff.control("br", []);
        roff.text([bold(format!("{name} {subcommand}")), roman(arguments)]);
    }
}

/// Returns the subcommands with their arguments.
fn forms(command: &Command) -> impl Iterator<Item = (&str, String)> {
    command.get_subcommands().map(|subcommand| {
        let mut arguments = String::new();
        if subcommand.get_name() == "help" {
            arguments += " [COMMAND]";
        }
        if subcommand.get_opts().next().is_some() {
            arguments += " [OPTIONS]";
        }
        for argument in subcommand.get_positionals() {
            let _ = write!(arguments, " {argument}");
        }
        (subcommand.get_name(), arguments)
    })
}

/// Returns the options: clap makes each heading a section, in capitals; here those after the first are subsections.
fn options(man: &Man) -> io::Result<Vec<u8>> {
    let mut section = Vec::new();
    man.render_options_section(&mut section)?;
    let mut page = String::new();
    for line in String::from_utf8_lossy(&section).lines() {
        match line.strip_prefix(".SH ") {
            Some(title) if title != "OPTIONS" => {
                let title = title[1..].to_lowercase();
                let _ = write!(page, ".SS {}{title} options", &line[4..5]);
            }
            // Clap separates paragraphs by empty lines.
            None if line.is_empty() => page += ".sp",
            _ => page += line,
        }
        page.push('\n');
    }
    Ok(page.into_bytes())
}

fn commands(roff: &mut Roff, command: &Command) {
    roff.control("SH", ["COMMANDS"]);
    for (subcommand, (name, arguments)) in command.get_subcommands().zip(forms(command)) {
        roff.control("TP", []);
        roff.text([bold(name), roman(arguments)]);
        let about = subcommand.get_about().filter(|_| name != "help");
        let about = about.map_or(
            "Print the help of a command".to_owned(),
            ToString::to_string,
        );
        roff.text([roman(about)]);
        if let Some(help) = subcommand.get_after_long_help() {
            roff.control("sp", []);
            literal(roff, &help.to_string());
        }
    }
}

/// Adds lines that are not filled.
fn literal(roff: &mut Roff, text: &str) {
    roff.control("nf", []);
    for line in text.lines() {
        match line {
            "" => roff.control("sp", []),
            line => roff.text([roman(line)]),
        };
    }
    roff.control("fi", []);
}

fn entries(roff: &mut Roff, title: &str, entries: Entries) {
    roff.control("SH", [title]);
    for (term, meaning) in entries {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*meaning)]);
    }
}

fn examples(roff: &mut Roff) {
    roff.control("SH", ["EXAMPLES"]);
    for (n, (command, purpose)) in help::EXAMPLES.iter().enumerate() {
        if n > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(format!("{purpose}:"))]);
        roff.control("RS", []);
        literal(roff, command);
        roff.control("RE", []);
    }
}
