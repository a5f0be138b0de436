//! Sorted sets: adding, reading, ranges, removal, pops, unions and their relatives.

use crate::support::{check, check_with, check3, events_of};
use staywire::testkit::Harness;
use std::time::Duration;

#[test]
fn members_are_added_and_changed() {
    check(&[
        ("ZADD z 1 a 2 b 3 c", ":3"),
        ("ZADD z 1 a 5 b 4 d", ":1"),
        ("ZADD z CH 1 a 6 b 7 e", ":2"),
        ("ZADD z NX 9 a 9 f", ":1"),
        ("ZADD z XX CH 9 a 9 g", ":1"),
        ("ZADD z GT CH 8 a 10 b 1 h", ":2"),
        ("ZADD z LT CH 8 a 11 b", ":1"),
        ("ZADD z INCR 2.5 a", r#""10.5""#),
        ("ZADD z NX INCR 1 a", "nil"),
        ("ZADD z XX INCR 1 none", "nil"),
        ("ZADD z GT INCR -1 a", "nil"),
        ("ZADD none XX 1 a", ":0"),
        ("ZADD none XX INCR 1 a", "nil"),
        ("ZINCRBY z -0.5 a", r#""10""#),
        ("ZINCRBY z inf a", r#""inf""#),
        ("ZINCRBY z -inf a", "-ERR resulting score is not a number (NaN)"),
        ("ZADD z NX INCR -inf a", "nil"),
        (
            "ZRANGE z 0 -1 WITHSCORES",
            r#"["h", "1", "c", "3", "d", "4", "e", "7", "f", "9", "b", "10", "a", "inf"]"#,
        ),
        ("ZADD z x a", "-ERR value is not a valid float"),
        ("ZADD z nan a", "-ERR value is not a valid float"),
        ("ZADD z 1 a 2", "-ERR syntax error"),
        ("ZADD z 1", "-ERR wrong number of arguments for 'zadd' command"),
        ("ZADD z 1 n 1e400 m", "-ERR value is not a valid float"),
        ("ZSCORE z n", "nil"),
        ("ZADD z NX XX 1 a", "-ERR XX and NX options at the same time are not compatible"),
        ("ZADD z GT LT 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"),
        ("ZADD z NX GT 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"),
        ("ZADD z INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair"),
        ("ZADD z 0x10 hex +inf i -0 zero", ":3"),
        ("ZMSCORE z hex i zero none", r#"["16", "inf", "0", nil]"#),
        ("SET s x", "+OK"),
        ("ZADD s 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("ZADD s XX 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("ZINCRBY s 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("ZADD z nx", "-ERR wrong number of arguments for 'zadd' command"),
    ]);
}

#[test]
fn scores_and_ranks() {
    check(&[
        ("ZADD z 1 a 2 b 2 bb 3 c inf d -inf e", ":6"),
        ("ZCARD z", ":6"),
        ("ZCARD none", ":0"),
        ("ZSCORE z b", r#""2""#),
        ("ZSCORE z none", "nil"),
        ("ZSCORE none a", "nil"),
        ("ZMSCORE z a none d", r#"["1", nil, "inf"]"#),
        ("ZMSCORE none a b", "[nil, nil]"),
        ("ZRANK z e", ":0"),
        ("ZRANK z bb", ":3"),
        ("ZREVRANK z bb", ":2"),
        ("ZRANK z none", "nil"),
        ("ZRANK z bb WITHSCORE", r#"[:3, "2"]"#),
        ("ZRANK z none WITHSCORE", "nil-array"),
        ("ZRANK none a WITHSCORE", "nil-array"),
        ("ZREVRANK z d WITHSCORE", r#"[:0, "inf"]"#),
        ("ZRANK z a BOGUS", "-ERR syntax error"),
        ("ZRANK z a WITHSCORE x", "-ERR wrong number of arguments for 'zrank' command"),
        ("ZCOUNT z -inf +inf", ":6"),
        ("ZCOUNT z (1 (3", ":2"),
        ("ZCOUNT z 2 2", ":2"),
        ("ZCOUNT z 3 2", ":0"),
        ("ZCOUNT z (2 2", ":0"),
        (r#"ZCOUNT z "" 1"#, ":1"),
        (r#"ZCOUNT z " 1" 2"#, ":3"),
        ("ZCOUNT z x 1", "-ERR min or max is not a float"),
        ("ZCOUNT z 1 nan", "-ERR min or max is not a float"),
        ("ZCOUNT none 1 2", ":0"),
    ]);
}

#[test]
fn ranges_of_ranks_and_scores() {
    check(&[
        ("ZADD z 1 a 2 b 3 c 4 d 5 e", ":5"),
        ("ZRANGE z 1 3", r#"["b", "c", "d"]"#),
        ("ZRANGE z 1 3 REV", r#"["d", "c", "b"]"#),
        ("ZRANGE z -2 -1 WITHSCORES", r#"["d", "4", "e", "5"]"#),
        ("ZRANGE z 3 1", "[]"),
        ("ZRANGE z 5 9", "[]"),
        ("ZRANGE z -100 100 REV", r#"["e", "d", "c", "b", "a"]"#),
        ("ZRANGE z 0 -9223372036854775808", "[]"),
        ("ZRANGE z -9223372036854775808 9223372036854775807", r#"["a", "b", "c", "d", "e"]"#),
        ("ZREVRANGE z 0 1 WITHSCORES", r#"["e", "5", "d", "4"]"#),
        ("ZRANGE z (1 4 BYSCORE", r#"["b", "c", "d"]"#),
        ("ZRANGE z 4 (1 BYSCORE REV WITHSCORES", r#"["d", "4", "c", "3", "b", "2"]"#),
        ("ZRANGE z 1 4 BYSCORE REV", "[]"),
        ("ZRANGE z -inf +inf BYSCORE LIMIT 1 2", r#"["b", "c"]"#),
        ("ZRANGE z -inf +inf BYSCORE LIMIT 1 -1", r#"["b", "c", "d", "e"]"#),
        ("ZRANGE z -inf +inf BYSCORE LIMIT 9 2", "[]"),
        ("ZRANGE z -inf +inf BYSCORE LIMIT -1 2", "[]"),
        ("ZRANGEBYSCORE z 2 4 WITHSCORES LIMIT 1 1", r#"["c", "3"]"#),
        ("ZREVRANGEBYSCORE z 4 2 LIMIT 0 2", r#"["d", "c"]"#),
        ("ZREVRANGEBYSCORE z +inf (3", r#"["e", "d"]"#),
        ("ZRANGEBYSCORE z 2 x", "-ERR min or max is not a float"),
        (
            "ZRANGE z 0 1 LIMIT 0 1",
            "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        ),
        ("ZRANGE z 0 1 BYSCORE LIMIT 0", "-ERR syntax error"),
        ("ZRANGE z a b", "-ERR value is not an integer or out of range"),
        ("ZRANGE z 0 1 BYSCORE BYLEX", "-ERR syntax error"),
        ("ZRANGE none 0 -1", "[]"),
        ("ZRANGE none x 1", "-ERR value is not an integer or out of range"),
        ("ZRANGEBYSCORE z 1 2 REV", "-ERR syntax error"),
        ("ZREVRANGE z 0 1 BYSCORE", "-ERR syntax error"),
    ]);
}

#[test]
fn ranges_of_names() {
    check(&[
        ("ZADD z 0 a 0 b 0 bb 0 c 0 d", ":5"),
        ("ZRANGE z - + BYLEX", r#"["a", "b", "bb", "c", "d"]"#),
        ("ZRANGE z + - BYLEX REV LIMIT 1 2", r#"["c", "bb"]"#),
        ("ZRANGE z [b (c BYLEX", r#"["b", "bb"]"#),
        ("ZRANGE z (b [c BYLEX", r#"["bb", "c"]"#),
        ("ZRANGEBYLEX z [bb +", r#"["bb", "c", "d"]"#),
        ("ZREVRANGEBYLEX z [c [b", r#"["c", "bb", "b"]"#),
        ("ZRANGEBYLEX z + -", "[]"),
        ("ZRANGEBYLEX z - -", "[]"),
        ("ZRANGEBYLEX z [ (", "[]"),
        ("ZLEXCOUNT z - +", ":5"),
        ("ZLEXCOUNT z [b [bb", ":2"),
        ("ZLEXCOUNT z b [c", "-ERR min or max not valid string range item"),
        (
            "ZRANGE z [a [b BYLEX WITHSCORES",
            "-ERR syntax error, WITHSCORES not supported in combination with BYLEX",
        ),
        ("ZRANGEBYLEX z a [b", "-ERR min or max not valid string range item"),
        ("ZREMRANGEBYLEX z (a [bb", ":2"),
        ("ZRANGE z 0 -1", r#"["a", "c", "d"]"#),
        ("ZREMRANGEBYLEX z x +", "-ERR min or max not valid string range item"),
        ("ZLEXCOUNT none - +", ":0"),
    ]);
}

#[test]
fn pairs_in_resp3() {
    check3(&[
        ("ZADD z 1.5 a 2 b inf c", ":3"),
        ("ZRANGE z 0 -1 WITHSCORES", r#"[["a", ,1.5], ["b", ,2], ["c", ,inf]]"#),
        ("ZREVRANGEBYSCORE z inf 2 WITHSCORES", r#"[["c", ,inf], ["b", ,2]]"#),
        ("ZSCORE z a", ",1.5"),
        ("ZSCORE z none", "nil"),
        ("ZINCRBY z 0.1 a", ",1.6"),
        ("ZADD z INCR 1 b", ",3"),
        ("ZADD z NX INCR 1 b", "nil"),
        ("ZMSCORE z c none", "[,inf, nil]"),
        ("ZRANK z c WITHSCORE", "[:2, ,inf]"),
        ("ZRANK z none WITHSCORE", "nil"),
        ("ZUNION 1 z WITHSCORES", r#"[["a", ,1.6], ["b", ,3], ["c", ,inf]]"#),
        ("ZDIFF 1 z", r#"["a", "b", "c"]"#),
        ("ZINTER 2 z z WITHSCORES WEIGHTS 1 1", r#"[["a", ,3.2], ["b", ,6], ["c", ,inf]]"#),
        ("ZPOPMIN z", r#"["a", ,1.6]"#),
        ("ZPOPMAX z 1", r#"[["c", ,inf]]"#),
        ("ZMPOP 1 z MAX", r#"["z", [["b", ,3]]]"#),
        ("ZMPOP 1 z MAX", "nil"),
        ("ZPOPMIN z", "[]"),
        ("ZADD z 1 a", ":1"),
        ("ZRANDMEMBER z 5 WITHSCORES", r#"[["a", ,1]]"#),
        ("ZRANDMEMBER z -2 WITHSCORES", r#"[["a", ,1], ["a", ,1]]"#),
        ("BZPOPMIN z 0", r#"["z", "a", ,1]"#),
        ("ZADD z 1 a 2 b", ":2"),
        ("BZMPOP 0 1 z MAX COUNT 9", r#"["z", [["b", ,2], ["a", ,1]]]"#),
        ("ZSCAN z 0", r#"["0", []]"#),
    ]);
}

#[test]
fn removal() {
    check(&[
        ("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f", ":6"),
        ("ZREM z a none a", ":1"),
        ("ZREM none a", ":0"),
        ("ZREMRANGEBYRANK z 0 0", ":1"),
        ("ZREMRANGEBYRANK z -1 -1", ":1"),
        ("ZREMRANGEBYRANK z 5 9", ":0"),
        ("ZREMRANGEBYRANK z x 9", "-ERR value is not an integer or out of range"),
        ("ZREMRANGEBYSCORE z (3 4", ":1"),
        ("ZREMRANGEBYSCORE z x 4", "-ERR min or max is not a float"),
        ("ZRANGE z 0 -1 WITHSCORES", r#"["c", "3", "e", "5"]"#),
        ("ZREM z c e", ":2"),
        ("EXISTS z", ":0"),
        ("ZADD z 1 a 2 b", ":2"),
        ("ZREMRANGEBYSCORE z -inf +inf", ":2"),
        ("EXISTS z", ":0"),
        ("SET s x", "+OK"),
        ("ZREM s a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("ZREMRANGEBYRANK s 0 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn pops() {
    check(&[
        ("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f", ":6"),
        ("ZPOPMIN z", r#"["a", "1"]"#),
        ("ZPOPMAX z", r#"["f", "6"]"#),
        ("ZPOPMIN z 2", r#"["b", "2", "c", "3"]"#),
        ("ZPOPMAX z 0", "[]"),
        ("ZPOPMIN none", "[]"),
        ("ZPOPMIN none 3", "[]"),
        ("ZPOPMIN z -1", "-ERR value is out of range, must be positive"),
        ("ZPOPMIN z x", "-ERR value is out of range, must be positive"),
        ("ZPOPMIN z 1 2", "-ERR syntax error"),
        ("ZMPOP 2 none z MIN COUNT 1", r#"["z", [["d", "4"]]]"#),
        ("ZMPOP 2 none z MAX COUNT 9", r#"["z", [["e", "5"]]]"#),
        ("EXISTS z", ":0"),
        ("ZMPOP 1 z MIN", "nil-array"),
        ("ZMPOP 0 z MIN", "-ERR numkeys should be greater than 0"),
        ("ZMPOP x z MIN", "-ERR numkeys should be greater than 0"),
        ("ZMPOP 1 z MIDDLE", "-ERR syntax error"),
        ("ZMPOP 1 z MIN COUNT 0", "-ERR count should be greater than 0"),
        ("ZMPOP 1 z MIN COUNT 1 COUNT 2", "-ERR syntax error"),
        ("ZMPOP 9223372036854775807 z MIN", "-ERR syntax error"),
        ("SET s x", "+OK"),
        ("ZPOPMIN s", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("ZMPOP 2 none s MIN", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("BZPOPMIN s 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("BZPOPMIN none -1", "-ERR timeout is negative"),
        ("BZPOPMIN none x", "-ERR timeout is not a float or out of range"),
        ("BZMPOP 1 0 none MIN", "-ERR numkeys should be greater than 0"),
    ]);
}

#[test]
fn unions_and_relatives() {
    check(&[
        ("ZADD a 1 x 2 y 3 z", ":3"),
        ("ZADD b 10 y 20 z 30 w", ":3"),
        ("SADD s x w v", ":3"),
        ("ZUNION 2 a b WITHSCORES", r#"["x", "1", "y", "12", "z", "23", "w", "30"]"#),
        (
            "ZUNION 2 a b WEIGHTS 2 0.5 AGGREGATE MAX WITHSCORES",
            r#"["x", "2", "y", "5", "z", "10", "w", "15"]"#,
        ),
        ("ZUNION 3 a b s AGGREGATE MIN WITHSCORES", r#"["v", "1", "w", "1", "x", "1", "y", "2", "z", "3"]"#),
        ("ZINTER 2 a b WITHSCORES", r#"["y", "12", "z", "23"]"#),
        ("ZINTER 2 a s WEIGHTS 1 10 WITHSCORES", r#"["x", "11"]"#),
        ("ZINTER 2 a none", "[]"),
        ("ZDIFF 2 a b WITHSCORES", r#"["x", "1"]"#),
        ("ZDIFF 2 s a", r#"["v", "w"]"#),
        ("ZDIFF 3 a b s", "[]"),
        ("ZINTERCARD 2 a b", ":2"),
        ("ZINTERCARD 2 a b LIMIT 1", ":1"),
        ("ZINTERCARD 2 a b LIMIT 0", ":2"),
        ("ZINTERCARD 2 a b LIMIT -1", "-ERR LIMIT can't be negative"),
        ("ZUNIONSTORE d 2 a b WEIGHTS inf -inf", ":4"),
        ("ZRANGE d 0 -1 WITHSCORES", r#"["w", "-inf", "y", "0", "z", "0", "x", "inf"]"#),
        ("ZINTERSTORE d 2 a b", ":2"),
        ("ZRANGE d 0 -1 WITHSCORES", r#"["y", "12", "z", "23"]"#),
        ("ZDIFFSTORE d 2 a a", ":0"),
        ("EXISTS d", ":0"),
        ("ZUNIONSTORE a 2 a b", ":4"),
        ("ZRANGE a 0 -1", r#"["x", "y", "z", "w"]"#),
        ("ZUNION 0 a", "-ERR at least 1 input key is needed for 'zunion' command"),
        ("ZUNION x a", "-ERR value is not an integer or out of range"),
        ("ZUNION 2 a", "-ERR syntax error"),
        ("ZUNION 1 a WEIGHTS", "-ERR syntax error"),
        ("ZUNION 1 a WEIGHTS x", "-ERR weight value is not a float"),
        ("ZUNION 1 a AGGREGATE AVG", "-ERR syntax error"),
        ("ZUNIONSTORE d 1 a WITHSCORES", "-ERR syntax error"),
        ("ZDIFF 1 a WEIGHTS 1", "-ERR syntax error"),
        ("ZINTERCARD 1 a WITHSCORES", "-ERR syntax error"),
        ("SET str x", "+OK"),
        ("ZUNION 2 a str", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("ZUNIONSTORE str 1 a", ":4"),
        ("TYPE str", "+zset"),
    ]);
}

#[test]
fn stored_ranges() {
    check(&[
        ("ZADD z 1 a 2 b 3 c 4 d", ":4"),
        ("ZRANGESTORE d z 1 2", ":2"),
        ("ZRANGE d 0 -1 WITHSCORES", r#"["b", "2", "c", "3"]"#),
        ("ZRANGESTORE d z (1 +inf BYSCORE LIMIT 1 1", ":1"),
        ("ZRANGE d 0 -1 WITHSCORES", r#"["c", "3"]"#),
        ("ZRANGESTORE d z 0 0 REV", ":1"),
        ("ZRANGE d 0 -1 WITHSCORES", r#"["d", "4"]"#),
        ("ZRANGESTORE d z 9 10", ":0"),
        ("EXISTS d", ":0"),
        ("ZRANGESTORE z none 0 -1", ":0"),
        ("EXISTS z", ":0"),
        ("ZRANGESTORE d z 0 -1 WITHSCORES", "-ERR syntax error"),
        ("SET s x", "+OK"),
        ("ZRANGESTORE d s 0 -1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn encodings_and_digests() {
    check(&[
        ("ZADD z 1 a 2.5 b", ":2"),
        ("OBJECT ENCODING z", r#""listpack""#),
        ("DEBUG DIGEST-VALUE z", "[+c45c5b051acd64070e5ed1a949939d5145f806c5]"),
        ("DEBUG LISTPACK z", "+Listpack structure printed on stdout"),
        ("ZADD z 1 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ":1"),
        ("OBJECT ENCODING z", r#""skiplist""#),
        ("DEBUG DIGEST-VALUE z", "[+82b2475cdb9eadbb3c6b1635e0d2ba0af5e8ef05]"),
        ("DEBUG LISTPACK z", "-ERR Not a listpack encoded object."),
        ("ZREM z xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ":1"),
        ("OBJECT ENCODING z", r#""skiplist""#),
        (
            "ZADD many 0 m0 1 m1 2 m2 3 m3 4 m4 5 m5 6 m6 7 m7 8 m8 9 m9 10 m10 11 m11 12 m12 13 m13 14 m14 15 m15 16 m16 17 m17 18 m18 19 m19 20 m20 21 m21 22 m22 23 m23 24 m24 25 m25 26 m26 27 m27 28 m28 29 m29 30 m30 31 m31 32 m32 33 m33 34 m34 35 m35 36 m36 37 m37 38 m38 39 m39 40 m40 41 m41 42 m42 43 m43 44 m44 45 m45 46 m46 47 m47 48 m48 49 m49 50 m50 51 m51 52 m52 53 m53 54 m54 55 m55 56 m56 57 m57 58 m58 59 m59 60 m60 61 m61 62 m62 63 m63 64 m64 65 m65 66 m66 67 m67 68 m68 69 m69 70 m70 71 m71 72 m72 73 m73 74 m74 75 m75 76 m76 77 m77 78 m78 79 m79 80 m80 81 m81 82 m82 83 m83 84 m84 85 m85 86 m86 87 m87 88 m88 89 m89 90 m90 91 m91 92 m92 93 m93 94 m94 95 m95 96 m96 97 m97 98 m98 99 m99 100 m100 101 m101 102 m102 103 m103 104 m104 105 m105 106 m106 107 m107 108 m108 109 m109 110 m110 111 m111 112 m112 113 m113 114 m114 115 m115 116 m116 117 m117 118 m118 119 m119 120 m120 121 m121 122 m122 123 m123 124 m124 125 m125 126 m126 127 m127 128 m128 129 m129 130 m130 131 m131 132 m132 133 m133 134 m134 135 m135 136 m136 137 m137 138 m138 139 m139 140 m140 141 m141 142 m142 143 m143 144 m144 145 m145 146 m146 147 m147 148 m148 149 m149 150 m150 151 m151 152 m152 153 m153 154 m154 155 m155 156 m156 157 m157 158 m158 159 m159 160 m160 161 m161 162 m162 163 m163 164 m164 165 m165 166 m166 167 m167 168 m168 169 m169 170 m170 171 m171 172 m172 173 m173 174 m174 175 m175 176 m176 177 m177 178 m178 179 m179 180 m180 181 m181 182 m182 183 m183 184 m184 185 m185 186 m186 187 m187 188 m188 189 m189 190 m190 191 m191 192 m192 193 m193 194 m194 195 m195 196 m196 197 m197 198 m198 199 m199",
            ":200",
        ),
        ("OBJECT ENCODING many", r#""skiplist""#),
        ("ZCARD many", ":200"),
        ("ZRANK many m150", ":150"),
        ("ZRANGE many 198 -1 WITHSCORES", r#"["m198", "198", "m199", "199"]"#),
        ("ZRANGE many 100 (102 BYSCORE", r#"["m100", "m101"]"#),
        ("ZREVRANGE many 0 2", r#"["m199", "m198", "m197"]"#),
        ("ZREMRANGEBYRANK many 5 -5", ":191"),
        ("ZRANGE many 0 -1", r#"["m0", "m1", "m2", "m3", "m4", "m196", "m197", "m198", "m199"]"#),
        ("COPY many more", ":1"),
        ("ZRANGE more 4 5 WITHSCORES", r#"["m4", "4", "m196", "196"]"#),
        ("DEBUG DIGEST-VALUE more", "[+09d0337fa73452f697bbaca43c35c5b3699ff43e]"),
        ("CONFIG SET zset-max-listpack-entries 2", "+OK"),
        ("ZADD few 1 a 2 b", ":2"),
        ("OBJECT ENCODING few", r#""listpack""#),
        ("ZADD few 3 c", ":1"),
        ("OBJECT ENCODING few", r#""skiplist""#),
        ("ZRANGESTORE d few 0 1", ":2"),
        ("OBJECT ENCODING d", r#""listpack""#),
        ("CONFIG SET zset-max-listpack-entries 128", "+OK"),
    ]);
}

#[test]
fn doubles_as_the_reference_prints_them() {
    check(&[
        (
            "ZADD z 1e300 a 1e17 b 1e19 c 0.1 d 1e-7 e 3.0000000000000004 f 5e-324 g 123456789012345680 h -0 i 0.00001 j 1.7976931348623157e308 k",
            ":11",
        ),
        (
            "ZRANGE z 0 -1 WITHSCORES",
            r#"["i", "0", "g", "5e-324", "e", "1e-7", "j", "0.00001", "d", "0.1", "f", "3.0000000000000004", "b", "100000000000000000", "h", "123456789012345680", "c", "1e+19", "a", "1e+300", "k", "1.7976931348623157e+308"]"#,
        ),
        ("ZADD z 1 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ":1"),
        ("ZADD z -0 i2", ":1"),
        ("ZMSCORE z i i2 c d", r#"["0", "-0", "1e+19", "0.1"]"#),
        ("ZSCAN z 0 MATCH d*", r#"["0", ["d", "0.10000000000000001"]]"#),
    ]);
}

#[test]
fn random_members() {
    check(&[
        ("ZADD z 1 a", ":1"),
        ("ZRANDMEMBER z", r#""a""#),
        ("ZRANDMEMBER none", "nil"),
        ("ZRANDMEMBER none 2", "[]"),
        ("ZRANDMEMBER z 0", "[]"),
        ("ZRANDMEMBER z 3", r#"["a"]"#),
        ("ZRANDMEMBER z -3", r#"["a", "a", "a"]"#),
        ("ZRANDMEMBER z 3 WITHSCORES", r#"["a", "1"]"#),
        ("ZRANDMEMBER z 3 BOGUS", "-ERR syntax error"),
        ("ZRANDMEMBER z x", "-ERR value is not an integer or out of range"),
        (
            "ZRANDMEMBER z -9223372036854775808",
            "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ),
        ("ZRANDMEMBER z -9223372036854775807 WITHSCORES", "-ERR value is out of range"),
    ]);
}

#[test]
fn walks() {
    check(&[
        ("ZADD z 1 a 2 b 3 ab", ":3"),
        ("ZSCAN z 0", r#"["0", ["a", "1", "b", "2", "ab", "3"]]"#),
        ("ZSCAN z 0 MATCH a*", r#"["0", ["a", "1", "ab", "3"]]"#),
        ("ZSCAN z 0 NOSCORES COUNT 1", r#"["0", ["a", "b", "ab"]]"#),
        ("ZSCAN none 0", r#"["0", []]"#),
        ("ZSCAN none 0 BOGUS", r#"["0", []]"#),
        ("ZSCAN z 0 BOGUS", "-ERR syntax error"),
        ("ZSCAN z x", "-ERR invalid cursor"),
        ("ZSCAN z 0 COUNT 0", "-ERR syntax error"),
        ("ZSCAN z 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN"),
        ("SET s x", "+OK"),
        ("ZSCAN s 0", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn walks_of_large_sets_meet_all_members() {
    let mut h = Harness::new();
    let c = h.connect();
    for i in 0..1000 {
        h.call(c, &format!("ZADD z {i} member{i}"));
    }
    let (mut cursor, mut met, mut steps) = ("0".to_owned(), std::collections::BTreeSet::new(), 0);
    loop {
        let reply = h.call(c, &format!("ZSCAN z {cursor} COUNT 100"));
        let mut words = reply.split('"').skip(1).step_by(2).map(str::to_owned);
        cursor = words.next().expect("a cursor");
        met.extend(words.step_by(2));
        steps += 1;
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(met.len(), 1000);
    assert!((5..50).contains(&steps), "{steps}");
}

#[test]
fn random_members_are_all_equally_likely_and_none_twice() {
    let mut h = Harness::new();
    let c = h.connect();
    for i in 0..200 {
        h.call(c, &format!("ZADD z {i} m{i}"));
    }
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..200 {
        let reply = h.call(c, "ZRANDMEMBER z 50");
        let words: Vec<String> = reply.split('"').skip(1).step_by(2).map(str::to_owned).collect();
        let unique: std::collections::BTreeSet<&String> = words.iter().collect();
        assert_eq!((words.len(), unique.len()), (50, 50));
        words.into_iter().for_each(|word| *seen.entry(word).or_insert(0) += 1);
    }
    assert_eq!(seen.len(), 200);
    assert!(seen.values().all(|&n| (20..85).contains(&n)), "{seen:?}");
}

#[test]
fn events() {
    let lines = [
        "ZADD z 1 a 2 b",
        "ZADD z 1 a",
        "ZADD z INCR 1 a",
        "ZINCRBY z 1 b",
        "ZREM z none",
        "ZREM z a b",
        "ZADD z 1 a 2 b 3 c 4 d 5 e",
        "ZREMRANGEBYRANK z 0 0",
        "ZREMRANGEBYSCORE z 2 2",
        "ZREMRANGEBYLEX z [c [c",
        "ZPOPMIN z",
        "ZPOPMAX z",
        "ZADD z 1 a",
        "ZUNIONSTORE d 1 z",
        "ZINTERSTORE d 1 z",
        "ZRANGESTORE d z 0 -1",
        "ZDIFFSTORE d 2 z z",
        "ZDIFFSTORE d 2 z z",
        "BZMPOP 0 1 z MIN",
    ];
    let wanted = [
        "0:z new",
        "0:z zadd",
        "0:z zincr",
        "0:z zincr",
        "0:z zrem",
        "0:z del",
        "0:z new",
        "0:z zadd",
        "0:z zremrangebyrank",
        "0:z zremrangebyscore",
        "0:z zremrangebylex",
        "0:z zpopmin",
        "0:z zpopmax",
        "0:z del",
        "0:z new",
        "0:z zadd",
        "0:d new",
        "0:d zunionstore",
        "0:d zinterstore",
        "0:d zrangestore",
        "0:d del",
        "0:z zpopmin",
        "0:z del",
    ];
    assert_eq!(events_of(&lines), wanted);
}

#[test]
fn waiting_is_first_come_first_served() {
    let mut h = Harness::new();
    let (a, b, c, producer) = (h.connect(), h.connect(), h.connect(), h.connect());
    for (client, line) in [(a, "BZPOPMIN x z 0"), (b, "BZPOPMAX z 0"), (c, "BZMPOP 0 2 y z MIN COUNT 2")] {
        assert_eq!(h.call(client, line), "", "{line} waits");
    }
    check_with(&mut h, &[("SET z string", "+OK"), ("DEL z", ":1"), ("RPUSH z list", ":1"), ("DEL z", ":1")]);
    assert_eq!((h.receive(a), h.receive(b), h.receive(c)), Default::default(), "they wait for a sorted set");
    assert_eq!(h.call(producer, "ZADD z 1 one 2 two 3 three 4 four 5 five"), ":5");
    assert_eq!(h.receive(a), r#"["z", "one", "1"]"#);
    assert_eq!(h.receive(b), r#"["z", "five", "5"]"#);
    assert_eq!(h.receive(c), r#"["z", [["two", "2"], ["three", "3"]]]"#);
    check_with(&mut h, &[("ZRANGE z 0 -1", r#"["four"]"#), ("DEL z", ":1")]);
    // A union in the place of a string wakes nobody; a wait in vain ends with a null array.
    assert_eq!(h.call(a, "BZPOPMIN z 1"), "");
    check_with(&mut h, &[("SET z string", "+OK"), ("ZADD other 7 m", ":1"), ("ZUNIONSTORE z 1 other", ":1")]);
    assert_eq!(h.receive(a), "");
    h.advance(Duration::from_secs(1));
    assert_eq!(h.receive(a), "nil-array");
    assert_eq!(h.call(a, "MULTI"), "+OK");
    h.call(a, "BZPOPMIN nosuch 0");
    assert_eq!(h.call(a, "EXEC"), "[nil-array]");
}

#[test]
fn a_large_set_is_freed_whole() {
    let mut h = Harness::new();
    let c = h.connect();
    for first in (0..20_000).step_by(100) {
        let pairs: Vec<String> =
            (first..first + 100).map(|i| format!("{} member:{i}", i * 7919 % 20_000)).collect();
        h.call(c, &format!("ZADD z {}", pairs.join(" ")));
    }
    assert_eq!(h.call(c, "ZREMRANGEBYRANK z 0 14999"), ":15000");
    assert_eq!(h.call(c, "DEL z"), ":1");
    while h.engine.has_work() {
        h.turn();
    }
    assert_eq!(h.engine.store.mem_bytes(), h.engine.store.tables_bytes());
}
