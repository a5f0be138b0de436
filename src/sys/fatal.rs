//! The signals of a crash: a report before the process ends by them. Only the binary asks for it.

use std::{
    cell::Cell,
    ptr,
    sync::atomic::{AtomicBool, AtomicPtr, Ordering},
};

/// The signals that mean a defect.
pub const SIGNALS: [i32; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT];

/// The signal by which a process ends itself.
pub const ABORT: i32 = libc::SIGABRT;

/// Room for a report, whose stack cannot be the one that may have overflowed.
const STACK_BYTES: usize = 1 << 20;
/// A report that hangs, say on a lock of the allocator, ends with the process.
const REPORT_S: u32 = 10;

/// Writes a report about a signal and the address that was accessed.
pub type Report = fn(signal: i32, address: usize);

static REPORT: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static REPORTING: AtomicBool = AtomicBool::new(false);

/// From now on `report` runs before the process ends by one of [`SIGNALS`], on a stack of its own.
pub fn install(report: Report) {
    REPORT.store(report as *mut (), Ordering::Release);
    let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) = handle;
    let stack = Box::leak(vec![0u8; STACK_BYTES].into_boxed_slice());
    // SAFETY: the stack is never freed; the structures are plain data, for which zeros are valid; the handler has the
    // type that SA_SIGINFO asks for.
    unsafe {
        let alternative =
            libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: STACK_BYTES };
        libc::sigaltstack(&alternative, ptr::null_mut());
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as usize;
        // A second fault, inside of the report, ends the process.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESETHAND | libc::SA_NODEFER;
        for signal in SIGNALS {
            libc::sigaction(signal, &action, ptr::null_mut());
        }
    }
}

/// The signals end the process without a report.
pub fn remove() {
    REPORT.store(ptr::null_mut(), Ordering::Release);
    for signal in SIGNALS {
        // SAFETY: the default action needs no handler.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

extern "C" fn handle(signal: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let report = REPORT.load(Ordering::Acquire);
    if !report.is_null() && !REPORTING.swap(true, Ordering::AcqRel) {
        // SAFETY: what is stored is a `Report`; the system hands over a valid `info`; an alarm without a handler ends
        // the process.
        unsafe {
            libc::alarm(REPORT_S);
            let report: Report = std::mem::transmute(report);
            let sent_by_process = (*info).si_code <= 0;
            report(signal, if sent_by_process { 0 } else { (*info).si_addr() as usize });
        }
    }
    end_by(signal);
}

/// Ends the process by a signal.
pub fn end_by(signal: i32) -> ! {
    // SAFETY: these calls take numbers, and are allowed inside of a handler.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal);
        libc::sigprocmask(libc::SIG_UNBLOCK, &set, ptr::null_mut());
        libc::raise(signal);
        libc::_exit(128 + signal)
    }
}

/// The command that a thread runs: its session, its place in the table, and how many arguments it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Running {
    pub session_id: u64,
    pub command: u16,
    pub args: u32,
}

thread_local! {
    static RUNNING: Cell<Option<Running>> = const { Cell::new(None) };
}

/// Notes what this thread runs.
#[inline]
pub fn note(running: Option<Running>) {
    RUNNING.with(|cell| cell.set(running));
}

/// What this thread runs, or ran last.
pub fn noted() -> Option<Running> {
    RUNNING.with(Cell::get)
}

/// Something that a report looks at, wherever it stands.
pub struct Beacon<T>(AtomicPtr<T>);

impl<T> Default for Beacon<T> {
    fn default() -> Beacon<T> {
        Beacon::new()
    }
}

impl<T> Beacon<T> {
    pub const fn new() -> Beacon<T> {
        Beacon(AtomicPtr::new(ptr::null_mut()))
    }

    /// Shows where it stands, until [`Beacon::hide`].
    pub fn show(&self, value: &mut T) {
        self.0.store(value, Ordering::Release);
    }

    pub fn hide(&self) {
        self.0.store(ptr::null_mut(), Ordering::Release);
    }

    /// Looks at it from a report: the process ends right after, and may have been in the middle of a change. The second
    /// look finds nothing.
    pub fn look<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        let value = self.0.swap(ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: it was shown and not hidden, so it stands there; the thread that owns it stands still below this
        // report, and never goes on. Of what it left half done the worst is a fault, by which the process ends.
        (!value.is_null()).then(|| f(unsafe { &mut *value }))
    }
}
