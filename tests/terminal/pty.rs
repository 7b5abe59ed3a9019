//! A pseudo-terminal, and the screen that it shows.
//!
//! The program gets one end of the pseudo-terminal as stdin, stdout or stderr. A thread reads the other end until the
//! program has closed its end, and keeps the bytes. The test's own thread waits for a state of the screen in
//! [`Session::wait_for`], and for the end of the program and of the thread in [`Session::finish`].

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::screen::Screen;
use crate::support::{Outcome, Program, Running};

/// The streams that are the terminal; the others are pipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    Both,
    Stdout,
    Stderr,
}

/// The output of the program so far.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    is_complete: bool,
}

/// A run of the program in a terminal.
pub struct Session {
    running: Running,
    terminal: OwnedFd,
    columns: u16,
    output: Arc<(Mutex<Output>, Condvar)>,
    reader: JoinHandle<()>,
}

/// Runs the program in a terminal with `columns` columns to its end; returns its result and the screen.
pub fn run(program: Program, columns: u16, streams: Streams) -> (Outcome, Screen) {
    Session::start(program, columns, streams).finish()
}

impl Session {
    /// Starts the program in a terminal with `columns` columns.
    pub fn start(program: Program, columns: u16, streams: Streams) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let terminal = openpt(flags).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        set_columns(&terminal, columns);
        let path = PathBuf::from(ptsname(&terminal, []).unwrap().into_string().unwrap());
        let mut program = program.stdin(open_end(&path));
        if streams != Streams::Stderr {
            program = program.stdout(open_end(&path));
        }
        if streams != Streams::Stdout {
            program = program.stderr(open_end(&path));
        }
        let running = program.start();
        let output = Arc::<(Mutex<Output>, Condvar)>::default();
        let (file, shared) = (File::from(terminal.try_clone().unwrap()), output.clone());
        let reader = thread::spawn(move || read(file, &shared));
        Self {
            running,
            terminal,
            columns,
            output,
            reader,
        }
    }

    /// Changes the width of the terminal.
    pub fn resize(&mut self, columns: u16) {
        set_columns(&self.terminal, columns);
        self.columns = columns;
    }

    /// Sends the signal `name`, such as `INT`.
    pub fn signal(&self, name: &str) {
        self.running.signal(name);
    }

    /// Waits until the screen is as `is_shown` expects. The program is killed after a minute; the screen is then
    /// returned as it is.
    pub fn wait_for(&self, is_shown: impl Fn(&Screen) -> bool) -> Screen {
        let (output, changed) = &*self.output;
        let mut output = output.lock().unwrap();
        loop {
            let screen = Screen::new(&output.bytes, self.columns);
            if is_shown(&screen) || output.is_complete {
                return screen;
            }
            output = changed.wait(output).unwrap();
        }
    }

    /// Waits for the end of the program.
    pub fn finish(self) -> (Outcome, Screen) {
        let outcome = self.running.finish();
        self.reader.join().unwrap();
        let output = self.output.0.lock().unwrap();
        (outcome, Screen::new(&output.bytes, self.columns))
    }
}

fn set_columns(terminal: &OwnedFd, columns: u16) {
    let size = Winsize {
        ws_row: 50,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).unwrap();
}

/// Opens the program's end of a terminal, which does not become the terminal of the test.
fn open_end(path: &PathBuf) -> File {
    let no_controlling_terminal = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options.custom_flags(no_controlling_terminal);
    options.open(path).unwrap()
}

/// Reads the output until no process has the program's end; the last read is then an error on Linux.
fn read(mut terminal: File, output: &(Mutex<Output>, Condvar)) {
    let mut buffer = [0; 4096];
    loop {
        let n = terminal.read(&mut buffer).unwrap_or(0);
        let mut read = output.0.lock().unwrap();
        read.bytes.extend(&buffer[..n]);
        read.is_complete = n == 0;
        output.1.notify_all();
        if read.is_complete {
            return;
        }
    }
}
