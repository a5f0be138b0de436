//! What the operating system tells of this process, for INFO.

use std::fs;

/// How to ask the operating system. The engine is handed it, since it does no I/O itself; the default tells nothing.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    pub machine: fn() -> Machine,
    /// Memory of the process that is resident, in bytes.
    pub rss_bytes: fn() -> usize,
    pub cpu: fn() -> Cpu,
}

impl Default for Probe {
    fn default() -> Probe {
        Probe { machine: Machine::default, rss_bytes: || 0, cpu: Cpu::default }
    }
}

impl Probe {
    /// What asks the system that the process runs on.
    pub const SYSTEM: Probe = Probe { machine: read_machine, rss_bytes: read_rss_bytes, cpu: read_cpu };
}

/// What the process runs on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Machine {
    /// Name, release and machine of the operating system.
    pub os: String,
    pub memory_bytes: usize,
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

fn read_machine() -> Machine {
    let name = rustix::system::uname();
    let [sysname, release, machine] =
        [name.sysname(), name.release(), name.machine()].map(|text| text.to_string_lossy().into_owned());
    Machine { os: format!("{sysname} {release} {machine}"), memory_bytes: machine_bytes() }
}

/// Nothing where the system has no such file.
fn read_rss_bytes() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    // SAFETY: the call takes a number and answers one.
    let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    resident_pages(&statm) * usize::try_from(page_bytes).unwrap_or(0)
}

#[cfg(target_os = "linux")]
const OWN_THREAD: libc::c_int = libc::RUSAGE_THREAD;
/// Where the system does not tell it of one thread: all of them, of which there is one.
#[cfg(not(target_os = "linux"))]
const OWN_THREAD: libc::c_int = libc::RUSAGE_SELF;

fn read_cpu() -> Cpu {
    let (user_us, system_us) = used_cpu_us(libc::RUSAGE_SELF);
    let (thread_user_us, thread_system_us) = used_cpu_us(OWN_THREAD);
    Cpu { user_us, system_us, thread_user_us, thread_system_us }
}

/// The time that the process or one thread of it used for itself, and that the system used for it.
fn used_cpu_us(who: libc::c_int) -> (u64, u64) {
    // SAFETY: the structure is plain data, for which zeros are valid, and the call writes to nothing else.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(who, &mut usage);
        usage
    };
    let us = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    (us(usage.ru_utime), us(usage.ru_stime))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resident_pages_are_read_from_their_line() {
        assert_eq!(resident_pages("3280 1516 1200 200 0 500 0"), 1516);
        assert_eq!(resident_pages(""), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory_and_used_time() {
        let (machine, rss_bytes) = (read_machine(), read_rss_bytes());
        assert!(rss_bytes > 0 && machine.memory_bytes > rss_bytes);
        assert!(machine.os.starts_with("Linux "));
        let (thread, process) = (used_cpu_us(OWN_THREAD), used_cpu_us(libc::RUSAGE_SELF));
        assert!(process.0 + process.1 >= thread.0 + thread.1);
    }
}
