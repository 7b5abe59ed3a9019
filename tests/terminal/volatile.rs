//! Replaces the parts of a screen that differ from run to run.

/// The characters of the bar.
pub const BLOCKS: [char; 2] = ['█', '░'];

/// Replaces the time of each entry of the error log by another one of the same length, and removes the elapsed time
/// after the bar.
pub fn without_times(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        if line.contains(BLOCKS) {
            return without_elapsed_time(line);
        }
        with_fixed_time(line)
    });
    lines.collect()
}

fn with_fixed_time(line: &str) -> String {
    let time = "[2026-11-24T12:00:00.000Z]";
    match line.get(..time.len()) {
        Some(start) if start.starts_with("[20") && start.ends_with("Z]") => {
            format!("{time}{}", &line[time.len()..])
        }
        _ => line.to_owned(),
    }
}

/// Removes the text after `] 16/17`.
fn without_elapsed_time(line: &str) -> String {
    let (bar, figures) = line.split_once("] ").unwrap();
    let figures = figures.split_whitespace().next().unwrap();
    format!("{bar}] {figures}\n")
}
