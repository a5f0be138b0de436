//! What the operating system tells of this process, for INFO.

use std::fs;

/// How to ask the operating system. The engine is handed it, since it does no I/O itself; the default tells nothing.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    pub process: fn() -> Process,
    pub cpu: fn() -> Cpu,
}

impl Default for Probe {
    fn default() -> Probe {
        Probe { process: Process::default, cpu: Cpu::default }
    }
}

impl Probe {
    /// What asks the system that the process runs on.
    pub const SYSTEM: Probe = Probe { process: read_process, cpu: read_cpu };
}

/// The process as the operating system sees it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Process {
    /// Name, release and machine of the operating system.
    pub os: String,
    /// Memory that is resident, in bytes.
    pub rss_bytes: usize,
    /// Memory of the machine, in bytes.
    pub system_bytes: usize,
}

/// The processor's time that was used, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cpu {
    pub user_us: u64,
    pub system_us: u64,
    /// Of the thread that asks alone.
    pub thread_user_us: u64,
    pub thread_system_us: u64,
}

fn read_process() -> Process {
    let name = rustix::system::uname();
    let [sysname, release, machine] =
        [name.sysname(), name.release(), name.machine()].map(|text| text.to_string_lossy().into_owned());
    Process {
        os: format!("{sysname} {release} {machine}"),
        rss_bytes: resident_pages(&text("/proc/self/statm")) * rustix::param::page_size(),
        system_bytes: machine_bytes(),
    }
}

fn read_cpu() -> Cpu {
    let (user_us, system_us) = cpu_us(&text("/proc/self/stat"));
    let (thread_user_us, thread_system_us) = cpu_us(&text("/proc/thread-self/stat"));
    Cpu { user_us, system_us, thread_user_us, thread_system_us }
}

/// A file's text; nothing where there is none, and figures then are 0.
fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn machine_bytes() -> usize {
    let info = rustix::system::sysinfo();
    (info.totalram as usize).saturating_mul(info.mem_unit as usize)
}

#[cfg(not(target_os = "linux"))]
fn machine_bytes() -> usize {
    0
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

/// The second field of `/proc/self/statm`.
fn resident_pages(statm: &str) -> usize {
    statm.split_whitespace().nth(1).and_then(|field| field.parse().ok()).unwrap_or(0)
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
        assert_eq!(resident_pages("3280 1516 1200 200 0 500 0"), 1516);
        assert_eq!(resident_pages(""), 0);
        assert_eq!(cpu_us("5 (a ) b) S 1 1 1 0 -1 4 1 0 0 0 12 34 0 0 20"), (120_000, 340_000));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory() {
        let process = read_process();
        assert!(process.rss_bytes > 0 && process.system_bytes > process.rss_bytes);
        assert!(process.os.starts_with("Linux "));
    }
}
