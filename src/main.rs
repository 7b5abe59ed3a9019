//! Connects the program to the real clock, environment and network.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::Arc;

use aws_config_resource_count::cli::{self, Command};
use aws_config_resource_count::commands;
use aws_config_resource_count::console::{self, Bar, Color, Console, LiveLine};
use aws_config_resource_count::interrupt::Interrupt;
use aws_config_resource_count::options::Options;
use aws_config_resource_count::runtime::Runtime;

fn main() -> ExitCode {
    let interrupt = Interrupt::default();
    if let Err(e) = interrupt.listen() {
        print_line(&format_args!(
            "warning: Ctrl-C will not print a summary: {e}"
        ));
    }
    // Reads the file of --resource-types, which may be a FIFO.
    match cli::parse(std::env::args_os()) {
        Ok(Command::Run(options, view)) => run(&options, view, interrupt),
        Ok(Command::Print(text)) => {
            let _ = io::stdout().write_all(&text);
            ExitCode::SUCCESS
        }
        Err(usage) => {
            let is_error = usage.use_stderr();
            let is_terminal = if is_error {
                io::stderr().is_terminal()
            } else {
                io::stdout().is_terminal()
            };
            let text = usage.render();
            let text = if (supports_escapes() || !is_terminal)
                && has_color(cli::color(std::env::args_os()), is_terminal)
            {
                text.ansi().to_string()
            } else {
                text.to_string()
            };
            let _ = if is_error {
                io::stderr().write_all(text.as_bytes())
            } else {
                io::stdout().write_all(text.as_bytes())
            };
            ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2))
        }
    }
}

fn run(options: &Options, view: cli::OutputOptions, interrupt: Interrupt) -> ExitCode {
    let runtime = match Runtime::new(options, interrupt) {
        Ok(runtime) => runtime,
        Err(e) => {
            print_line(&format_args!("error: --replay: {e}"));
            return ExitCode::from(2);
        }
    };
    let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
    let ci = std::env::var("CI").ok();
    let redraws = err && supports_escapes() && !console::is_ci(ci.as_deref());
    let mut console = Console {
        out: Box::new(io::stdout()),
        err: Box::new(io::stderr()),
        color: has_color(view.color, out),
        bar: match (view.progress, redraws && !options.debug) {
            (false, _) => Bar::Off,
            (true, true) => Bar::Live,
            (true, false) => Bar::FinalOnly,
        },
        quiet: view.quiet,
        shared_terminal: out && err,
        out_columns: || columns(io::stdout()),
        columns: || columns(io::stderr()),
        live: LiveLine::default(),
    };
    let trace = options.debug.then(|| Arc::new(print_line) as _);
    if !options.debug {
        // A panic of a task is written to the error log; the default hook would print to the
        // terminal.
        std::panic::set_hook(Box::new(|_| {}));
    }
    ExitCode::from(commands::run_guarded(options, &runtime, &mut console, trace).code())
}

/// Prints `line` on stderr. One write, because stderr is not buffered; not `eprintln!`, which
/// panics if stderr is closed.
fn print_line(line: &dyn Display) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Returns the width of a terminal in columns; `None` if the stream is not a terminal, or the width is unknown.
fn columns(stream: impl AsFd) -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(stream)?;
    Some(usize::from(width.0)).filter(|width| *width > 0)
}

/// Returns true if the terminal supports escape sequences.
fn supports_escapes() -> bool {
    console::supports_escapes(std::env::var("TERM").ok().as_deref())
}

/// Returns true if a stream gets color, by the option, the environment and the terminal.
fn has_color(option: Color, is_terminal: bool) -> bool {
    let [no_color, force] = ["NO_COLOR", "CLICOLOR_FORCE"].map(|name| std::env::var(name).ok());
    let is_terminal = is_terminal && supports_escapes();
    option.applies(is_terminal, no_color.as_deref(), force.as_deref())
}
