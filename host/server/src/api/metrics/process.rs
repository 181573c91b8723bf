//! Figures of this process under the names that all exporters use, as far as the system tells them
//! in `/proc`.

use super::exposition::FigureKind::{Counter, Gauge};
use super::exposition::{Exposition, Labels, ScrapedFigure};
use std::fs;

/// The clock of these files, in ticks a second. It is 100 on every system that has them.
const TICK_MS: i64 = 10;
const KIB: u64 = 1024;

/// Adds what can be read; elsewhere these figures are left out.
pub fn add(figures: &mut Exposition) {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (stat, boot) = (read("/proc/self/stat"), read("/proc/stat"));
    if let Some((cpu_ms, started_ms)) = times(&stat, &boot) {
        let help = "Processor time, user and system.";
        let cpu = [(Labels::new(), ScrapedFigure::millis(cpu_ms))];
        figures.add(Counter, "process_cpu_seconds", help, cpu);
        let help = "When the process began, since 1970-01-01.";
        figures.gauge("process_start_time_seconds", help, ScrapedFigure::millis(started_ms));
    }
    let status = read("/proc/self/status");
    for (name, field, help) in [
        ("process_resident_memory_bytes", "VmRSS:", "Memory that is in use."),
        ("process_virtual_memory_bytes", "VmSize:", "Memory that is addressed."),
    ] {
        let size = field_of(&status, field).map(|kib| (Labels::new(), kib.saturating_mul(KIB)));
        if let Some(size) = size {
            figures.add(Gauge, name, help, [size]);
        }
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        figures.gauge("process_open_fds", "Open files and sockets.", open.count() as u64);
    }
    if let Some(most) = field_of(&read("/proc/self/limits"), "Max open files") {
        figures.gauge("process_max_fds", "Files and sockets that may be open.", most);
    }
}

/// The number behind a name at the begin of a line.
fn field_of(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Processor time, and the moment of the start, in milliseconds.
fn times(stat: &str, boot: &str) -> Option<(i64, i64)> {
    // The name of the program stands in brackets, and may hold blanks and brackets itself.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<i64>().ok()?.checked_mul(TICK_MS);
    let boot_ms = i64::try_from(field_of(boot, "btime")?).ok()?.checked_mul(1_000)?;
    Some((ticks(11)?.checked_add(ticks(12)?)?, ticks(19)?.checked_add(boot_ms)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_a_name_with_brackets() {
        // User 150, system 50 and start 4,200, in hundredths of a second.
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 4 0 4200 1 1";
        assert_eq!(times(stat, "cpu 1\nbtime 1000\n"), Some((2_000, 1_042_000)));
        assert_eq!(times("", ""), None);
    }
}
