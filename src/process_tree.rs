//! Signals to a command and to the processes that it started.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// A running command. If it leads a process group, the group is signaled; otherwise all its descendants are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProcessTree {
    /// The process ID of the command.
    pub id: u32,
    /// True if the command was started in a process group of its own.
    pub leads_group: bool,
}

/// The processes of a [`ProcessTree`] at one time. The descendants are listed before the first signal, because their
/// parent changes when the command has ended.
#[derive(Debug)]
pub enum Processes {
    /// A process group.
    Group(Pid),
    /// A command and its descendants.
    List(Vec<Pid>),
}

impl ProcessTree {
    /// Lists the processes.
    #[must_use]
    pub fn processes(self) -> Processes {
        match pid(self.id) {
            Some(group) if self.leads_group => Processes::Group(group),
            _ => Processes::List(descendants(self.id)),
        }
    }
}

impl Processes {
    /// Asks the processes to end (SIGTERM).
    pub fn terminate(&self) {
        self.send(Signal::TERM);
    }

    /// Ends the processes (SIGKILL).
    pub fn kill(&self) {
        self.send(Signal::KILL);
    }

    /// Sends a signal; processes that have ended are ignored.
    fn send(&self, signal: Signal) {
        match self {
            Self::Group(group) => drop(kill_process_group(*group, signal)),
            Self::List(list) => {
                for process in list {
                    let _ = kill_process(*process, signal);
                }
            }
        }
    }
}

fn pid(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}

/// Returns the process `id` and all its descendants.
fn descendants(id: u32) -> Vec<Pid> {
    let parents = parents_in_proc().unwrap_or_else(parents_from_ps);
    let mut found = BTreeSet::from([id]);
    loop {
        let before = found.len();
        let children = parents.iter().filter(|(_, parent)| found.contains(parent));
        let children: Vec<u32> = children.map(|(child, _)| *child).collect();
        found.extend(children);
        if found.len() == before {
            return found.into_iter().filter_map(pid).collect();
        }
    }
}

/// Returns all processes with their parents, from `/proc/PID/stat`; `None` if the system has no `/proc`.
fn parents_in_proc() -> Option<Vec<(u32, u32)>> {
    std::fs::metadata("/proc/self/stat").ok()?;
    let entries = std::fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    let parent = |entry: std::fs::DirEntry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name in parentheses may contain anything. The state and the parent follow.
        let (_, rest) = stat.rsplit_once(')')?;
        Some((id, rest.split_whitespace().nth(1)?.parse().ok()?))
    };
    Some(entries.filter_map(parent).collect())
}

/// Returns all processes with their parents, from `ps`, as on macOS.
fn parents_from_ps() -> Vec<(u32, u32)> {
    let mut ps = Command::new("ps");
    ps.args(["-A", "-o", "pid=", "-o", "ppid="]);
    let output = ps.stdin(Stdio::null()).output();
    let text = output.map_or_else(
        |_| String::new(),
        |o| String::from_utf8_lossy(&o.stdout).into(),
    );
    let parent = |line: &str| {
        let (id, parent) = line.trim().split_once(char::is_whitespace)?;
        Some((id.parse().ok()?, parent.trim().parse().ok()?))
    };
    text.lines().filter_map(parent).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::process::CommandExt;

    use super::*;

    /// Starts a shell with two descendants that inherit its stdout and ignore SIGTERM. Returns when all have started.
    fn start(leads_group: bool) -> (std::process::Child, ProcessTree) {
        let mut shell = Command::new("sh");
        let script = "trap '' TERM; sh -c 'sleep 600; :' & echo started; sleep 600; :";
        shell.args(["-c", script]).stdout(Stdio::piped());
        if leads_group {
            shell.process_group(0);
        }
        let mut child = shell.spawn().unwrap();
        let mut line = [0; 8];
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut line)
            .unwrap();
        let id = child.id();
        (child, ProcessTree { id, leads_group })
    }

    #[test]
    fn kill_ends_all_descendants() {
        for leads_group in [true, false] {
            let (mut child, tree) = start(leads_group);
            // Descendants that start later are not in the list.
            while !leads_group && descendants(tree.id).len() < 4 {
                std::thread::yield_now();
            }
            let processes = tree.processes();
            processes.terminate();
            assert!(child.try_wait().unwrap().is_none(), "SIGTERM is ignored");
            processes.kill();
            child.wait().unwrap();
            let mut rest = String::new();
            let stdout = child.stdout.as_mut().unwrap();
            stdout.read_to_string(&mut rest).unwrap();
            assert_eq!(rest, "", "every process has closed stdout");
        }
    }

    #[test]
    fn both_process_lists_have_this_process() {
        let parents = parents_in_proc().unwrap_or_else(parents_from_ps);
        let id = std::process::id();
        assert!(parents.iter().any(|(child, _)| *child == id), "{parents:?}");
        let from_ps = parents_from_ps();
        assert!(from_ps.is_empty() || from_ps.iter().any(|(child, _)| *child == id));
    }
}
