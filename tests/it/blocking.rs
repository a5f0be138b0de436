//! Waiting for lists.

use staywire::testkit::Harness;

#[test]
fn chains_resolve_within_one_push() {
    let mut server = Harness::new();
    let [a, b, c, d] = [(); 4].map(|()| server.connect());
    server.send(a, "BLMOVE a b LEFT RIGHT 0");
    server.send(b, "BLMOVE b c LEFT RIGHT 0");
    server.send(c, "BLPOP c 0");
    assert_eq!(server.call(d, "RPUSH a x"), ":1");
    assert_eq!(server.receive(a), "\"x\"");
    assert_eq!(server.receive(b), "\"x\"");
    assert_eq!(server.receive(c), r#"["c", "x"]"#);
    assert_eq!(server.call(d, "LLEN c"), ":0");
}
