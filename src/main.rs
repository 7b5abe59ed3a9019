//! Wires the real clock, environment and network to the program.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use aws_config_resource_count::app;
use aws_config_resource_count::cli::{self, Command};
use aws_config_resource_count::config::Config;
use aws_config_resource_count::console::{Bar, Console};
use aws_config_resource_count::env::SystemEnv;
use aws_config_resource_count::http::agent::Agent;
use aws_config_resource_count::interrupt::Interrupt;
use aws_config_resource_count::world::World;

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(Command::Run(config, view)) => run(&config, view),
        Ok(Command::Print(text)) => {
            let _ = io::stdout().write_all(&text);
            ExitCode::SUCCESS
        }
        Err(usage) => usage.exit(),
    }
}

fn run(config: &Config, view: cli::View) -> ExitCode {
    let interrupt = Interrupt::default();
    if let Err(e) = interrupt.listen() {
        // Not eprintln!, which panics where nobody reads stderr.
        let _ = writeln!(io::stderr(), "warning: Ctrl-C will leave no summary: {e}");
    }
    let env = SystemEnv(interrupt.clone());
    let world = match World::new(config, Box::new(env), interrupt, Agent::new) {
        Ok(world) => world,
        Err(e) => {
            let _ = writeln!(io::stderr(), "error: --replay: {e}");
            return ExitCode::from(2);
        }
    };
    let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
    let var = |name| std::env::var(name).ok();
    let (no_color, force) = (var("NO_COLOR"), var("CLICOLOR_FORCE"));
    let mut console = Console {
        out: Box::new(io::stdout()),
        err: Box::new(io::stderr()),
        color: view
            .color
            .applies(out, no_color.as_deref(), force.as_deref()),
        bar: match (view.progress, err && !config.debug) {
            (false, _) => Bar::Off,
            (true, true) => Bar::Live,
            (true, false) => Bar::Last,
        },
        quiet: view.quiet,
        one_screen: out && err,
        drawn: None,
    };
    let trace = config.debug.then(|| {
        let tell = |line: &dyn Display| {
            // In one piece; nothing buffers stderr.
            let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
        };
        Arc::new(tell) as _
    });
    if !config.debug {
        // A task's panic becomes a line of the error log, which the hook's text would break.
        std::panic::set_hook(Box::new(|_| {}));
    }
    ExitCode::from(app::run_guarded(config, &world, &mut console, trace).code())
}
