use super::*;

fn catalog() -> Catalog {
    let item = |name: &str, categories, subcommands| Item {
        full_name: name.into(),
        categories,
        is_subcommand: name.contains('|'),
        subcommands,
    };
    let commands = vec![
        item("get", 1, 0..0),
        item("set", 2, 0..0),
        item("config", 4, 3..5),
        item("config|get", 4, 0..0),
        item("config|set", 4, 0..0),
        item("select", 8, 0..0),
    ];
    Catalog::new(commands, vec![("read", 1), ("write", 2), ("slow", 4)])
}

/// The rules of a user that these make, without the name, or what is wrong with one of them.
fn rules(text: &str) -> Result<String, RuleError> {
    let catalog = catalog();
    let terms = Terms { catalog: &catalog, all_channels: false };
    let mut user = User::new(b"u", terms);
    for rule in joined(text.split(' ').map(str::as_bytes)).expect("parentheses are closed") {
        user.apply(&rule, terms)?;
    }
    let line = String::from_utf8(user.line()).expect("it is text");
    Ok(line.trim_start_matches("user u ").replace(" sanitize-payload", ""))
}

#[test]
fn rules_are_shown_in_one_form() {
    for (given, shown) in [
        ("", "off resetchannels -@all"),
        ("on NOPASS ALLKEYS &* +@ALL", "on nopass ~* &* +@all"),
        ("~a %R~b %W~b %rw~c ~a &x &x", "off ~a ~b ~c resetchannels &x -@all"),
        ("%R~r %W~w %R", "off %R~r %W~w %R~ resetchannels -@all"),
        ("+GET +@read -get", "off resetchannels -@all +@read -get"),
        ("+config|get -config|set +config", "off resetchannels -@all +config"),
        ("+@all -config|get -@slow +config|set", "off resetchannels +@all -config|get -@slow +config|set"),
        ("+select|0 +select|1 +SELECT|0", "off resetchannels -@all +select|1 +select|0"),
        ("+select|0 -select", "off resetchannels -@all -select"),
        (
            "+get nocommands (~k +get) (allkeys)",
            "off resetchannels -@all (~k resetchannels -@all +get) (~* resetchannels -@all)",
        ),
        ("on (~k) clearselectors ~x reset", "off resetchannels -@all"),
    ] {
        assert_eq!(rules(given), Ok(shown.into()), "{given}");
    }
}

#[test]
fn rules_that_do_not_hold() {
    for (given, error) in [
        ("+nosuch", RuleError::Unknown),
        ("-@nosuch", RuleError::Unknown),
        ("+get|a|b", RuleError::Unknown),
        ("-get|a", RuleError::Unknown),
        ("+config|nosuch", RuleError::Unknown),
        ("+config|get|a", RuleError::ArgumentOfSubcommand),
        ("+select|", RuleError::Syntax),
        ("%", RuleError::Syntax),
        ("%~a", RuleError::Syntax),
        ("%RR~a", RuleError::Syntax),
        ("~a\t", RuleError::Syntax),
        ("(nosuch)", RuleError::Syntax),
        ("allkeys ~a", RuleError::KeysAreOpen),
        ("allchannels &a", RuleError::ChannelsAreOpen),
        ("<a", RuleError::NoSuchPassword),
        ("#a", RuleError::BadHash),
        (")", RuleError::Syntax),
    ] {
        assert_eq!(rules(given), Err(error), "{given}");
    }
}

#[test]
fn the_form_that_is_shown_makes_the_same_user() {
    let pieces = [
        "+@all",
        "-@all",
        "+get",
        "-get",
        "+config",
        "-config|get",
        "+config|set",
        "+select|0",
        "-select",
        "+@slow",
        "-@read",
        "~a*",
        "%R~b",
        "%W~b",
        "allkeys",
        "resetkeys",
        "&c",
        "allchannels",
        "resetchannels",
        "on",
        "off",
        "nopass",
        ">p",
        "resetpass",
        "(+get ~x)",
        "(+@all -config %R~y &z)",
        "clearselectors",
        "reset",
    ];
    let catalog = catalog();
    let terms = Terms { catalog: &catalog, all_channels: false };
    let mut rng = crate::base::rng::Rng::new(7);
    for _ in 0..3000 {
        let mut user = User::new(b"u", terms);
        for _ in 0..rng.below(12) {
            // Some contradict what was said before.
            let _ = user.apply(pieces[rng.below(pieces.len() as u64) as usize].as_bytes(), terms);
        }
        let line = user.line();
        let mut again = User::new(b"u", terms);
        for rule in joined(line.split(|&b| b == b' ').skip(2)).expect("parentheses are closed") {
            again.apply(&rule, terms).expect("what is shown can be said");
        }
        assert_eq!(again.line(), line);
        for id in 0..catalog.len() as Command {
            for arg in [None, Some(b"0".as_slice()), Some(b"1")] {
                let allows = |user: &User| {
                    user.selectors().iter().map(|s| s.allows_command(id, arg)).collect::<Vec<_>>()
                };
                assert_eq!(allows(&again), allows(&user), "{}", String::from_utf8_lossy(&line));
            }
        }
        assert!(again.unrestricted || !user.unrestricted);
    }
}
