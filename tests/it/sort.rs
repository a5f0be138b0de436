//! SORT.

use crate::support::{check, events_of};

#[test]
fn numbers_words_and_limits() {
    check(&[
        ("RPUSH l 3 1 10 2", ":4"),
        ("SORT l", r#"["1", "2", "3", "10"]"#),
        ("SORT l DESC", r#"["10", "3", "2", "1"]"#),
        ("SORT l ALPHA", r#"["1", "10", "2", "3"]"#),
        ("SORT l LIMIT 1 2", r#"["2", "3"]"#),
        ("SORT l LIMIT -5 2", r#"["1", "2"]"#),
        ("SORT l LIMIT 2 -1", r#"["3", "10"]"#),
        ("SORT l LIMIT 9 2", "[]"),
        ("SORT l LIMIT 0 0", "[]"),
        ("SORT l LIMIT 9223372036854775807 9223372036854775807", "[]"),
        ("SORT l BY nosort", r#"["3", "1", "10", "2"]"#),
        ("SORT l BY nosort DESC LIMIT 1 2", r#"["10", "1"]"#),
        ("SADD s b a c", ":3"),
        ("SORT s", "-ERR One or more scores can't be converted into double"),
        ("SORT s ALPHA DESC", r#"["c", "b", "a"]"#),
        ("ZADD z 1 c 2 a 3 b", ":3"),
        ("SORT z BY nosort", r#"["c", "a", "b"]"#),
        ("SORT z BY nosort DESC LIMIT 0 2", r#"["b", "a"]"#),
        ("SORT z ALPHA", r#"["a", "b", "c"]"#),
        ("SORT none", "[]"),
        ("SET str x", "+OK"),
        ("SORT str", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SORT l LIMIT 1", "-ERR syntax error"),
        ("SORT l LIMIT a 1", "-ERR value is not an integer or out of range"),
        ("SORT_RO l STORE x", "-ERR syntax error"),
        ("SORT_RO l DESC LIMIT 0 1", r#"["10"]"#),
    ]);
}

#[test]
fn weights_and_values_from_other_keys() {
    check(&[
        ("RPUSH l a b c", ":3"),
        ("MSET w_a 3 w_b 1 w_c 2 v_a x v_c y", "+OK"),
        ("SORT l BY w_*", r#"["b", "c", "a"]"#),
        ("SORT l BY w_* GET v_* GET #", r#"[nil, "b", "y", "c", "x", "a"]"#),
        ("HSET h_a n 2 t ta", ":2"),
        ("HSET h_b n 1 t tb", ":2"),
        // What has no weight weighs nothing.
        ("SORT l BY h_*->n GET h_*->t", r#"[nil, "tb", "ta"]"#),
        ("SORT l BY v_* ALPHA", r#"["b", "a", "c"]"#),
        ("SORT l BY v_*", "-ERR One or more scores can't be converted into double"),
        ("SORT l BY nosort GET w_*->", "[nil, nil, nil]"),
        ("SORT l BY w_* STORE out", ":3"),
        ("LRANGE out 0 -1", r#"["b", "c", "a"]"#),
        ("SORT l BY w_* GET v_* STORE out", ":3"),
        ("LRANGE out 0 -1", r#"["", "y", "x"]"#),
        ("SORT none STORE out", ":0"),
        ("EXISTS out", ":0"),
        ("COMMAND GETKEYS SORT l BY store GET store STORE a STORE b", r#"["l", "b"]"#),
    ]);
}

#[test]
fn what_is_stored_of_a_set_has_an_order() {
    check(&[
        ("SADD s 10 9 x y z", ":5"),
        ("SORT s BY nosort STORE out", ":5"),
        ("LRANGE out 0 -1", r#"["10", "9", "x", "y", "z"]"#),
    ]);
}

#[test]
fn events() {
    let lines = ["RPUSH l 2 1", "SORT l STORE out", "SORT none STORE out", "SORT none STORE out"];
    let wanted = [
        "0:l new",
        "0:l rpush",
        "0:out new",
        "0:out sortstore",
        "0:none keymiss",
        "0:out del",
        "0:none keymiss",
    ];
    assert_eq!(events_of(&lines), wanted);
}
