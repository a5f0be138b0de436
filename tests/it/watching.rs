//! MONITOR, SLOWLOG, COMMANDLOG, LATENCY.

use super::support::{check, check_with};
use staywire::{
    state::config::{Config, OutputLimit},
    sys::allocator::Figures,
    testkit::Harness,
};
use std::time::Duration;

/// What a monitor received, without the `+`.
fn seen(h: &mut Harness, monitor: usize) -> Vec<String> {
    let bytes = h.receive_bytes(monitor);
    let text = String::from_utf8(bytes).expect("only printable bytes are shown");
    text.split_terminator("\r\n").map(|line| line.trim_start_matches('+').to_string()).collect()
}

#[test]
fn a_monitor_sees_what_runs_where_and_when() {
    let mut h = Harness::new();
    let (m, c) = (h.connect(), h.connect());
    assert_eq!(h.call(m, "MONITOR"), "+OK");
    assert_eq!(h.call(m, "MONITOR"), "", "who looks already is not answered");
    h.advance(Duration::from_micros(1_000_042));
    h.call_args(c, &[b"SET", b"a\"\\\n\r\t\x07\x08", b"\x00\xffz "]);
    h.call(c, "SELECT 3");
    h.call(c, "ping x");
    assert_eq!(
        seen(&mut h, m),
        [
            r#"1704067201.000042 [0 ?:0] "SET" "a\"\\\n\r\t\a\b" "\x00\xffz ""#,
            r#"1704067201.000042 [3 ?:0] "SELECT" "3""#,
            r#"1704067201.000042 [3 ?:0] "ping" "x""#,
        ]
    );
    // What is not run, or for administrators alone, is not shown.
    for hidden in ["GET", "NOSUCH", "CONFIG GET save", "DEBUG SLEEP 0", "SLOWLOG LEN"] {
        h.call(c, hidden);
        assert_eq!(seen(&mut h, m), [""; 0], "{hidden}");
    }
}

/// The commands that a monitor saw, without time and place.
fn commands(h: &mut Harness, monitor: usize) -> Vec<String> {
    let line = |line: String| line.split_once("] ").expect("time and place").1.replace('"', "");
    seen(h, monitor).into_iter().map(line).collect()
}

#[test]
fn transactions_are_shown_as_they_run_and_waits_once() {
    let mut h = Harness::new();
    let (m, c, d) = (h.connect(), h.connect(), h.connect());
    h.call(m, "MONITOR");
    for line in ["MULTI", "SET a 1", "INCR a"] {
        h.call(c, line);
    }
    assert_eq!(commands(&mut h, m), ["MULTI"]);
    h.call(c, "EXEC");
    assert_eq!(commands(&mut h, m), ["SET a 1", "INCR a", "EXEC"]);
    for line in ["MULTI", "GET", "EXEC", "EXEC x"] {
        h.call(c, line);
    }
    // What ends a transaction is shown though it is refused.
    assert_eq!(commands(&mut h, m), ["MULTI", "EXEC", "EXEC x"]);
    h.call(c, "BLPOP l 0");
    assert_eq!(commands(&mut h, m), ["BLPOP l 0"]);
    h.call(d, "RPUSH l x");
    assert_eq!(commands(&mut h, m), ["RPUSH l x"]);
    h.call(c, "MULTI");
    h.call(c, "MONITOR");
    assert_eq!(h.call(c, "EXEC"), "[-ERR MONITOR isn't allowed for DENY BLOCKING client]");
}

#[test]
fn passwords_are_shown_to_nobody() {
    let mut h = Harness::new();
    let (m, c) = (h.connect(), h.connect());
    h.call(m, "MONITOR");
    for (line, shown) in [
        ("AUTH x", "AUTH (redacted)"),
        ("AUTH default x", "AUTH (redacted) (redacted)"),
        ("AUTH 1 2 3", "AUTH 1 2 3"),
        ("HELLO 2 AUTH default x SETNAME n", "HELLO 2 AUTH (redacted) (redacted) SETNAME n"),
        ("HELLO 2 SETNAME n AUTH default", "HELLO 2 SETNAME n AUTH default"),
        ("HELLO 9 AUTH default x", "HELLO 9 AUTH default x"),
        ("HELLO", "HELLO"),
    ] {
        h.call(c, line);
        assert_eq!(commands(&mut h, m), [shown]);
    }
    h.call(c, "CONFIG SET slowlog-log-slower-than 0");
    h.call(c, "CONFIG SET timeout 0 RequirePass secret");
    let log = h.call(c, "SLOWLOG GET 1");
    assert!(log.contains(r#"["CONFIG", "SET", "timeout", "0", "RequirePass", "(redacted)"]"#), "{log}");
}

#[test]
fn a_monitor_sees_itself_but_not_the_keys_until_reset() {
    let mut h = Harness::new();
    let (m, c) = (h.connect(), h.connect());
    h.call(m, "MONITOR");
    assert!(h.call(m, "PING").starts_with("+PONG\n+1704067200.000000 [0 ?:0] \"PING\""));
    for line in ["GET a", "SET a b", "BLPOP l 0", "PUBLISH a b"] {
        assert_eq!(h.call(m, line), "-ERR Replica can't interact with the keyspace", "{line}");
    }
    assert!(h.call(c, "CLIENT LIST").contains(" flags=O "));
    h.receive(m);
    h.call(m, "CLIENT REPLY OFF");
    h.call(c, "PING");
    assert_eq!(h.receive(m), "");
    h.call(m, "CLIENT REPLY ON");
    h.call(m, "SUBSCRIBE x");
    assert!(h.call(m, "GET a").starts_with("-ERR Can't execute 'get': only"));
    assert_eq!(h.call(m, "RESET"), "+RESET");
    h.call(c, "PING");
    assert_eq!(h.receive(m), "");
    assert_eq!(h.call(m, "GET a"), "nil");
    h.call(m, "HELLO 3");
    assert_eq!(h.call(m, "MONITOR"), "+OK");
    h.call(c, "PING");
    assert_eq!(commands(&mut h, m), ["PING"]);
    h.disconnect(m);
    assert_eq!(h.call(c, "PING"), "+PONG");
    assert!(h.engine.state.monitors.is_empty());
}

#[test]
fn a_monitor_that_does_not_read_is_cut_off() {
    let mut output_limits = Config::default().output_limits;
    output_limits[0] = OutputLimit { hard_bytes: 100_000, soft_bytes: 0, soft_seconds: 0 };
    let mut h = Harness::with(Config { output_limits, ..Config::default() }, 1);
    let (m, c) = (h.connect(), h.connect());
    h.call(m, "MONITOR");
    h.call_args(c, &[b"PING", &[b'x'; 10_000]]);
    assert!(h.is_open(m) && !h.receive(m).is_empty());
    h.call_args(c, &[b"ECHO", &[0; 50_000]]);
    assert!(!h.is_open(m) && h.is_open(c));
}

#[test]
fn slow_calls_are_logged() {
    let mut h = Harness::new();
    let (c, d) = (h.connect(), h.connect());
    h.call(c, "CLIENT SETNAME foobar");
    h.call(c, "CONFIG SET slowlog-log-slower-than 100000");
    h.call(c, "PING");
    assert_eq!(h.call(c, "SLOWLOG LEN"), ":0");
    h.call(c, "DEBUG SLEEP 0.25");
    h.call(d, "DEBUG SLEEP 0.5");
    h.call(d, "DEBUG SLEEP 0.05");
    assert_eq!(
        h.call(c, "SLOWLOG GET"),
        r#"[[:1, :1704067200, :500000, ["DEBUG", "SLEEP", "0.5"], "?:0", ""], [:0, :1704067200, :250000, ["DEBUG", "SLEEP", "0.25"], "?:0", "foobar"]]"#
    );
    check_with(
        &mut h,
        &[
            ("COMMANDLOG LEN slow", ":2"),
            ("SLOWLOG RESET", "+OK"),
            ("SLOWLOG LEN", ":0"),
            ("SLOWLOG GET -1", "[]"),
        ],
    );
    // Numbers go on.
    h.call(d, "DEBUG SLEEP 1");
    assert!(h.call(c, "COMMANDLOG GET -1 SLOW").starts_with("[[:2, "));
}

#[test]
fn a_log_has_its_length_and_an_entry_its_size() {
    let mut h = Harness::new();
    let c = h.connect();
    h.call(c, "CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 0");
    h.call(c, "PING");
    assert_eq!(h.call(c, "SLOWLOG LEN"), ":0");
    h.call(c, "CONFIG SET slowlog-max-len 10");
    (0..50).for_each(|_| {
        h.call(c, "PING");
    });
    assert_eq!(h.call(c, "SLOWLOG LEN"), ":10");
    h.call(c, "CONFIG SET slowlog-max-len 3");
    assert_eq!(h.call(c, "SLOWLOG LEN"), ":3");
    let many: Vec<Vec<u8>> = (0..40).map(|i: u32| i.to_string().into_bytes()).collect();
    let args: Vec<&[u8]> = [b"DEL".as_slice()].into_iter().chain(many.iter().map(Vec::as_slice)).collect();
    h.call_args(c, &args);
    let log = h.call(c, "SLOWLOG GET 1");
    assert!(log.contains(r#""29", "... (10 more arguments)"]"#), "{log}");
    h.call_args(c, &[b"ECHO", &[b'x'; 129]]);
    let log = h.call(c, "SLOWLOG GET 1");
    assert!(log.contains(&format!(r#"["ECHO", "{}... (1 more bytes)"]"#, "x".repeat(128))), "{log}");
    // EXEC is no entry of its own.
    for line in ["MULTI", "ECHO 1", "EXEC"] {
        h.call(c, line);
    }
    let log = h.call(c, "SLOWLOG GET 2");
    assert!(log.contains(r#"["ECHO", "1"]"#) && log.contains(r#"["MULTI"]"#), "{log}");
}

#[test]
fn large_requests_and_replies_are_logged() {
    let mut h = Harness::new();
    let c = h.connect();
    h.call(c, "CONFIG SET commandlog-request-larger-than 1000 commandlog-reply-larger-than 1000");
    h.call_args(c, &[b"SET", b"k", &[b'x'; 999]]);
    h.call(c, "GET k");
    h.call(c, "PING");
    let size_of = |h: &mut Harness, kind: &str| {
        let log = h.call(c, &format!("COMMANDLOG GET 1 {kind}"));
        log.split(", :").nth(2).and_then(|rest| rest.split(',').next()).unwrap_or_default().to_string()
    };
    assert_eq!(size_of(&mut h, "large-request"), "1027");
    assert_eq!(size_of(&mut h, "large-reply"), "1007");
    assert_eq!(h.call(c, "COMMANDLOG LEN large-request"), ":1");
    // In a transaction the request is EXEC, and the reply all of it so far.
    h.call(c, "CONFIG SET commandlog-request-larger-than 0");
    for line in ["MULTI", "GET k", "ECHO 1", "EXEC"] {
        h.call(c, line);
    }
    assert_eq!(size_of(&mut h, "large-request"), "14");
    assert_eq!(size_of(&mut h, "large-reply"), (4 + 1007 + 7).to_string());
    h.send_bytes(c, b"echo   x\r\n");
    assert_eq!(size_of(&mut h, "large-request"), "8");
    // Of what is not to be heard there is no reply, but for the end of that.
    h.call(c, "CONFIG SET commandlog-reply-larger-than 0");
    h.send_bytes(c, b"CLIENT REPLY OFF\r\nGET k\r\n");
    let admin = h.connect();
    let log = h.call(admin, "COMMANDLOG GET 1 large-reply");
    assert!(log.contains(r#", :0, ["GET", "k"]"#), "{log}");
    h.send_bytes(c, b"CLIENT REPLY ON\r\n");
    let log = h.call(admin, "COMMANDLOG GET 1 large-reply");
    assert!(log.contains(r#", :5, ["CLIENT", "REPLY", "ON"]"#), "{log}");
    check(&[
        ("COMMANDLOG LEN foo", "-ERR type should be one of the following: slow, large-request, large-reply"),
        (
            "COMMANDLOG GET 1 foo",
            "-ERR type should be one of the following: slow, large-request, large-reply",
        ),
        (
            "COMMANDLOG RESET foo",
            "-ERR type should be one of the following: slow, large-request, large-reply",
        ),
        ("COMMANDLOG GET x foo", "-ERR count should be greater than or equal to -1"),
        (
            "Slowlog Get 1 2",
            "-ERR unknown subcommand or wrong number of arguments for 'Get'. Try SLOWLOG HELP.",
        ),
        ("COMMANDLOG GET -2 slow", "-ERR count should be greater than or equal to -1"),
        ("COMMANDLOG GET x slow", "-ERR count should be greater than or equal to -1"),
        ("SLOWLOG GET -2", "-ERR count should be greater than or equal to -1"),
        ("SLOWLOG GET 99999999999999999999", "-ERR count should be greater than or equal to -1"),
        ("SLOWLOG GET 9223372036854775807", "[]"),
        ("SLOWLOG FOO", "-ERR unknown subcommand 'FOO'. Try SLOWLOG HELP."),
        ("COMMANDLOG GET 1", "-ERR wrong number of arguments for 'commandlog|get' command"),
    ]);
}

#[test]
fn a_wait_is_counted_when_it_is_over() {
    let mut h = Harness::new();
    let (a, b, c) = (h.connect(), h.connect(), h.connect());
    h.call(c, "CONFIG SET slowlog-log-slower-than 0");
    h.call(c, "CONFIG RESETSTAT");
    h.call(c, "SLOWLOG RESET");
    let calls = |h: &mut Harness| {
        let info = h.call(c, "INFO commandstats errorstats");
        let line = |name: &str| info.split("\\r\\n").find(|line| line.contains(name)).map(str::to_string);
        (line("blpop"), line("UNBLOCKED"))
    };
    h.call(a, "BLPOP l 0");
    assert_eq!(calls(&mut h), (None, None));
    h.call(b, "RPUSH l x");
    h.call(a, "BLPOP l 1");
    h.advance(Duration::from_secs(2));
    h.call(a, "BLPOP l 0");
    h.call(c, "CLIENT UNBLOCK 1 ERROR");
    let (stats, errors) = calls(&mut h);
    assert!(stats.is_some_and(|s| s.contains("calls=3,") && s.ends_with("rejected_calls=0,failed_calls=1")));
    assert_eq!(errors.as_deref(), Some("errorstat_UNBLOCKED:count=1"));
    let log = h.call(c, "SLOWLOG GET -1");
    assert_eq!(log.matches("BLPOP").count(), 3, "{log}");
    assert!(h.call(c, "INFO latencystats").contains("latency_percentiles_usec_blpop:p50=0.001,"));
}

#[test]
fn latency_events_are_kept_by_second() {
    let mut h = Harness::new();
    let c = h.connect();
    h.call(c, "DEBUG SLEEP 1");
    assert_eq!(h.call(c, "LATENCY LATEST"), "[]");
    assert!(h.call(c, "LATENCY DOCTOR").contains("disabled"));
    h.call(c, "CONFIG SET latency-monitor-threshold 200");
    assert!(h.call(c, "LATENCY DOCTOR").contains("Nothing took 200 ms"));
    for seconds in ["0.1", "0.3", "0.4", "0.5"] {
        h.call(c, &format!("DEBUG SLEEP {seconds}"));
    }
    // The clock began at second 1704067201, after a second of sleep.
    assert_eq!(h.call(c, "LATENCY HISTORY command"), "[[:1704067201, :400], [:1704067202, :500]]");
    assert_eq!(h.call(c, "LATENCY LATEST"), r#"[["command", :1704067202, :500, :500, :1200, :3]]"#);
    let graph = h.call(c, "LATENCY GRAPH command");
    assert!(
        graph.starts_with(r#""command - high 500 ms, low 400 ms (all time high 500 ms)\n----"#),
        "{graph}"
    );
    let report = h.call(c, "LATENCY DOCTOR");
    assert!(
        report.contains("1. command: 2 latency spikes (average 450ms, mean deviation 50ms, period 0.50 sec)")
    );
    check_with(
        &mut h,
        &[
            ("LATENCY HISTORY COMMAND", "[]"),
            ("LATENCY GRAPH blabla", "-ERR No samples available for event 'blabla'"),
            ("LATENCY RESET blabla", ":0"),
            ("LATENCY RESET blabla Command", ":1"),
            ("LATENCY RESET", ":0"),
            ("LATENCY FOO", "-ERR unknown subcommand 'FOO'. Try LATENCY HELP."),
            ("LATENCY HELP x", "-ERR wrong number of arguments for 'latency|help' command"),
        ],
    );
}

#[test]
fn durations_are_kept_by_command() {
    let mut h = Harness::new();
    let c = h.connect();
    h.call(c, "CONFIG RESETSTAT");
    let empty = r#"["calls", :1, "histogram_usec", [:1, :1]]"#;
    assert_eq!(h.call(c, "LATENCY HISTOGRAM"), format!(r#"["config|resetstat", {empty}]"#));
    h.call(c, "DEBUG SLEEP 0.00003");
    for ms in ["1", "1", "30"] {
        h.call(c, &format!("DEBUG SLEEP {}", ms.parse::<f64>().expect("a number") / 1000.0));
    }
    assert_eq!(
        h.call(c, "LATENCY HISTOGRAM nosuch debug"),
        r#"["debug", ["calls", :4, "histogram_usec", [:33, :1, :1056, :3, :33816, :4]]]"#
    );
    h.call(c, "CLIENT ID");
    h.call(c, "CLIENT LIST");
    let of_client = h.call(c, "LATENCY HISTOGRAM client");
    assert_eq!(of_client, format!(r#"["client|id", {empty}, "client|list", {empty}]"#));
    assert_eq!(h.call(c, "LATENCY HISTOGRAM client|id"), format!(r#"["client|id", {empty}]"#));
    let info = h.call(c, "INFO latencystats");
    assert!(
        info.contains("latency_percentiles_usec_debug:p50=1015.807,p99=30408.703,p99.9=30408.703"),
        "{info}"
    );
    h.call(c, "CONFIG SET latency-tracking-info-percentiles \"0.0 50.0 100.0\"");
    assert_eq!(
        h.call(c, "CONFIG GET latency-tracking-info-percentiles"),
        r#"["latency-tracking-info-percentiles", "0 50 100"]"#
    );
    assert!(
        h.call(c, "INFO latencystats")
            .contains("latency_percentiles_usec_debug:p0=30.207,p50=1015.807,p100=")
    );
    h.call(c, "CONFIG SET latency-tracking no");
    h.call(c, "CONFIG RESETSTAT");
    h.call(c, "PING");
    assert_eq!(h.call(c, "LATENCY HISTOGRAM"), "[]");
    for wrong in ["10 50 a", "10 101", "-1", "nan"] {
        let reply = h.call(c, &format!("CONFIG SET latency-tracking-info-percentiles \"{wrong}\""));
        assert!(reply.starts_with("-ERR CONFIG SET failed"), "{reply}");
    }
    assert_eq!(h.call(c, "CONFIG SET latency-tracking-info-percentiles \"\""), "+OK");
}

#[test]
fn memory_is_answered_for() {
    let mut h = Harness::new();
    let c = h.connect();
    h.call_args(c, &[b"SET", b"k", &[b'x'; 10_000]]);
    let bytes: usize = h.call(c, "MEMORY USAGE k")[1..].parse().expect("a number");
    assert!((10_000..11_000).contains(&bytes), "{bytes}");
    assert_eq!(h.call(c, "MEMORY USAGE k SAMPLES 0 samples 5"), format!(":{bytes}"));
    check_with(
        &mut h,
        &[
            ("MEMORY USAGE nosuch", "nil"),
            ("MEMORY USAGE k SAMPLES -1", "-ERR syntax error"),
            ("MEMORY USAGE k SAMPLES x", "-ERR value is not an integer or out of range"),
            ("MEMORY USAGE k SAMPLES", "-ERR syntax error"),
            ("MEMORY USAGE k foo", "-ERR syntax error"),
            ("MEMORY PURGE", "+OK"),
            ("MEMORY MALLOC-STATS", "\"Stats not supported for the current allocator\""),
            ("MEMORY FOO", "-ERR unknown subcommand 'FOO'. Try MEMORY HELP."),
        ],
    );
    // One that has expired is still in memory.
    h.call(c, "DEBUG SET-ACTIVE-EXPIRE 0");
    h.call(c, "PEXPIRE k 5");
    h.advance(Duration::from_millis(10));
    assert!(h.call(c, "MEMORY USAGE k").starts_with(':'));
    assert_eq!(h.call(c, "GET k"), "nil");
    assert!(h.call(c, "MEMORY DOCTOR").contains("little memory"));
    let stats = h.call(c, "MEMORY STATS");
    assert!(stats.starts_with(r#"["peak.allocated", :"#), "{stats}");
    assert!(stats.contains(r#""db.15", ["overhead.hashtable.main", :0, "overhead.hashtable.expires", :0]"#));
    h.call(c, "HELLO 3");
    assert!(h.call(c, "MEMORY STATS").contains(r#""allocator-fragmentation.ratio": ,1"#));
    // What an allocator tells is shown.
    h.engine.state.allocator.figures =
        || Some(Figures { allocated: 1 << 20, active: 3 << 20, resident: 6 << 20 });
    let info = h.call(c, "INFO memory");
    for line in ["allocator_allocated:1048576", "allocator_frag_ratio:3.00", "allocator_rss_ratio:2.00"] {
        assert!(info.contains(line), "{line} in {info}");
    }
}

#[test]
fn a_picture_ends_with_the_version() {
    let mut h = Harness::new();
    let c = h.connect();
    let version = concat!("Redis ver. 7.2.4, Staywire ", env!("CARGO_PKG_VERSION"), "\\n\"");
    for form in ["LOLWUT", "LOLWUT foo", "LOLWUT VERSION 5", "LOLWUT VERSION 7 x", "LOLWUT VERSION"] {
        let picture = h.call(c, form);
        assert!(picture.ends_with(version) && picture.matches("\\n").count() == 18, "{form}: {picture}");
    }
    assert_ne!(h.call(c, "LOLWUT"), h.call(c, "LOLWUT"));
    assert_eq!(h.call(c, "LOLWUT VERSION 5 3 2 1").matches("\\n").count(), 4);
    assert!(h.call(c, "LOLWUT VERSION 6 9223372036854775807 -5").len() < 10_000);
    check_with(
        &mut h,
        &[
            ("LOLWUT VERSION x", "-ERR value is not an integer or out of range"),
            ("LOLWUT VERSION 5 x", "-ERR value is not an integer or out of range"),
        ],
    );
}

#[test]
fn what_a_reset_sets_back() {
    let mut h = Harness::new();
    let (c, d) = (h.connect(), h.connect());
    h.call(d, "AUTH a b");
    h.call(d, "GET a");
    h.call(d, "DEBUG SLEEP 0.5");
    h.call(c, "SLOWLOG LEN");
    h.call(c, "CONFIG RESETSTAT");
    let info = h.call(c, "INFO everything");
    for line in [
        "total_connections_received:0",
        "total_commands_processed:1",
        "keyspace_misses:0",
        "total_error_replies:0",
        "acl_access_denied_auth:1",
    ] {
        assert!(info.contains(&format!("{line}\\r\\n")), "{line} in {info}");
    }
    assert!(!info.contains("cmdstat_debug") && !info.contains("percentiles_usec_debug"));
    assert!(!info.contains("errorstat_WRONGPASS") && !info.contains("# Debug"));
    assert_eq!(h.call(c, "SLOWLOG LEN"), ":1");
    assert!(h.call(c, "INFO debug").starts_with("\"# Debug\\r\\neventloop_duration_aof_sum:0\\r\\n"));
}
