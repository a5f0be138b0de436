//! Scripts: those that are known, and the one that runs.

#[cfg(feature = "scripting")]
mod cache;
#[cfg(feature = "scripting")]
mod libraries;

#[cfg(feature = "scripting")]
pub use cache::{Cache, Cached, Digest};
#[cfg(feature = "scripting")]
pub use libraries::{Callable, Libraries, Library, NAME_RULE, Policy, forget, load};

use crate::resp::{error::CmdError, request::OwnedArgs};
#[cfg(feature = "scripting")]
use crate::{base::hash::Seed, script::RANDOM_START};

/// A script or function that runs.
#[derive(Default, Debug)]
pub struct Running {
    /// It is a script and no function.
    pub is_script: bool,
    /// The digest of a script, the name of a function: known once it has run long, as is the command that called it.
    pub name: String,
    pub command: OwnedArgs,
    /// Ticks, and Unix time in microseconds, when it began.
    pub began_ns: u64,
    pub began_us: i64,
    /// How often it was interrupted: what it took where the clock stands still.
    pub interrupts: u64,
    /// It called a command that writes.
    pub has_written: bool,
    /// It is to end.
    pub is_killed: bool,
    /// It has run so long that other clients are served meanwhile.
    pub is_long: bool,
}

impl Running {
    /// How long it has run, in milliseconds. Each interrupt stands for one where the clock stands still.
    pub fn duration_ms(&self, now_ns: u64, is_virtual: bool) -> u64 {
        if is_virtual { self.interrupts } else { now_ns.saturating_sub(self.began_ns) / 1_000_000 }
    }

    /// What others are answered while it runs long.
    pub fn busy(&self) -> CmdError {
        CmdError::new(if self.is_script {
            "BUSY Valkey is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
        } else {
            "BUSY Valkey is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
        })
    }
}

/// What INFO and MEMORY show of scripts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    pub scripts: usize,
    pub functions: usize,
    pub libraries: usize,
    /// Scripts that gave way to others.
    pub evicted: u64,
    /// Memory of the states in which scripts and functions run, in bytes.
    pub script_state_bytes: usize,
    pub function_state_bytes: usize,
    /// Memory of the scripts and functions as they are kept beside, in bytes.
    pub script_bytes: usize,
    pub function_bytes: usize,
}

impl Figures {
    /// Memory of both states, in bytes.
    pub fn state_bytes(&self) -> usize {
        self.script_state_bytes + self.function_state_bytes
    }

    /// Memory of what is kept beside them, in bytes.
    pub fn bytes(&self) -> usize {
        self.script_bytes + self.function_bytes
    }
}

/// All that a server knows of scripts.
pub struct Scripts {
    /// The script that runs.
    pub running: Option<Running>,
    /// DEBUG SET-DISABLE-DENY-SCRIPTS: scripts may call what is not made for them.
    pub may_call_all: bool,
    #[cfg(feature = "scripting")]
    pub cache: Cache,
    /// The state of `math.random`.
    #[cfg(feature = "scripting")]
    pub random: u64,
    #[cfg(feature = "scripting")]
    pub libraries: Libraries,
}

#[cfg(feature = "scripting")]
impl Scripts {
    /// No scripts.
    pub fn new(seed: Seed) -> Scripts {
        Scripts {
            running: None,
            may_call_all: false,
            cache: Cache::new(seed),
            random: RANDOM_START,
            libraries: Libraries::new(seed),
        }
    }

    /// What there is now.
    pub fn figures(&self) -> Figures {
        let Scripts { cache, libraries, .. } = self;
        Figures {
            scripts: cache.len(),
            functions: libraries.functions_len(),
            libraries: libraries.len(),
            evicted: cache.evicted,
            script_state_bytes: cache.state_bytes(),
            function_state_bytes: libraries.state_bytes(),
            script_bytes: cache.mem_bytes(),
            function_bytes: libraries.mem_bytes(),
        }
    }
}

#[cfg(feature = "scripting")]
impl Scripts {
    /// Sets back what CONFIG RESETSTAT does.
    pub fn reset_counters(&mut self) {
        self.cache.evicted = 0;
    }
}

#[cfg(not(feature = "scripting"))]
impl Scripts {
    /// There is nothing to be set back.
    pub fn reset_counters(&mut self) {}

    /// No scripts.
    pub fn new(_: crate::base::hash::Seed) -> Scripts {
        Scripts { running: None, may_call_all: false }
    }

    /// Nothing at all.
    pub fn figures(&self) -> Figures {
        Figures::default()
    }
}

impl Scripts {
    /// Memory of what is kept beside the states, in bytes.
    pub fn mem_bytes(&self) -> usize {
        self.figures().bytes()
    }
}
