//! Places in sorted sets: adding them, looking at them, searching around them.

use crate::support::{check, check3, events_of};

#[test]
fn places_are_added_and_looked_at() {
    check(&[
        (
            "GEOADD s 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 13.583333 37.316667 Agrigento",
            ":3",
        ),
        ("ZSCORE s Palermo", r#""3479099956230698""#),
        ("GEOADD s CH 13.361389 38.115556 Palermo 15.1 37.5 Catania", ":1"),
        ("GEOADD s NX 1 1 Palermo 2 2 New", ":1"),
        ("GEOADD s XX CH 1 1 Palermo 2 2 Newer", ":1"),
        ("GEOADD s NX XX 1 1 a", "-ERR syntax error"),
        ("GEOADD s 1 1", "-ERR wrong number of arguments for 'geoadd' command"),
        ("GEOADD s 1 1 a 2", "-ERR syntax error"),
        ("GEOADD s 181 0 a", "-ERR invalid longitude,latitude pair 181.000000,0.000000"),
        ("GEOADD s 0 86 a", "-ERR invalid longitude,latitude pair 0.000000,86.000000"),
        ("GEOADD s x 0 a", "-ERR value is not a valid float"),
        ("GEOADD s nan 0 a", "-ERR value is not a valid float"),
        ("GEOADD s NX CH NX", "-ERR syntax error"),
        (
            "GEOPOS s Catania none New",
            r#"[["15.10000258684158325", "37.4999993619508345"], nil-array, ["2.00000256299972534", "2.0000001856465488"]]"#,
        ),
        ("GEOPOS none a", "[nil-array]"),
        ("GEOHASH s Catania none New", r#"["sqdtrdemrd0", nil, "s037ms06g70"]"#),
        ("GEOHASH none a", "[nil]"),
        ("GEODIST s Catania Agrigento", r#""135538.9241""#),
        ("GEODIST s Catania Agrigento km", r#""135.5389""#),
        ("GEODIST s Catania Agrigento MI", r#""84.2202""#),
        ("GEODIST s Catania Agrigento ft", r#""444681.5095""#),
        ("GEODIST s Catania Catania", r#""0.0000""#),
        ("GEODIST s Catania none", "nil"),
        ("GEODIST none a b", "nil"),
        ("GEODIST s Catania Agrigento yd", "-ERR unsupported unit provided. please use M, KM, FT, MI"),
        ("GEODIST s Catania Agrigento km x", "-ERR syntax error"),
        ("GEOADD edge 180 85.05112878 ne -180 -85.05112878 sw", ":2"),
        (
            "GEOPOS edge ne sw",
            r#"[["180", "85.0511287799999991"], ["-179.99999731779098511", "-85.05112751263942528"]]"#,
        ),
        ("GEOHASH edge ne sw", r#"["bp05b5048p0", "00bh0hbj200"]"#),
        ("ZRANGE edge 0 -1 WITHSCORES", r#"["sw", "0", "ne", "13510798882111488"]"#),
        ("SET str x", "+OK"),
        ("GEOADD str 1 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("GEOPOS str a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("ZADD odd -1 a 1e300 b inf c", ":3"),
        (
            "GEOPOS odd a b c",
            r#"[["180", "85.0511287799999991"], ["-179.99999731779098511", "-85.05112751263942528"], ["-179.99999731779098511", "-85.05112751263942528"]]"#,
        ),
    ]);
}

#[test]
fn searches() {
    check(&[
        (
            "GEOADD s 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 13.583333 37.316667 Agrigento",
            ":3",
        ),
        ("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km ASC", r#"["Catania", "Agrigento", "Palermo"]"#),
        (
            "GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km DESC WITHDIST",
            r#"[["Palermo", "190.4424"], ["Agrigento", "130.4235"], ["Catania", "56.4413"]]"#,
        ),
        (
            "GEOSEARCH s FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHCOORD WITHDIST WITHHASH",
            r#"[["Catania", "56.4413", :3479447370796909, ["15.08726745843887329", "37.50266842333162032"]], ["Agrigento", "130.4235", :3479030013248308, ["13.5833314061164856", "37.31666804993816555"]], ["Palermo", "190.4424", :3479099956230698, ["13.36138933897018433", "38.11555639549629859"]]]"#,
        ),
        ("GEOSEARCH s FROMMEMBER Palermo BYRADIUS 100 mi ASC COUNT 2", r#"["Palermo", "Agrigento"]"#),
        ("GEOSEARCH s FROMMEMBER Palermo BYRADIUS 0 m", r#"["Palermo"]"#),
        ("GEOSEARCH s FROMMEMBER Palermo BYRADIUS 1000 km COUNT 1 ANY", r#"["Agrigento"]"#),
        ("GEOSEARCH s FROMMEMBER none BYRADIUS 100 km", "-ERR could not decode requested zset member"),
        ("GEOSEARCH none FROMMEMBER a BYRADIUS 100 km", "[]"),
        ("GEOSEARCH s BYRADIUS 100 km", "-ERR wrong number of arguments for 'geosearch' command"),
        ("GEOSEARCH s FROMLONLAT 15 37", "-ERR wrong number of arguments for 'geosearch' command"),
        ("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 100 km BYBOX 1 1 km", "-ERR syntax error"),
        ("GEOSEARCH s FROMLONLAT 15 37 FROMMEMBER Palermo BYRADIUS 100 km", "-ERR syntax error"),
        ("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 100 km ANY", "-ERR the ANY argument requires COUNT argument"),
        ("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 100 km COUNT 0", "-ERR COUNT must be > 0"),
        ("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS -1 km", "-ERR radius cannot be negative"),
        ("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS x km", "-ERR need numeric radius"),
        ("GEOSEARCH s FROMLONLAT 15 37 BYBOX x 1 km", "-ERR need numeric width"),
        ("GEOSEARCH s FROMLONLAT 15 37 BYBOX 1 x km", "-ERR need numeric height"),
        ("GEOSEARCH s FROMLONLAT 15 37 BYBOX 1 -1 km", "-ERR height or width cannot be negative"),
        (
            "GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 1 yd",
            "-ERR unsupported unit provided. please use M, KM, FT, MI",
        ),
        ("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 1 km STOREDIST", "-ERR syntax error"),
        ("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 1 km STORE d", "-ERR syntax error"),
        ("GEORADIUS s 15 37 200 km ASC", r#"["Catania", "Agrigento", "Palermo"]"#),
        (
            "GEORADIUS s 15 37 200 km WITHDIST WITHCOORD DESC COUNT 1",
            r#"[["Palermo", "190.4424", ["13.36138933897018433", "38.11555639549629859"]]]"#,
        ),
        ("GEORADIUS_RO s 15 37 200 km ASC STORE d", "-ERR syntax error"),
        (
            "GEORADIUSBYMEMBER s Agrigento 100 km ASC WITHHASH",
            r#"[["Agrigento", :3479030013248308], ["Palermo", :3479099956230698]]"#,
        ),
        ("GEORADIUSBYMEMBER_RO s Agrigento 100 km DESC", r#"["Palermo", "Agrigento"]"#),
        ("GEORADIUSBYMEMBER s none 100 km", "-ERR could not decode requested zset member"),
        ("GEORADIUSBYMEMBER none a x y", "[]"),
        ("SET str x", "+OK"),
        (
            "GEOSEARCH str FROMLONLAT 15 37 BYRADIUS 1 km",
            "-WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
        ("GEORADIUS str 15 37 1 km", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn searches_in_resp3() {
    check3(&[
        (
            "GEOADD s 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 13.583333 37.316667 Agrigento",
            ":3",
        ),
        ("GEOPOS s Palermo none", "[[,13.36138933897018433, ,38.11555639549629859], nil]"),
        ("GEODIST s Palermo Catania", r#""166274.1516""#),
        ("GEODIST s Palermo none", "nil"),
        ("GEOHASH s Palermo none", r#"["sqc8b49rny0", nil]"#),
        (
            "GEOSEARCH s FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHCOORD WITHDIST WITHHASH",
            r#"[["Catania", "56.4413", :3479447370796909, [,15.08726745843887329, ,37.50266842333162032]], ["Agrigento", "130.4235", :3479030013248308, [,13.5833314061164856, ,37.31666804993816555]], ["Palermo", "190.4424", :3479099956230698, [,13.36138933897018433, ,38.11555639549629859]]]"#,
        ),
        ("GEORADIUS s 15 37 200 km ASC", r#"["Catania", "Agrigento", "Palermo"]"#),
    ]);
}

#[test]
fn stored_searches() {
    check(&[
        (
            "GEOADD s 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 13.583333 37.316667 Agrigento",
            ":3",
        ),
        ("GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 200 km", ":3"),
        (
            "ZRANGE d 0 -1 WITHSCORES",
            r#"["Agrigento", "3479030013248308", "Palermo", "3479099956230698", "Catania", "3479447370796909"]"#,
        ),
        ("GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST", ":3"),
        (
            "ZRANGE d 0 -1 WITHSCORES",
            r#"["Catania", "56.4412578701582", "Agrigento", "130.42348706714702", "Palermo", "190.44242984775784"]"#,
        ),
        ("GEOSEARCHSTORE d s FROMLONLAT 0 0 BYRADIUS 1 km", ":0"),
        ("EXISTS d", ":0"),
        ("GEORADIUS s 15 37 200 km STORE d", ":3"),
        ("ZRANGE d 0 -1", r#"["Agrigento", "Palermo", "Catania"]"#),
        ("GEORADIUS s 15 37 200 km COUNT 1 STOREDIST d", ":1"),
        ("ZRANGE d 0 -1 WITHSCORES", r#"["Catania", "56.4412578701582"]"#),
        ("GEORADIUSBYMEMBER s Palermo 100 km STORE d", ":2"),
        ("ZRANGE d 0 -1", r#"["Agrigento", "Palermo"]"#),
        ("GEORADIUS none 15 37 200 km STORE d", ":0"),
        ("EXISTS d", ":0"),
        ("GEORADIUSBYMEMBER none a 200 km STORE d", ":0"),
        (
            "GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST",
            "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
        ),
        (
            "GEORADIUS s 15 37 200 km STORE d WITHCOORD",
            "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
        ),
        ("GEOSEARCHSTORE s s FROMMEMBER Palermo BYRADIUS 1 km", ":1"),
        ("ZRANGE s 0 -1", r#"["Palermo"]"#),
    ]);
}

#[test]
fn events() {
    let lines = [
        "GEOADD s 13.361389 38.115556 Palermo 15.087269 37.502669 Catania",
        "GEOADD s 13.361389 38.115556 Palermo",
        "GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 200 km",
        "GEORADIUS s 15 37 200 km STORE d",
        "GEORADIUS s 0 0 1 km STORE d",
        "GEORADIUS s 0 0 1 km STORE d",
    ];
    assert_eq!(
        events_of(&lines),
        ["0:s new", "0:s zadd", "0:d new", "0:d geosearchstore", "0:d georadiusstore", "0:d del"]
    );
}
