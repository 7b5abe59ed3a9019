//! Runs in a pseudo-terminal, created by `script` of util-linux: the bar at several widths, escape
//! sequences by TERM, and a typed Ctrl-C.

use std::fs;
use std::io::Write;
use std::sync::Arc;

use crate::support::make_fifo;
use crate::support::{Account, Outcome, Program, Reply, Server};
use crate::{Latch, TYPES, VPC, account, assert_files, assert_no_panic_output, wide_account};

/// `script` takes one command line. Quotes are sufficient for these arguments. `SETUP` is a command
/// that runs first, in the terminal.
const IN_A_TERMINAL: &str = r#"line=; for word; do line="$line '$word'"; done
exec /usr/bin/script -qefc "${SETUP:+$SETUP;} exec $line" /dev/null"#;

const BLOCKS: [char; 2] = ['█', '░'];

/// Returns a run in a terminal that supports escape sequences.
fn in_terminal(server: &Server) -> Program {
    Program::in_shell(IN_A_TERMINAL, server)
        .env("TERM", "xterm-256color")
        .args(TYPES)
}

/// Returns a run in a terminal with `columns` columns.
fn with_columns(server: &Server, columns: usize) -> Program {
    in_terminal(server).env("SETUP", format!("stty cols {columns} rows 24"))
}

/// Returns the lines that a terminal with `columns` columns shows after `output`.
///
/// Like xterm, it moves to the next line when a character follows the one in the last column.
fn screen(output: &str, columns: usize) -> Vec<String> {
    let (mut lines, mut column) = (vec![Vec::new()], 0);
    let mut rest = output;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        let line = lines.last_mut().unwrap();
        match c {
            '\r' => column = 0,
            '\n' => lines.push(vec![' '; column]),
            '\x1b' if rest.starts_with("[K") => {
                line.truncate(column.min(columns - 1));
                rest = &rest[2..];
            }
            // Colors.
            '\x1b' => rest = rest.split_once('m').unwrap().1,
            c => {
                if column == columns {
                    lines.push(Vec::new());
                    column = 0;
                }
                let line = lines.last_mut().unwrap();
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
    }
    let text = |line: Vec<char>| line.into_iter().collect::<String>().trim_end().to_owned();
    lines.into_iter().map(text).collect()
}

/// Returns the number of blocks of a bar.
fn blocks(line: &str) -> usize {
    line.chars().filter(|c| BLOCKS.contains(c)).count()
}

/// Serves 36 regions, with an error in one of them.
fn server_with_error() -> Server {
    wide_account().serve_with(|call| {
        call.lists(VPC, "eu-west-1")
            .then(|| Reply::error(call, 400, "AccessDeniedException", "no"))
    })
}

#[test]
fn bar_fits_every_width() {
    let server = server_with_error();
    for (columns, expected) in [
        (300, 50),
        (80, 50),
        (69, 50),
        (68, 50),
        (67, 49),
        (60, 42),
        (41, 23),
        (40, 22),
        (28, 10),
        (27, 0),
        (15, 0),
        (14, 0),
        (5, 0),
        (4, 0),
        (1, 0),
    ] {
        let run = with_columns(&server, columns).run();
        assert_eq!(run.code, Some(0), "{columns}: {}", run.describe());
        assert_no_panic_output(&run);
        let shown = screen(&run.stdout, columns);
        // A slow run shows its elapsed time after the bar.
        let without_time = |line: String| match line.split_once("/36  ") {
            Some((bar, _)) => format!("{bar}/36"),
            None => line,
        };
        let shown: Vec<_> = shown.into_iter().map(without_time).collect();
        let bars: Vec<_> = shown
            .iter()
            .filter(|line| line.contains(BLOCKS) || line.ends_with("/36"))
            .collect();
        let figures = match columns {
            28.. => 1,
            15.. => usize::from(shown.contains(&"Progress: 36/36".to_owned())),
            5.. => usize::from(shown.contains(&"36/36".to_owned())),
            _ => 0,
        };
        assert_eq!(bars.len(), figures, "{columns}: {shown:#?}");
        if columns >= 28 {
            assert!(bars[0].ends_with("] 36/36"), "{columns}: {shown:#?}");
            assert_eq!(blocks(bars[0]), expected, "{columns}: {shown:#?}");
        }
    }
}

#[test]
fn bar_follows_resized_terminal() {
    let blocked = Arc::new(Latch::default());
    let latch = blocked.clone();
    let server = wide_account().serve_with(move |call| {
        if call.lists(VPC, "eu-west-1") {
            latch.wait();
        }
        None
    });
    let program = in_terminal(&server);
    let directory = program.directory().to_owned();
    for name in ["resize", "resized"] {
        make_fifo(&directory.join(name));
    }
    let path = directory.display();
    let running = program
        .env(
            "SETUP",
            format!(
                "stty cols 100 rows 24; {{ read columns <{path}/resize; \
                 stty -F /dev/tty cols $columns; echo >{path}/resized; }} & true"
            ),
        )
        .start();
    assert!(running.wait_for_stdout("35/36"), "no progress bar");
    fs::write(directory.join("resize"), "45\n").unwrap();
    fs::read(directory.join("resized")).unwrap();
    blocked.open();
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let drawn = |figures: &str| {
        let at = run.stdout.find(figures).unwrap();
        let start = run.stdout[..at].rfind('\r').unwrap();
        blocks(&run.stdout[start..at])
    };
    assert_eq!((drawn("] 35/36"), drawn("] 36/36")), (50, 27));
}

/// Asserts that nothing is redrawn, and that the bar is shown once.
fn assert_plain(run: &Outcome, name: &str) {
    let lines = run.stdout.replace("\r\n", "\n");
    assert!(!lines.contains(['\x1b', '\r']), "{name}: {lines:?}");
    let bar = format!("\nProgress: [{}] 2/2\n", "█".repeat(50));
    assert_eq!(lines.matches("Progress").count(), 1, "{name}: {lines}");
    assert!(lines.contains(&bar), "{name}: {lines}");
    assert!(lines.contains("\n✓ "), "{name}: {lines}");
}

#[test]
fn terminal_without_escapes_gets_plain_text() {
    let server = account().serve();
    for setup in ["TERM=dumb", "TERM=", "unset TERM", "TERM=dumb LANG=C"] {
        let run = in_terminal(&server).env("SETUP", setup).run();
        assert_eq!(run.code, Some(0), "{setup}: {}", run.describe());
        assert_plain(&run, setup);
    }
    let narrow = in_terminal(&server)
        .env("SETUP", "TERM=dumb; stty cols 40 rows 24")
        .run();
    let shown = screen(&narrow.stdout, 40);
    let bar = format!("Progress: [{}] 2/2", "█".repeat(24));
    assert!(shown.contains(&bar), "{shown:#?}");
    for (setup, arguments) in [
        ("TERM=dumb", ["--help", "--regions"]),
        ("TERM=dumb", ["--color=auto", "--no-such-option"]),
        ("TERM=xterm", ["--color=never", "--no-such-option"]),
    ] {
        let run = in_terminal(&server)
            .env("SETUP", setup)
            .args(arguments)
            .run();
        assert!(!run.stdout.contains('\x1b'), "{:?}", run.stdout);
    }
}

#[test]
fn color_follows_terminal_and_variables() {
    let server = account().serve();
    for (variables, has_color, is_redrawn) in [
        ("", true, true),
        ("LANG=C LC_ALL=C", true, true),
        ("NO_COLOR=1", false, true),
        ("NO_COLOR=", true, true),
        ("NO_COLOR=1 CLICOLOR_FORCE=1", false, true),
        ("TERM=dumb CLICOLOR_FORCE=1", true, false),
        ("TERM=dumb CLICOLOR_FORCE=0", false, false),
        ("TERM=dumb NO_COLOR=1 CLICOLOR_FORCE=1", false, false),
    ] {
        let setup = format!("export A=1 {variables}");
        let run = in_terminal(&server).env("SETUP", setup).run();
        assert_eq!(run.code, Some(0), "{variables}: {}", run.describe());
        let output = &run.stdout;
        assert_eq!(output.contains("\x1b[92m✓"), has_color, "{variables}");
        assert_eq!(output.contains("\x1b[K"), is_redrawn, "{variables}");
    }
}

#[test]
fn output_to_pipes_is_plain() {
    let server = account().serve();
    for (name, value) in [("TERM", "xterm"), ("LANG", "C"), ("COLUMNS", "20")] {
        let run = Program::new(&server).args(TYPES).env(name, value).run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let output = format!("{}{}", run.stdout, run.stderr);
        assert!(!output.contains(['\x1b', '\r']), "{name}: {output:?}");
        let bar = format!("Progress: [{}] 2/2\n", "█".repeat(50));
        assert_eq!(run.stderr, bar, "{name}");
    }
}

/// The alias is not part of the bar, so that its width does not matter.
#[test]
fn wide_characters_in_alias_do_not_move_bar() {
    let account = Account::new()
        .alias("会社の本番環境")
        .region("us-east-1", &[(VPC, 2)]);
    let run = with_columns(&account.serve(), 40).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let (_, after) = run.stdout.split_once("Scanning 1 region...\r\n").unwrap();
    let shown = screen(after, 40);
    assert_eq!(shown[0], format!("Progress: [{}] 1/1", "█".repeat(24)));
    assert!(shown[1].starts_with("Results written"), "{shown:#?}");
}

#[test]
fn typed_ctrl_c_restores_terminal() {
    let server = account().serve_with(|call| call.lists(VPC, "eu-west-1").then(Reply::stall));
    let (keyboard, mut input) = std::io::pipe().unwrap();
    let running = in_terminal(&server).stdin(keyboard).start();
    server.wait_for(|call| call.lists(VPC, "eu-west-1"));
    assert!(running.wait_for_stdout("1/2"), "no progress bar");
    input.write_all(b"\x03").unwrap();
    let run = running.finish();
    assert_eq!(run.code, Some(130), "{}", run.describe());
    assert!(run.stdout.contains("\rProgress: ["), "{}", run.describe());
    // The line of the bar has ended, so that the prompt starts on a new line.
    let end = "\r\nInterrupted: 1 of 2 regions were counted; nothing was written.\r\n";
    assert!(run.stdout.ends_with(end), "{:?}", run.stdout);
    assert!(
        !run.stdout.contains("\x1b[?25"),
        "the cursor was hidden: {:?}",
        run.stdout
    );
    assert_no_panic_output(&run);
    assert_files(&run, &[]);
}

#[test]
fn complete_bar_ends_its_line() {
    let server = account().serve();
    let run = in_terminal(&server).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let (_, end) = run.stdout.rsplit_once("2/2").unwrap();
    // A slow run shows its elapsed time after the bar.
    let end = end.trim_start_matches(|c: char| c == ' ' || c == 's' || c.is_ascii_digit());
    let is_ended = end.starts_with("\x1b[K\r\nResults written to ");
    assert!(is_ended, "{:?}", run.stdout);
    assert!(
        !run.stdout.contains("\x1b[?25"),
        "the cursor was hidden: {:?}",
        run.stdout
    );
    assert_eq!(run.csv(), account().csv());
}

/// Writes a config file for a role with MFA, or with a command.
fn with_config(program: Program, config: &str) -> Program {
    let directory = program.directory().join("home/.aws");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("config"), config).unwrap();
    let keys = r#"{"Version":1,"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"s"}"#;
    std::fs::write(program.directory().join("current/keys.json"), keys).unwrap();
    program.args(TYPES).args(["--profile", "p"])
}

const MFA: &str = "[profile p]
role_arn = arn:aws:iam::012345678901:role/r
source_profile = s
mfa_serial = arn:aws:iam::012345678901:mfa/m
[profile s]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = s
";

#[test]
fn first_signal_ends_mfa_prompt() {
    for (key, code) in [(&b"\x03"[..], 130), (b"\x1c", 131)] {
        let server = account().serve();
        let (keyboard, mut input) = std::io::pipe().unwrap();
        let program = Program::in_shell(IN_A_TERMINAL, &server).stdin(keyboard);
        let running = with_config(program, MFA).start();
        assert!(running.wait_for_stdout("Enter MFA code for "));
        input.write_all(key).unwrap();
        let run = running.finish();
        assert_eq!(run.code, Some(code), "{}", run.describe());
        assert!(run.stdout.contains("\r\nInterrupted"), "{:?}", run.stdout);
        assert_eq!(server.calls().len(), 0);
    }
}

#[test]
fn command_reads_from_terminal() {
    for command in [
        r#"sh -c 'read code; test "$code" = 123456 && cat keys.json'"#,
        r#"sh -c 'echo code? > /dev/tty; read code < /dev/tty; test "$code" = 123456 && cat keys.json'"#,
    ] {
        let server = account().serve();
        let (keyboard, mut input) = std::io::pipe().unwrap();
        input.write_all(b"123456\n").unwrap();
        let program = Program::in_shell(IN_A_TERMINAL, &server).stdin(keyboard);
        let config = format!("[profile p]\ncredential_process = {command}\n");
        let run = with_config(program, &config).run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        assert_eq!(run.csv(), account().csv());
    }
}

/// The processes of the command are in the group of the terminal, and one of them ignores the signal.
#[test]
fn signal_ends_command_that_waits_for_terminal() {
    let server = account().serve();
    for key in [true, false] {
        let (keyboard, mut input) = std::io::pipe().unwrap();
        let program = Program::in_shell(IN_A_TERMINAL, &server).stdin(keyboard);
        let command = r#"sh -c 'exec 3>alive; (trap "" INT TERM; sleep 600; :) & echo $PPID > /dev/tty; read code; wait'"#;
        let config = format!("[profile p]\ncredential_process = {command}\n");
        let program = with_config(program, &config);
        let fifo = program.directory().join("current/alive");
        crate::support::make_fifo(&fifo);
        let running = program.start();
        let mut alive = std::fs::File::open(fifo).unwrap();
        if key {
            input.write_all(b"\x03").unwrap();
        } else {
            running.signal("TERM");
        }
        assert_eq!(std::io::Read::read(&mut alive, &mut [0]).unwrap(), 0);
        let run = running.finish();
        if key {
            assert_eq!(run.code, Some(130), "{}", run.describe());
        }
    }
}
