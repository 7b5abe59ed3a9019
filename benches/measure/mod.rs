//! Measures a process while it runs.

#![allow(dead_code, reason = "each benchmark uses a part of the module")]

use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Reads the peak memory and the CPU time of the process until it ends; the last few milliseconds
/// are not included.
pub fn watch(process: u32) -> JoinHandle<(Option<f64>, Option<Duration>)> {
    thread::spawn(move || {
        let mut last = (None, None);
        while let Some(memory) = peak_memory(process) {
            last = (Some(memory), cpu_time(process).or(last.1));
            thread::sleep(Duration::from_millis(5));
        }
        last
    })
}

/// Returns `VmHWM` of the process in megabytes; `None` if it has ended.
pub fn peak_memory(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

/// Returns the CPU time of the process, with a resolution of 10 ms.
pub fn cpu_time(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may contain blanks.
    let (_, rest) = stat.rsplit_once(") ")?;
    let ticks = |n: usize| rest.split(' ').nth(n)?.parse::<u32>().ok();
    Some(Duration::from_millis(10) * (ticks(11)? + ticks(12)?))
}
