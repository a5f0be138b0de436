//! What the operating system tells of this process, for INFO.

use std::fs;

/// Asks the operating system. The engine is handed one, since it does no I/O itself.
pub type Probe = fn() -> Process;

/// The process as the operating system sees it; the default tells nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Process {
    /// Name, release and machine of the operating system.
    pub os: String,
    /// Memory that is resident, in bytes.
    pub rss_bytes: usize,
    /// Memory of the machine, in bytes.
    pub system_bytes: usize,
    pub cpu_user_us: u64,
    pub cpu_system_us: u64,
    /// Of the thread that asks alone.
    pub thread_user_us: u64,
    pub thread_system_us: u64,
}

/// Reads it, from `/proc` where there is one; elsewhere figures are 0.
pub fn read() -> Process {
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    let release = text("/proc/sys/kernel/osrelease");
    let name = if cfg!(target_os = "linux") { "Linux" } else { std::env::consts::OS };
    let (cpu_user_us, cpu_system_us) = cpu_us(&text("/proc/self/stat"));
    let (thread_user_us, thread_system_us) = cpu_us(&text("/proc/thread-self/stat"));
    Process {
        os: format!("{name} {} {}", release.trim(), std::env::consts::ARCH),
        rss_bytes: field_bytes(&text("/proc/self/status"), "VmRSS:"),
        system_bytes: field_bytes(&text("/proc/meminfo"), "MemTotal:"),
        cpu_user_us,
        cpu_system_us,
        thread_user_us,
        thread_system_us,
    }
}

/// Ends the process by the signal of a broken access to memory.
pub fn end_by_segv() -> ! {
    loop {
        // The language's runtime takes the first for a stack that overflowed, and restores what the system does.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::SEGV);
    }
}

/// The number of a group, from its name or as it is.
pub fn group_id(name: &str) -> Option<u32> {
    let text = fs::read_to_string("/etc/group").unwrap_or_default();
    let id = |line: &str| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
    };
    text.lines().find_map(id).or_else(|| name.parse().ok())
}

/// A line such as `VmRSS:  6064 kB`, in bytes.
fn field_bytes(text: &str, name: &str) -> usize {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).unwrap_or(0) * 1024
}

/// User and system time of `/proc/self/stat`, whose fields 14 and 15 count hundredths of seconds.
fn cpu_us(stat: &str) -> (u64, u64) {
    const TICK_US: u64 = 10_000;
    // The name in field 2 may hold spaces, but it ends with the last parenthesis.
    let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11);
    let mut next = || fields.next().and_then(|field| field.parse::<u64>().ok()).unwrap_or(0) * TICK_US;
    (next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_their_lines() {
        assert_eq!(field_bytes("VmPeak:\t  9 kB\nVmRSS:\t  6064 kB\n", "VmRSS:"), 6064 * 1024);
        assert_eq!(field_bytes("", "VmRSS:"), 0);
        assert_eq!(cpu_us("5 (a ) b) S 1 1 1 0 -1 4 1 0 0 0 12 34 0 0 20"), (120_000, 340_000));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory() {
        let process = read();
        assert!(process.rss_bytes > 0 && process.system_bytes > process.rss_bytes);
        assert!(process.os.starts_with("Linux "));
    }
}
