//! Random clients against a server without sockets: nothing they send makes it panic, each reply can be read, and when
//! they are gone nothing of them is left.

use staywire::{
    base::rng::Rng,
    cmd::FAMILIES,
    command::spec::{Arg, ArgFlags, ArgKind, CommandSpec},
    resp::reply::Reply,
    state::{acl::SUPERUSER, config::Config, pubsub::Kind, session::SessionKey},
    testkit::Harness,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

const SEEDS: u64 = 256;
const COMMANDS_PER_SEED: usize = 150;

const KEYS: &[&str] = &["a", "b", "c", "list", "dest", "", "k{1}"];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "-2",
    "10",
    "100",
    "255",
    "4096",
    "2147483647",
    "-2147483648",
    "4294967295",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "9223372036854775",
    "1000000000000000",
    "0.001",
    "0.5",
    "1e15",
    "1e308",
    "-1e308",
    "9223372036854775.5",
    "nan",
    "inf",
    "-inf",
    "-0",
    "+1",
    "01",
    " 1",
    "0x10",
    "1704067200",
    "1704067200001",
    "",
];
const PATTERNS: &[&str] =
    &["*", "?", "a*", "[a-c]", "[^a", "[", "\\", "[a-", "**a**b", "*a*a*a*b", "", "__key*__:*"];
const WORDS: &[&str] = &[
    "NX",
    "XX",
    "GT",
    "LT",
    "EX",
    "PX",
    "EXAT",
    "PXAT",
    "KEEPTTL",
    "GET",
    "IFEQ",
    "PERSIST",
    "LEFT",
    "RIGHT",
    "BEFORE",
    "AFTER",
    "COUNT",
    "RANK",
    "MAXLEN",
    "MATCH",
    "TYPE",
    "LEN",
    "IDX",
    "MINMATCHLEN",
    "WITHMATCHLEN",
    "ASYNC",
    "SYNC",
    "REPLACE",
    "DB",
    "ON",
    "OFF",
    "SKIP",
    "YES",
    "NO",
    "SKIPME",
    "ID",
    "ADDR",
    "LADDR",
    "USER",
    "MAXAGE",
    "AUTH",
    "SETNAME",
    "TIMEOUT",
    "ERROR",
    "NOSAVE",
    "FILTERBY",
    "ACLCAT",
    "MODULE",
    "PATTERN",
    "string",
    "list",
    "default",
    "all",
    "everything",
    "keyspace",
    "get",
    "config|get",
    "client",
    "xyzzy",
];
const PARAMS: &[(&str, &[&str])] = &[
    ("list-max-listpack-size", &["-5", "-1", "1", "2", "3", "128", "0", "2147483647", "-2147483648"]),
    ("list-compress-depth", &["0", "1", "2", "3", "2147483647"]),
    ("proto-max-bulk-len", &["1048576", "536870912", "9223372036854775807"]),
    ("client-query-buffer-limit", &["1048576", "1073741824"]),
    (
        "client-output-buffer-limit",
        &["normal 4194304 0 0", "normal 65536 1024 1", "pubsub 4096 1024 0", "pubsub 33554432 8388608 60"],
    ),
    ("notify-keyspace-events", &["KEA", "KEAnm", "", "El"]),
    ("maxmemory-policy", &["noeviction", "allkeys-lfu", "volatile-lru"]),
    ("lfu-log-factor", &["0", "10", "2147483647"]),
    ("lfu-decay-time", &["0", "1", "2147483647"]),
    ("hz", &["0", "10", "500", "2147483647"]),
    ("active-expire-effort", &["1", "10"]),
    ("timeout", &["0", "1", "2147483647"]),
    ("maxclients", &["5", "10000", "4294967295"]),
    ("requirepass", &["", "secret"]),
];
const DEBUG: &[&[&str]] = &[
    &["OBJECT", "a"],
    &["OBJECT", "list", "fast"],
    &["SLEEP", "1e308"],
    &["SLEEP", "inf"],
    &["SET-ACTIVE-EXPIRE", "0"],
    &["SET-ACTIVE-EXPIRE", "1"],
    &["QUICKLIST-PACKED-THRESHOLD", "100b"],
    &["QUICKLIST-PACKED-THRESHOLD", "0"],
    &["QUICKLIST-PACKED-THRESHOLD", "1g"],
    &["LISTPACK", "list"],
    &["PROTOCOL", "map"],
    &["PROTOCOL", "push"],
    &["PROTOCOL", "attrib"],
    &["PROTOCOL", "bignum"],
    &["PROTOCOL", "verbatim"],
    &["HTSTATS", "0", "full"],
    &["HTSTATS", "9223372036854775807"],
    &["DICT-RESIZING", "0"],
    &["DIGEST"],
    &["DIGEST-VALUE", "a", "list", "nothing"],
    &["HELP"],
];

type Words = Vec<Vec<u8>>;

struct Torturer {
    rng: Rng,
    h: Harness,
    clients: Vec<SessionKey>,
    commands: Vec<(Vec<&'static str>, &'static CommandSpec)>,
}

impl Torturer {
    fn new(seed: u64) -> Torturer {
        let mut commands: Vec<(Vec<&str>, &CommandSpec)> = Vec::new();
        for spec in FAMILIES.iter().copied().flatten().filter(|spec| spec.name != "debug") {
            commands.push((vec![spec.name], spec));
            commands.extend(spec.subcommands.iter().map(|sub| (vec![spec.name, sub.name], sub)));
        }
        let mut config = Config { enable_debug_command: 1, ..Config::default() };
        // Random numbers ask for replies that have no end.
        config.output_limits[0].hard_bytes = 4 << 20;
        let h = Harness::with(config, seed);
        Torturer { rng: Rng::new(seed), h, clients: Vec::new(), commands }
    }

    fn below(&mut self, n: usize) -> usize {
        self.rng.below(n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn value(&mut self) -> Vec<u8> {
        match self.below(12) {
            0 => Vec::new(),
            1 => vec![b'x'; 100],
            2 => (0..=255).collect(),
            3 => vec![b'z'; 5_000],
            4 if self.one_in(4) => (0..100_000u32).map(|i| (i ^ i >> 7) as u8).collect(),
            5..=7 => self.pick(NUMBERS).into(),
            8 => b"a\r\n$3\r\n".to_vec(),
            _ => self.pick(&["v", "w", "hello world", "12345", "-7"]).into(),
        }
    }

    /// Any argument at all.
    fn anything(&mut self) -> Vec<u8> {
        match self.below(5) {
            0 => self.pick(KEYS).into(),
            1 => self.pick(NUMBERS).into(),
            2 => self.pick(WORDS).into(),
            3 => self.pick(PATTERNS).into(),
            _ => self.value(),
        }
    }

    /// An argument as its command declares it, most of the time.
    fn arg(&mut self, arg: &Arg, words: &mut Words) {
        if arg.flags.has(ArgFlags::OPTIONAL) && !self.one_in(3) {
            return;
        }
        let times = if arg.flags.has(ArgFlags::MULTIPLE) { 1 + self.below(3) } else { 1 };
        for i in 0..times {
            if let Some(token) = arg.token
                && (i == 0 || arg.flags.has(ArgFlags::MULTIPLE_TOKEN))
            {
                words.push(token.into());
            }
            if self.one_in(25) {
                let any = self.anything();
                words.push(any);
                continue;
            }
            match arg.kind {
                ArgKind::Key(_) => words.push(self.pick(KEYS).into()),
                ArgKind::Integer | ArgKind::Double | ArgKind::UnixTime => words.push(self.number()),
                ArgKind::Pattern | ArgKind::KeyPattern(_) => words.push(self.pick(PATTERNS).into()),
                ArgKind::PureToken => {}
                ArgKind::OneOf(args) => {
                    let one = self.below(args.len());
                    self.arg(&args[one], words);
                }
                ArgKind::Block(args) => args.iter().for_each(|arg| self.arg(arg, words)),
                ArgKind::String => {
                    let value = if self.one_in(2) { self.pick(KEYS).into() } else { self.value() };
                    words.push(value);
                }
            }
        }
    }

    /// Mostly small, so that commands do something.
    fn number(&mut self) -> Vec<u8> {
        if self.one_in(2) {
            self.pick(&["0", "1", "2", "3", "-1", "5"]).into()
        } else {
            self.pick(NUMBERS).into()
        }
    }

    fn command(&mut self) -> Words {
        match self.below(40) {
            0 => {
                let (name, values) = PARAMS[self.below(PARAMS.len())];
                if self.one_in(4) {
                    let name =
                        self.pick(&[name, "bind", "port", "save", "loglevel", "unixsocketperm", "databases"]);
                    return vec![b"CONFIG".to_vec(), b"SET".to_vec(), name.into(), self.anything()];
                }
                return ["CONFIG", "SET", name, self.pick(values)].iter().map(|&word| word.into()).collect();
            }
            1 => {
                let words = DEBUG[self.below(DEBUG.len())];
                return ["DEBUG"].iter().chain(words).map(|&word| word.into()).collect();
            }
            2 => {
                // Many elements, so that lists grow out of one pack.
                let mut words: Words = vec![b"RPUSH".to_vec(), b"list".to_vec()];
                let value = self.value();
                words.extend(
                    (0..self.below(300))
                        .map(|i| [&value[..value.len().min(200)], i.to_string().as_bytes()].concat()),
                );
                return words;
            }
            _ => {}
        }
        let at = self.below(self.commands.len());
        let (name, spec) = self.commands[at].clone();
        let mut words: Words = name.iter().map(|&word| word.into()).collect();
        if self.one_in(4) {
            for _ in 0..self.below(6) {
                let any = self.anything();
                words.push(any);
            }
        } else {
            spec.args.iter().for_each(|arg| self.arg(arg, &mut words));
        }
        words
    }

    /// Sends bytes in random pieces, sometimes not all of them.
    fn send(&mut self, client: SessionKey, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let n = match self.below(8) {
                0 => 1,
                1 => self.below(20) + 1,
                _ => rest.len(),
            };
            let (piece, after) = rest.split_at(n.min(rest.len()));
            self.h.send_bytes(client, piece);
            rest = after;
            if self.one_in(60) {
                return;
            }
        }
    }

    /// What every client received can be read, but for the end of what a closed one did.
    fn read_all(&mut self) {
        for client in self.clients.clone() {
            let bytes = self.h.receive_bytes(client);
            let mut at = 0;
            while at < bytes.len() {
                let Some((_, len)) = Reply::decode(&bytes[at..]) else {
                    assert!(
                        !self.h.is_open(client),
                        "a reply cannot be read: {}",
                        bytes[at..].escape_ascii()
                    );
                    break;
                };
                at += len;
            }
        }
        let h = &mut self.h;
        self.clients.retain(|&client| h.is_open(client));
    }

    fn connect(&mut self) -> SessionKey {
        let client = self.h.connect();
        self.clients.push(client);
        if self.one_in(2) {
            self.h.send(client, "HELLO 3");
        }
        client
    }

    fn step(&mut self) {
        // CONFIG SET maxclients holds for us too.
        let max = 8.min(self.h.engine.state.config.maxclients as usize);
        if self.clients.is_empty() || self.clients.len() < max && self.one_in(8) {
            self.connect();
        }
        if self.h.engine.state.pause.is_on() && self.one_in(20) {
            // CLIENT PAUSE takes times longer than any test.
            self.h.engine.end_pause();
            self.h.turn();
        }
        let at = self.below(self.clients.len());
        let client = self.clients[at];
        match self.below(60) {
            0 => {
                self.clients.swap_remove(at);
                self.h.disconnect(client);
            }
            1..=4 => {
                let ms = [1, 999, 60_000, 31_536_000_000, 3_153_600_000_000][self.below(5)];
                self.h.advance(Duration::from_millis(ms));
            }
            5 => {
                self.h.engine.feed(client, b"");
                self.h.turn();
            }
            6 if self.one_in(4) => {
                let noise: Vec<u8> =
                    (0..self.below(30)).map(|_| b"*$\r\n019-\"'x "[self.below(12)]).collect();
                self.send(client, &noise);
            }
            _ => {
                let mut bytes = Vec::new();
                for _ in 0..1 + self.below(3) {
                    let words = self.command();
                    let in_multi = self.h.engine.session(client).is_some_and(|s| s.transaction.is_some());
                    if words.starts_with(&[b"client".to_vec(), b"reply".to_vec()])
                        && (in_multi || !bytes.is_empty())
                    {
                        // Who asks for no replies inside a transaction gets an array that lacks some, as from Redis.
                        continue;
                    }
                    bytes.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
                    for word in words {
                        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
                        bytes.extend_from_slice(&word);
                        bytes.extend_from_slice(b"\r\n");
                    }
                }
                self.send(client, &bytes);
            }
        }
        self.read_all();
    }

    fn finish(&mut self) {
        for client in std::mem::take(&mut self.clients) {
            self.h.disconnect(client);
        }
        let state = &self.h.engine.state;
        assert!(state.sessions.is_empty(), "sessions are left");
        assert_eq!(
            (state.waiters.blocked, state.waiters.key_count(), state.waiters.deadline_count()),
            (0, 0, 0)
        );
        assert_eq!(state.pause.postponed(), 0, "sessions are left");
        assert_eq!((state.watch.watched, state.watch.key_count()), (0, 0), "watches are left");
        let names = [Kind::Channel, Kind::Pattern, Kind::Shard].map(|kind| state.pubsub.count(kind));
        assert_eq!((names, state.pubsub.subscriptions), ([0; 3], 0), "subscriptions are left");
        self.h.engine.end_pause();
        self.h.engine.state.config.maxclients = 100;
        let last = self.h.connect();
        let session = self.h.engine.session(last).expect("it is connected");
        (session.user, session.authenticated) = (SUPERUSER, true);
        assert_eq!(self.h.call(last, "FLUSHALL"), "+OK");
        self.h.disconnect(last);
        while self.h.engine.has_work() {
            self.h.turn();
        }
        let left = self.h.engine.store.mem_bytes() - self.h.engine.store.tables_bytes();
        assert_eq!(left, 0, "memory of keys is left");
        let fresh = Harness::new();
        let more = self.h.engine.used_memory().saturating_sub(fresh.engine.used_memory());
        assert!(more < 16 * 1024, "{more} bytes are left");
    }
}

#[test]
fn nothing_that_clients_send_breaks_the_server() {
    let first = std::env::var("STAYWIRE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = first.map_or(0..SEEDS, |seed: u64| seed..seed + 1);
    for seed in seeds {
        let run = AssertUnwindSafe(|| {
            let mut torturer = Torturer::new(seed);
            (0..COMMANDS_PER_SEED).for_each(|_| torturer.step());
            torturer.finish();
        });
        if let Err(cause) = catch_unwind(run) {
            eprintln!("seed {seed}: run it alone with STAYWIRE_SEED={seed}");
            std::panic::resume_unwind(cause);
        }
    }
}

#[test]
fn what_a_client_may_pile_up_is_bounded() {
    let mut h = Harness::new();
    let admin = h.connect();
    h.call(admin, "CONFIG SET client-query-buffer-limit 1mb");
    let client = h.connect();
    h.call(client, "MULTI");
    for _ in 0..20 {
        h.send_args(client, &[b"SET", b"k", &[b'x'; 100_000]]);
    }
    assert!(!h.is_open(client), "a transaction counts as input that is kept");
    let (mib, client) = (1 << 20, h.connect());
    let many: Vec<&[u8]> = vec![b"MSET", b"a", &[b'x'; 600_000], b"b", &[b'x'; 600_000]];
    assert_eq!(h.call_args(client, &many), "+OK", "what is understood is not input that waits");
    assert_eq!(h.call_args(client, &[b"SET", b"a", &vec![b'x'; mib - 2]]), "+OK");
    h.call_args(client, &[b"SET", b"a", &vec![b'x'; mib - 1]]);
    assert!(!h.is_open(client), "an argument and its line's end are more than the limit");
    let client = h.connect();
    h.send_bytes(client, &[b"*2\r\n$3\r\nGET\r\n$2000000\r\n", &vec![b'x'; mib][..]].concat());
    assert!(h.is_open(client));
    h.send_bytes(client, b"x");
    assert!(!h.is_open(client));
    h.call(admin, "CONFIG SET client-output-buffer-limit 'normal 1mb 0 0'");
    h.send_args(admin, &[b"SET", b"k", &[b'x'; 100_000]]);
    let client = h.connect();
    let keys = ["k"; 1000].join(" ");
    h.call(client, "CLIENT REPLY OFF");
    h.call(client, &format!("MGET {keys}"));
    assert!(h.is_open(client), "what nobody reads is not kept");
    h.call(client, "CLIENT REPLY ON");
    h.call(client, &format!("MGET {keys}"));
    assert!(!h.is_open(client));
    h.call(admin, "CONFIG SET proto-max-bulk-len 9223372036854775807");
    let too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    assert_eq!(h.call(admin, "SETRANGE k 4294967295 x"), too_long);
    assert_eq!(h.call(admin, "SETRANGE k 9223372036854775807 x"), too_long);
    let mut words = vec![b"x".as_slice(); (1 << 20) + 1];
    words[0] = b"WATCH";
    assert_eq!(h.call_args(admin, &words), "-ERR too many keys are watched");
    words[0] = b"SUBSCRIBE";
    assert_eq!(h.call_args(admin, &words), "-ERR too many subscriptions");
}

#[test]
fn replies_that_only_a_number_makes_long_are_bounded() {
    let mut h = Harness::new();
    let (admin, member) = (h.connect(), [b'x'; 200_000]);
    h.call_args(admin, &[b"SADD", b"s", &member]);
    h.call_args(admin, &[b"ZADD", b"z", b"1", &member]);
    h.call_args(admin, &[b"HSET", b"h", &member, b"v"]);
    let commands =
        ["SRANDMEMBER s", "ZRANDMEMBER z", "HRANDFIELD h"].map(|c| format!("{c} -9223372036854775807"));
    for (limit, commands) in [("normal 1mb 0 0", &commands[..]), ("normal 0 0 0", &commands[..1])] {
        h.call(admin, &format!("CONFIG SET client-output-buffer-limit '{limit}'"));
        for command in commands {
            let client = h.connect();
            h.call(client, "CLIENT REPLY OFF");
            h.call(client, command);
            assert!(h.is_open(client), "what nobody reads has an end");
            h.call(client, "CLIENT REPLY ON");
            h.call(client, "MULTI");
            h.call(client, command);
            h.call(client, "SET done 1");
            assert_eq!(h.call(client, "EXEC"), "");
            assert!(!h.is_open(client), "it is cut off");
            assert_eq!(h.call(admin, "GETDEL done"), r#""1""#);
        }
    }
    assert!(h.engine.used_memory() < 4 << 20);
    #[cfg(feature = "scripting")]
    assert!(
        h.call(admin, "EVAL \"return redis.call('SRANDMEMBER', 's', '-9223372036854775807')\" 0")
            .starts_with("-ERR The reply is too long for a script")
    );
    let words = vec![b"s".as_slice(); 1 << 20];
    h.call_args(admin, &[b"SET", b"s", &[b'x'; 1 << 20]]);
    let mget: Vec<&[u8]> = [b"MGET".as_slice()].into_iter().chain(words).collect();
    h.call(admin, "CONFIG SET client-output-buffer-limit 'normal 1mb 0 0'");
    h.call_args(admin, &mget);
    assert!(!h.is_open(admin), "and does not take long, though it would have a mebibyte a million times");
}

#[test]
fn a_client_that_watches_much_costs_no_more_for_each_key() {
    let mut h = Harness::new();
    let (watcher, writer) = (h.connect(), h.connect());
    let keys: Vec<String> = (0..20_000).map(|i| format!("key:{i}")).collect();
    let words: Vec<&[u8]> =
        ["WATCH"].iter().copied().chain(keys.iter().map(String::as_str)).map(str::as_bytes).collect();
    assert_eq!(h.call_args(watcher, &words), "+OK");
    assert_eq!(h.call_args(watcher, &words), "+OK");
    assert_eq!(h.engine.state.watch.watched, 20_000);
    assert_eq!(h.call(writer, "SET key:19999 v"), "+OK");
    assert_eq!(h.call(watcher, "MULTI"), "+OK");
    assert_eq!(h.call(watcher, "EXEC"), "nil-array");
    assert_eq!((h.engine.state.watch.watched, h.engine.state.watch.key_count()), (0, 0));
}
