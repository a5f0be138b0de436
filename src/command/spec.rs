//! What a command declares of itself: one value from which dispatch, gates, COMMAND, help and documentation derive.

use super::{
    ctx::{Ctx, Flow},
    keys::Keys,
};
use crate::{
    resp::{error::CmdError, request::Args},
    state::State,
};

/// A command's code: reads `ctx.args`, writes its reply to `ctx.session.out`. On `Err` nothing must have been written.
pub type Handler = fn(&mut Ctx<'_>) -> Result<Flow, CmdError>;

/// Finds the places of a command's keys where they, or what it does to them, depend on other arguments; `None` where
/// the arguments do not fit.
pub type KeyFinder = fn(Args<'_>) -> Option<Keys>;

/// The flags of one call, where they depend on what it runs; `None`: those of the command.
pub type CallFlags = fn(&State, Args<'_>) -> Option<Flags>;

/// Which arguments of a call are secrets, in rising order: MONITOR and the logs do not show them.
pub type Secrets = fn(Args<'_>) -> Vec<usize>;

/// A set of bits with names, in the order in which COMMAND INFO lists them.
macro_rules! bits {
    ($(#[$doc:meta])* $type:ident, $repr:ty, { $($name:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct $type(pub $repr);

        impl $type {
            const TEXTS: &'static [&'static str] = &[$($text),*];
            $(
                #[doc = concat!("`", $text, "`")]
                pub const $name: $type = $type(1 << $crate::command::spec::position(Self::TEXTS, $text));
            )*
            const NAMES: &'static [(&'static str, $type)] = &[$(($text, $type::$name)),*];

            /// All bits with their names.
            pub fn all() -> impl Iterator<Item = (&'static str, $type)> {
                Self::NAMES.iter().copied()
            }

            /// The names of the bits that are set.
            pub fn names(self) -> impl Iterator<Item = &'static str> + Clone {
                Self::NAMES.iter().filter(move |(_, bit)| self.has(*bit)).map(|(name, _)| *name)
            }
        }
        $crate::command::spec::set_operations!($type);
    };
}

/// Where `wanted` stands in `texts`, at compile time.
const fn position(texts: &[&str], wanted: &str) -> usize {
    let mut at = 0;
    loop {
        let (text, wanted) = (texts[at].as_bytes(), wanted.as_bytes());
        let mut same = 0;
        while same < text.len() && same < wanted.len() && text[same] == wanted[same] {
            same += 1;
        }
        if same == text.len() && same == wanted.len() {
            return at;
        }
        at += 1;
    }
}

macro_rules! set_operations {
    ($type:ident) => {
        impl $type {
            /// No bit set.
            pub const NONE: $type = $type(0);

            /// Whether any bit of `other` is set.
            #[inline]
            pub const fn has(self, other: $type) -> bool {
                self.0 & other.0 != 0
            }

            /// The bits of both.
            pub const fn or(self, other: $type) -> $type {
                $type(self.0 | other.0)
            }
        }
    };
}
pub(crate) use set_operations;

mod flags {
    bits! {
        /// What a command does and where it may run. Source: <https://valkey.io/commands/command/#flags>.
        Flags, u32, {
            WRITE = "write", READONLY = "readonly", DENYOOM = "denyoom", MODULE = "module", ADMIN = "admin",
            PUBSUB = "pubsub", NOSCRIPT = "noscript", BLOCKING = "blocking", LOADING = "loading", STALE = "stale",
            SKIP_MONITOR = "skip_monitor", SKIP_COMMANDLOG = "skip_commandlog", ASKING = "asking", FAST = "fast",
            NO_AUTH = "no_auth", MAY_REPLICATE = "may_replicate", NO_MANDATORY_KEYS = "no_mandatory_keys",
            PROTECTED = "protected", NO_ASYNC_LOADING = "no_async_loading", NO_MULTI = "no_multi",
            MOVABLEKEYS = "movablekeys", ALLOW_BUSY = "allow_busy", TOUCHES_ARBITRARY_KEYS = "touches_arbitrary_keys",
        }
    }
}
pub use flags::Flags;

mod categories {
    bits! {
        /// ACL categories, as COMMAND INFO and ACL CAT name them. Source: <https://valkey.io/topics/acl/>.
        Categories, u32, {
            KEYSPACE = "@keyspace", READ = "@read", WRITE = "@write", SET = "@set", SORTEDSET = "@sortedset",
            LIST = "@list", HASH = "@hash", STRING = "@string", BITMAP = "@bitmap", HYPERLOGLOG = "@hyperloglog",
            GEO = "@geo", STREAM = "@stream", PUBSUB = "@pubsub", ADMIN = "@admin", FAST = "@fast", SLOW = "@slow",
            BLOCKING = "@blocking", DANGEROUS = "@dangerous", CONNECTION = "@connection",
            TRANSACTION = "@transaction", SCRIPTING = "@scripting",
        }
    }
}
pub use categories::Categories;

mod key_flags {
    bits! {
        /// What a command does to the keys of one [`KeySpec`](super::KeySpec). Source: <https://valkey.io/topics/key-specs/>.
        KeyFlags, u16, {
            RO = "RO", RW = "RW", OW = "OW", RM = "RM", ACCESS = "access", UPDATE = "update", INSERT = "insert",
            DELETE = "delete", NOT_KEY = "not_key", INCOMPLETE = "incomplete", VARIABLE_FLAGS = "variable_flags",
        }
    }
}
pub use key_flags::KeyFlags;

mod arg_flags {
    bits! {
        /// How often an argument may stand. Source: <https://valkey.io/topics/command-arguments/>.
        ArgFlags, u8, {
            OPTIONAL = "optional", MULTIPLE = "multiple", MULTIPLE_TOKEN = "multiple_token",
        }
    }
}
pub use arg_flags::ArgFlags;

mod behaviour {
    bits! {
        /// Where the engine treats a command unlike others. COMMAND INFO does not show it.
        Behaviour, u16, {
            IN_MULTI_AT_ONCE = "in_multi_at_once", WHILE_SUBSCRIBED = "while_subscribed",
            ABORTS_TRANSACTION = "aborts_transaction", SYSTEM = "system",
            ALWAYS_HEARD = "always_heard", RUNS_QUEUE = "runs_queue",
            RUNS_PROGRAM = "runs_program", KEEPS_CACHING = "keeps_caching",
        }
    }
}
pub use behaviour::Behaviour;

/// Where the search for a command's keys begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BeginSearch {
    /// At this argument.
    Index(u16),
    /// Behind this word, looked for from `start_from` on (from the end backwards when negative).
    Keyword(&'static str, i16),
    /// Keys cannot be described.
    Unknown,
}

/// How the keys follow from where the search began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FindKeys {
    /// `last` relative to the beginning (negative: from the end), every `step`, the rest divided by `limit`.
    Range { last: i16, step: u16, limit: u16 },
    /// A count at `count_at` behind the beginning, the first key at `first`, every `step`.
    KeyNum { count_at: u16, first: u16, step: u16 },
    /// Keys cannot be described.
    Unknown,
}

/// One group of keys among a command's arguments. Source: <https://valkey.io/topics/key-specs/>.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    pub flags: KeyFlags,
    pub begin: BeginSearch,
    pub find: FindKeys,
    pub notes: &'static str,
}

impl KeySpec {
    /// Keys from argument `first` to `last` (negative: from the end), every `step`.
    pub const fn range(flags: KeyFlags, first: u16, last: i16, step: u16) -> KeySpec {
        let last = if last >= 0 { last - first as i16 } else { last };
        KeySpec {
            flags,
            begin: BeginSearch::Index(first),
            find: FindKeys::Range { last, step, limit: 0 },
            notes: "",
        }
    }

    /// Keys that a count at argument `at` announces.
    pub const fn counted(flags: KeyFlags, at: u16) -> KeySpec {
        KeySpec::counted_by(flags, at, 1)
    }

    /// The same with a key every `step`.
    pub const fn counted_by(flags: KeyFlags, at: u16, step: u16) -> KeySpec {
        KeySpec {
            flags,
            begin: BeginSearch::Index(at),
            find: FindKeys::KeyNum { count_at: 0, first: 1, step },
            notes: "",
        }
    }

    /// The same with a remark.
    pub const fn notes(mut self, notes: &'static str) -> KeySpec {
        self.notes = notes;
        self
    }
}

/// Which arguments name channels that a call publishes to or subscribes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channels {
    None,
    /// The first one.
    First,
    /// All.
    All,
    /// All, and they are patterns.
    Patterns,
}

/// The family under which documentation lists a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    Generic,
    String,
    List,
    Set,
    SortedSet,
    Hash,
    PubSub,
    Transactions,
    Connection,
    Server,
    Scripting,
    HyperLogLog,
    Cluster,
    Geo,
    Stream,
    Bitmap,
}

impl Group {
    /// The name in COMMAND DOCS.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::List => "list",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Hash => "hash",
            Group::PubSub => "pubsub",
            Group::Transactions => "transactions",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Scripting => "scripting",
            Group::HyperLogLog => "hyperloglog",
            Group::Cluster => "cluster",
            Group::Geo => "geo",
            Group::Stream => "stream",
            Group::Bitmap => "bitmap",
        }
    }
}

/// The kind of an argument in COMMAND DOCS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgKind {
    String,
    Integer,
    Double,
    Key(u8),
    Pattern,
    /// A pattern of keys of this key spec.
    KeyPattern(u8),
    UnixTime,
    PureToken,
    OneOf(&'static [Arg]),
    Block(&'static [Arg]),
}

/// An argument as COMMAND DOCS describes it. Source: <https://valkey.io/topics/command-arguments/>.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arg {
    pub name: &'static str,
    pub kind: ArgKind,
    pub token: Option<&'static str>,
    pub since: Option<&'static str>,
    pub summary: Option<&'static str>,
    pub display: Option<&'static str>,
    /// Since when it is deprecated.
    pub deprecated: Option<&'static str>,
    pub flags: ArgFlags,
}

impl Arg {
    /// An argument that stands once, without a token.
    pub const fn new(name: &'static str, kind: ArgKind) -> Arg {
        Arg {
            name,
            kind,
            token: None,
            since: None,
            summary: None,
            display: None,
            deprecated: None,
            flags: ArgFlags::NONE,
        }
    }

    /// A key of key spec number `spec`.
    pub const fn key(name: &'static str, spec: u8) -> Arg {
        Arg::new(name, ArgKind::Key(spec))
    }

    /// A word that stands for itself.
    pub const fn word(name: &'static str, token: &'static str) -> Arg {
        Arg::new(name, ArgKind::PureToken).token(token)
    }

    /// The word before the argument.
    pub const fn token(mut self, token: &'static str) -> Arg {
        self.token = Some(token);
        self
    }

    /// The version that brought it.
    pub const fn since(mut self, since: &'static str) -> Arg {
        self.since = Some(since);
        self
    }

    /// What it does.
    pub const fn summary(mut self, summary: &'static str) -> Arg {
        self.summary = Some(summary);
        self
    }

    /// The text shown in its place.
    pub const fn display(mut self, display: &'static str) -> Arg {
        self.display = Some(display);
        self
    }

    /// The version from which on it should not be used.
    pub const fn deprecated(mut self, since: &'static str) -> Arg {
        self.deprecated = Some(since);
        self
    }

    /// It may be left out.
    pub const fn optional(mut self) -> Arg {
        self.flags = self.flags.or(ArgFlags::OPTIONAL);
        self
    }

    /// It may stand several times.
    pub const fn multiple(mut self) -> Arg {
        self.flags = self.flags.or(ArgFlags::MULTIPLE);
        self
    }

    /// It may stand several times, each with its token.
    pub const fn multiple_token(mut self) -> Arg {
        self.flags = self.flags.or(ArgFlags::MULTIPLE).or(ArgFlags::MULTIPLE_TOKEN);
        self
    }
}

/// A command: everything that is known of it, beside its handler.
#[derive(Clone, Copy)]
pub struct CommandSpec {
    /// In lower case.
    pub name: &'static str,
    /// Arguments with the name; negative: at least so many.
    pub arity: i16,
    pub handler: Handler,
    pub flags: Flags,
    pub behaviour: Behaviour,
    pub categories: Categories,
    pub keys: &'static [KeySpec],
    /// Says more than `keys` for a given call.
    pub key_finder: Option<KeyFinder>,
    pub call_flags: Option<CallFlags>,
    pub channels: Channels,
    pub group: Group,
    pub since: &'static str,
    pub summary: &'static str,
    pub complexity: &'static str,
    pub args: &'static [Arg],
    pub history: &'static [(&'static str, &'static str)],
    pub tips: &'static [&'static str],
    /// Since when it is deprecated, and what replaces it.
    pub deprecated: Option<(&'static str, &'static str)>,
    pub subcommands: &'static [CommandSpec],
    pub secrets: Option<Secrets>,
}

impl CommandSpec {
    /// A command of `group` without keys; the rest is added by the methods below.
    pub const fn new(name: &'static str, arity: i16, group: Group, handler: Handler) -> CommandSpec {
        CommandSpec {
            name,
            arity,
            handler,
            flags: Flags::NONE,
            behaviour: Behaviour::NONE,
            categories: Categories::NONE,
            keys: &[],
            key_finder: None,
            call_flags: None,
            channels: Channels::None,
            group,
            since: "1.0.0",
            summary: "",
            complexity: "",
            args: &[],
            history: &[],
            tips: &[],
            deprecated: None,
            subcommands: &[],
            secrets: None,
        }
    }

    /// A command that only holds subcommands.
    pub const fn container(
        name: &'static str,
        group: Group,
        subcommands: &'static [CommandSpec],
    ) -> CommandSpec {
        let mut spec = CommandSpec::new(name, -2, group, no_subcommand);
        spec.subcommands = subcommands;
        spec
    }

    /// Adds flags, and with them the categories that they imply.
    pub const fn flags(mut self, flags: &[Flags]) -> CommandSpec {
        let mut i = 0;
        while i < flags.len() {
            self.flags = self.flags.or(flags[i]);
            i += 1;
        }
        self
    }

    /// It reads no keys itself: what it runs does, which may say of itself what it does.
    pub const fn runs_program(mut self, flags: CallFlags) -> CommandSpec {
        self.behaviour = self.behaviour.or(Behaviour::RUNS_PROGRAM);
        self.call_flags = Some(flags);
        self
    }

    /// The flags of one call.
    pub fn flags_of(&self, state: &State, args: Args<'_>) -> Flags {
        self.call_flags.and_then(|flags| flags(state, args)).unwrap_or(self.flags)
    }

    /// What CLIENT CACHING said is for the command after its subcommands.
    pub const fn keeps_caching(mut self) -> CommandSpec {
        self.behaviour = self.behaviour.or(Behaviour::KEEPS_CACHING);
        self
    }

    /// Between MULTI and EXEC it runs at once instead of being queued.
    pub const fn in_multi_at_once(mut self) -> CommandSpec {
        self.behaviour = self.behaviour.or(Behaviour::IN_MULTI_AT_ONCE);
        self
    }

    /// RESP2 clients may call it in subscribed mode.
    pub const fn while_subscribed(mut self) -> CommandSpec {
        self.behaviour = self.behaviour.or(Behaviour::WHILE_SUBSCRIBED);
        self
    }

    /// Servers and their tests call it, not their users: COMMAND DOCS marks it `syscmd`.
    pub const fn system(mut self) -> CommandSpec {
        self.behaviour = self.behaviour.or(Behaviour::SYSTEM);
        self
    }

    /// Its replies are sent though CLIENT REPLY is off.
    pub const fn always_heard(mut self) -> CommandSpec {
        self.behaviour = self.behaviour.or(Behaviour::ALWAYS_HEARD);
        self
    }

    /// What it does is what the queued commands do: their flags count beside its own.
    pub const fn runs_queue(mut self) -> CommandSpec {
        self.behaviour = self.behaviour.or(Behaviour::RUNS_QUEUE);
        self
    }

    /// A call that is refused ends the transaction instead of only breaking it.
    pub const fn aborts_transaction(mut self) -> CommandSpec {
        self.behaviour = self.behaviour.or(Behaviour::ABORTS_TRANSACTION);
        self
    }

    /// Which arguments are secrets.
    pub const fn secrets(mut self, secrets: Secrets) -> CommandSpec {
        self.secrets = Some(secrets);
        self
    }

    /// Adds ACL categories beyond those that flags imply.
    pub const fn acl(mut self, categories: &[Categories]) -> CommandSpec {
        let mut i = 0;
        while i < categories.len() {
            self.categories = self.categories.or(categories[i]);
            i += 1;
        }
        self
    }

    /// Subcommands beside a form of its own.
    pub const fn subcommands(mut self, subcommands: &'static [CommandSpec]) -> CommandSpec {
        self.subcommands = subcommands;
        self
    }

    /// Where its keys stand.
    pub const fn keys(mut self, keys: &'static [KeySpec]) -> CommandSpec {
        self.keys = keys;
        self
    }

    /// How to find its keys where `keys` cannot say it all.
    pub const fn find_keys(mut self, finder: KeyFinder) -> CommandSpec {
        self.key_finder = Some(finder);
        self
    }

    /// Which arguments name channels that it publishes to or subscribes to.
    pub const fn channels(mut self, channels: Channels) -> CommandSpec {
        self.channels = channels;
        self
    }

    /// The version that brought it, what it does, and its cost: for a container that of its subcommands.
    pub const fn doc(
        mut self,
        since: &'static str,
        summary: &'static str,
        complexity: &'static str,
    ) -> CommandSpec {
        self.since = since;
        self.summary = summary;
        let is_container = complexity.is_empty() && !self.subcommands.is_empty();
        self.complexity = if is_container { "Depends on the subcommand." } else { complexity };
        self
    }

    /// Its arguments.
    pub const fn args(mut self, args: &'static [Arg]) -> CommandSpec {
        self.args = args;
        self
    }

    /// How it changed: versions and sentences.
    pub const fn history(mut self, history: &'static [(&'static str, &'static str)]) -> CommandSpec {
        self.history = history;
        self
    }

    /// Hints for clients and proxies. Source: <https://valkey.io/topics/command-tips/>.
    pub const fn tips(mut self, tips: &'static [&'static str]) -> CommandSpec {
        self.tips = tips;
        self
    }

    /// Deprecated since a version, replaced by another command.
    pub const fn deprecated(mut self, since: &'static str, by: &'static str) -> CommandSpec {
        self.deprecated = Some((since, by));
        self
    }

    /// Whether a call with `n` arguments, the name included, has enough and not too many.
    #[inline]
    pub fn arity_fits(&self, n: usize) -> bool {
        if self.arity >= 0 { n == self.arity as usize } else { n >= self.arity.unsigned_abs() as usize }
    }

    /// All ACL categories: those named, and those that flags imply.
    pub fn all_categories(&self) -> Categories {
        let mut all = self.categories;
        let flags = self.flags;
        let implied = [
            (Flags::WRITE, Categories::WRITE),
            (Flags::ADMIN, Categories::ADMIN.or(Categories::DANGEROUS)),
            (Flags::PUBSUB, Categories::PUBSUB),
            (Flags::FAST, Categories::FAST),
            (Flags::BLOCKING, Categories::BLOCKING),
        ];
        for (flag, category) in implied {
            if flags.has(flag) {
                all = all.or(category);
            }
        }
        if flags.has(Flags::READONLY) && !all.has(Categories::SCRIPTING) {
            all = all.or(Categories::READ);
        }
        if !all.has(Categories::FAST) {
            all = all.or(Categories::SLOW);
        }
        all
    }

    /// First key, last key and step in the old form of COMMAND INFO; zeros without such keys. Groups that stand one
    /// behind the other count as one. Source: the rules under <https://valkey.io/commands/command/>.
    pub fn legacy_range(&self) -> (i64, i64, i64) {
        let ranges = self.keys.iter().filter_map(|key| match (key.begin, key.find) {
            (BeginSearch::Index(first), FindKeys::Range { last, step, .. }) => {
                let first = i64::from(first);
                Some((first, if last >= 0 { first + i64::from(last) } else { last.into() }, step.into()))
            }
            _ => None,
        });
        ranges
            .reduce(|all, next| if next.0 == all.1 + 1 { (all.0, next.1, all.2) } else { all })
            .unwrap_or_default()
    }

    /// The flags of COMMAND INFO: without those that only the server looks at.
    pub fn shown_flags(&self) -> Flags {
        const HIDDEN: Flags = Flags::MAY_REPLICATE.or(Flags::PROTECTED).or(Flags::TOUCHES_ARBITRARY_KEYS);
        let at_fixed_places =
            |key: &KeySpec| matches!((key.begin, key.find), (BeginSearch::Index(_), FindKeys::Range { .. }));
        let movable = if self.keys.iter().all(at_fixed_places) { Flags::NONE } else { Flags::MOVABLEKEYS };
        Flags(self.flags.0 & !HIDDEN.0).or(movable)
    }
}

/// Dispatch looks subcommands up itself; a container's own handler is never reached.
fn no_subcommand(_: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    unreachable!("a container runs through its subcommands")
}
