//! What a process does to itself: goes into the background, shows another title, keeps to some processors.

use std::{fs, io, ptr, slice};

/// Goes on in a child without a terminal, whose standard streams are `/dev/null`; the parent ends. Only before the
/// first thread is started.
pub fn daemonize() -> io::Result<()> {
    let null = fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    // SAFETY: the process has one thread, so that the child is a whole copy of it.
    match unsafe { libc::fork() } {
        -1 => return Err(io::Error::last_os_error()),
        0 => {}
        // SAFETY: ends the parent without what its end would do twice.
        _ => unsafe { libc::_exit(0) },
    }
    rustix::process::setsid()?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

/// The memory in which the system finds the arguments and the environment of this process.
pub struct Title {
    start: usize,
    len: usize,
}

impl Title {
    /// Makes that memory free to be written, by moving the environment out of it. `None` where the system does not say
    /// where it is. Only before the first thread is started; the arguments cannot be read any more after [`Title::set`].
    pub fn claim() -> Option<Title> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // The name in field 2 may hold spaces, but it ends with the last parenthesis. Field 48 is where arguments
        // start, field 51 where the environment ends.
        let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        let at = |field: usize| fields.get(field - 3)?.parse::<usize>().ok();
        let (start, args_end, env_start, end) = (at(48)?, at(49)?, at(50)?, at(51)?);
        if start == 0 || args_end < start {
            return None;
        }
        for (name, value) in std::env::vars_os() {
            // SAFETY: no other thread reads or writes the environment.
            unsafe { std::env::set_var(name, value) };
        }
        let end = if env_start == args_end && end > args_end { end } else { args_end };
        Some(Title { start, len: end - start })
    }

    /// Shows a title in the list of processes, as much as there is room for.
    pub fn set(&self, title: &str) {
        // SAFETY: the system keeps the arguments and the environment in this part of the stack for as long as the
        // process lives; nothing refers to it since the environment was moved.
        let memory = unsafe {
            slice::from_raw_parts_mut(ptr::with_exposed_provenance_mut::<u8>(self.start), self.len)
        };
        memory.fill(0);
        // A zero ends it.
        let len = title.len().min(self.len.saturating_sub(1));
        memory[..len].copy_from_slice(&title.as_bytes()[..len]);
    }
}

/// Keeps the process to the processors of a list such as `0,2-5,8-20:4`. An error where it is none, or not possible.
pub fn set_affinity(list: &str) -> io::Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    for cpu in parse_cpus(list).ok_or(io::ErrorKind::InvalidInput)? {
        set.set(cpu);
    }
    Ok(rustix::thread::sched_setaffinity(None, &set)?)
}

fn parse_cpus(list: &str) -> Option<Vec<usize>> {
    let mut cpus = Vec::new();
    for part in list.split(',') {
        let (range, step) = part.split_once(':').unwrap_or((part, "1"));
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let number = |text: &str| text.trim().parse::<usize>().ok();
        let (first, last, step) = (number(first)?, number(last)?, number(step)?);
        if step == 0 || first > last || last >= rustix::thread::CpuSet::MAX_CPU {
            return None;
        }
        cpus.extend((first..=last).step_by(step));
    }
    Some(cpus)
}

/// Has the system give this process no huge pages, which make the copies of a snapshot expensive.
pub fn disable_huge_pages() -> io::Result<()> {
    // SAFETY: this option takes numbers.
    match unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A moment as the clock on the wall shows it here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocalTime {
    pub year: i32,
    /// From 0.
    pub month: usize,
    pub day: i32,
    pub hour: i32,
    pub minute: i32,
    pub second: i32,
    /// East of Greenwich.
    pub offset_s: i64,
}

/// The time on the wall of a moment in seconds since 1970.
pub fn local_time(seconds: i64) -> LocalTime {
    // SAFETY: the structure is plain data, for which zeros are valid, and filled in by the call.
    let tm = unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        libc::localtime_r(&(seconds as libc::time_t), &mut tm);
        tm
    };
    LocalTime {
        year: tm.tm_year + 1900,
        month: tm.tm_mon.clamp(0, 11) as usize,
        day: tm.tm_mday,
        hour: tm.tm_hour,
        minute: tm.tm_min,
        second: tm.tm_sec,
        offset_s: tm.tm_gmtoff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_processors() {
        assert_eq!(parse_cpus("0,2-4"), Some(vec![0, 2, 3, 4]));
        assert_eq!(parse_cpus("8-20:4"), Some(vec![8, 12, 16, 20]));
        for wrong in ["", "a", "3-1", "0-4:0", "0-99999999999", "1-"] {
            assert_eq!(parse_cpus(wrong), None, "{wrong}");
        }
    }
}
