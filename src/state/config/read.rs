//! Configuration files and command lines in the forms of redis-server.

use super::{Config, Taken, params, values, words};
use crate::{
    base::glob,
    resp::error::shown,
    state::acl::{self, RuleError, Terms, User},
};
use std::{
    ffi::OsStr,
    fmt, fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// A line that the server refuses to start with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// The file's path, or `the command line`.
    pub source: String,
    pub line: usize,
    pub directive: String,
    pub why: String,
}

impl fmt::Display for ConfigError {
    /// As redis-server prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n*** FATAL CONFIG FILE ERROR (Staywire {}) ***", env!("CARGO_PKG_VERSION"))?;
        writeln!(f, "Reading the configuration file, at line {} of {}", self.line, self.source)?;
        writeln!(f, ">>> '{}'", self.directive)?;
        f.write_str(&self.why)
    }
}

impl std::error::Error for ConfigError {}

/// `rename-command`: a command's other name; an empty one removes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rename {
    pub command: String,
    pub name: String,
    /// Where it was asked for, in the form of an error.
    pub place: ConfigError,
}

/// `user`: a user with all rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserLine {
    pub name: Vec<u8>,
    pub rules: Vec<Vec<u8>>,
    /// Where it stands, in the form of an error.
    pub place: ConfigError,
}

/// Longest chain of files that include each other.
const INCLUDES_MAX: usize = 16;

/// Directives of the past, which had an effect once and are taken without one.
const DEPRECATED: [&str; 5] = [
    "list-max-ziplist-entries",
    "list-max-ziplist-value",
    "lua-replicate-commands",
    "io-threads-do-reads",
    "dynamic-hz",
];

/// Puts a configuration together from files, texts and arguments; what comes later wins.
#[derive(Default)]
pub struct Reader {
    config: Config,
    /// Parameters that add up and were named.
    begun: Vec<&'static str>,
    ignored: Vec<String>,
}

impl Reader {
    /// Reads a file.
    pub fn file(&mut self, path: &str) -> Result<(), ConfigError> {
        self.included(path, 0)
    }

    /// Reads the text of a file; `source` is its name in errors.
    pub fn text(&mut self, text: &[u8], source: &str) -> Result<(), ConfigError> {
        self.lines(text, source, 0)
    }

    /// Reads `--name value... --name value...`: the lines of a file, written in another way.
    pub fn args(&mut self, args: &[&[u8]]) -> Result<(), ConfigError> {
        self.lines(&lines_of(args), "the command line", 0)
    }

    /// The configuration, and the directives in it that change nothing.
    pub fn finish(self) -> (Config, Vec<String>) {
        (self.config, self.ignored)
    }

    /// Takes the arguments of a directive, behind those of earlier ones where they add up.
    fn directive(&mut self, name: &str, args: &[&[u8]]) -> Result<Taken, String> {
        let found = params::find(name.as_bytes()).map(|(_, param)| param);
        let Some(param) = found.filter(|param| param.adds_up && !matches!(args, [] | [b""])) else {
            return self.config.set_directive(name, args);
        };
        let mut all = Vec::new();
        if self.begun.contains(&param.name) {
            all = words(&param.get(&mut self.config)).unwrap_or_default();
        } else {
            self.begun.push(param.name);
        }
        all.extend(args.iter().flat_map(|arg| words(arg).unwrap_or_default()));
        self.config.set_directive(name, &all.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    fn included(&mut self, path: &str, depth: usize) -> Result<(), ConfigError> {
        let failed = |path: &str, why: String| ConfigError {
            source: path.to_string(),
            line: 0,
            directive: format!("include {path}"),
            why,
        };
        if depth > INCLUDES_MAX {
            return Err(failed(path, "files include each other too deeply".into()));
        }
        let is_pattern = path.contains(['*', '?', '[']);
        let paths = if is_pattern { matching(Path::new(path)) } else { vec![PathBuf::from(path)] };
        for path in paths {
            let shown = path.to_string_lossy();
            let text = fs::read(&path).map_err(|error| {
                failed(&shown, format!("Fatal error, can't open config file '{shown}': {error}"))
            })?;
            self.lines(&text, &shown, depth)?;
        }
        Ok(())
    }

    fn lines(&mut self, text: &[u8], source: &str, depth: usize) -> Result<(), ConfigError> {
        for (number, line) in text.split(|&b| b == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let place = ConfigError {
                source: source.to_string(),
                line: number + 1,
                directive: String::from_utf8_lossy(line).into_owned(),
                why: String::new(),
            };
            let error = |why: String| ConfigError { why, ..place.clone() };
            let words = words(line).ok_or_else(|| error("Unbalanced quotes in configuration line".into()))?;
            let Some((name, args)) = words.split_first() else { continue };
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            match (name.as_str(), args) {
                ("include", [path]) => self.included(&String::from_utf8_lossy(path), depth + 1)?,
                ("rename-command", [command, name]) => {
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    self.config.renames.push(Rename { command: text(command), name: text(name), place });
                }
                ("user", [user, rules @ ..]) => self.config.add_user(user, rules, place)?,
                _ => {
                    let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
                    if self.directive(&name, &args).map_err(error)? == Taken::Ignored {
                        self.ignored.push(format!("{name} (line {} of {source})", number + 1));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Config {
    /// Sets one parameter as a line of a file does: at any time before the start.
    pub fn set_directive(&mut self, name: &str, args: &[&[u8]]) -> Result<Taken, String> {
        let Some((_, param)) = params::find(name.as_bytes()) else {
            return match (name, args) {
                ("loadmodule", [_, ..]) => Err(format!("'{name}' is not built yet")),
                (_, [_]) if DEPRECATED.contains(&name) => Ok(Taken::Kept),
                _ => Err("Bad directive or wrong number of arguments".into()),
            };
        };
        // One argument may hold several words: `--bind "a b"`.
        let split = match args {
            [one] if param.many && !one.is_empty() => words(one),
            _ => None,
        };
        match split {
            Some(words) => param.set(self, &words.iter().map(Vec::as_slice).collect::<Vec<_>>()),
            None => param.set(self, args),
        }
    }

    /// Sets one parameter before the start by a value in one text; of a list it holds the words.
    pub fn set_text(&mut self, name: &str, text: &str) -> Result<Taken, String> {
        if name.eq_ignore_ascii_case("rename-command") {
            return self.rename_text(text);
        }
        if name.eq_ignore_ascii_case("user") {
            let words = words(text.as_bytes()).unwrap_or_default();
            let Some((user, rules)) = words.split_first() else {
                return Err("wrong number of arguments".into());
            };
            let added = self.add_user(user, rules, of_builder("user"));
            return added.map(|()| Taken::Kept).map_err(|error| error.why);
        }
        self.set_directive(&name.to_ascii_lowercase(), &[text.as_bytes()])
    }
}

impl Config {
    fn rename_text(&mut self, text: &str) -> Result<Taken, String> {
        let words = words(text.as_bytes()).unwrap_or_default();
        let [command, name] = words.as_slice() else { return Err("wrong number of arguments".into()) };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let place = of_builder("rename-command");
        self.renames.push(Rename { command: text(command), name: text(name), place });
        Ok(Taken::Kept)
    }

    /// Notes a user whose rules look well. Which commands there are is not known here.
    fn add_user(&mut self, name: &[u8], words: &[Vec<u8>], place: ConfigError) -> Result<(), ConfigError> {
        let error = |word: &[u8], why: &str| {
            let word = String::from_utf8_lossy(shown(word));
            ConfigError { why: format!("Error in user declaration '{word}': {why}"), ..place.clone() }
        };
        if self.users.iter().any(|user| user.name == name) {
            const WHY: &str = "Duplicate user found. A user can only be defined once in config files";
            return Err(error(name, WHY));
        }
        if acl::has_spaces(name) {
            return Err(error(name, "Spaces not allowed in ACL usernames"));
        }
        let rules = acl::joined(words.iter().map(Vec::as_slice))
            .map_err(|word| error(word, "Unmatched parenthesis in selector"))?;
        let terms = Terms { catalog: &acl::Catalog::default(), all_channels: self.opens_channels() };
        let mut user = User::new(name, terms);
        for rule in &rules {
            match user.apply(rule, terms) {
                Ok(()) | Err(RuleError::Unknown) => {}
                Err(why) => return Err(error(rule, why.text())),
            }
        }
        self.users.push(UserLine { name: name.to_vec(), rules, place });
        Ok(())
    }
}

/// The place of what no file says.
fn of_builder(directive: &str) -> ConfigError {
    ConfigError { source: "the builder".into(), line: 0, directive: directive.into(), why: String::new() }
}

/// The lines of a file that say what these arguments say.
fn lines_of(args: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::new();
    // The first value may begin with dashes itself, as a password may.
    let mut has_value = true;
    for (i, arg) in args.iter().enumerate() {
        match arg.strip_prefix(b"--") {
            Some(option) if has_value => {
                if !text.is_empty() {
                    text.push(b'\n');
                }
                text.extend_from_slice(option);
                text.push(b' ');
                // `--port 6380` may be one argument.
                has_value = words(arg).is_none_or(|words| words.len() != 1);
                // `--save` alone has no value.
                let is_last = args.get(i + 1).is_none_or(|next| next.starts_with(b"--"));
                if !has_value && is_last && arg.eq_ignore_ascii_case(b"--save") {
                    text.extend_from_slice(b"\"\"");
                    has_value = true;
                }
            }
            _ => {
                text.extend_from_slice(&values::quote(arg));
                text.push(b' ');
                has_value = true;
            }
        }
    }
    text
}

/// The files that a pattern names, in order. A star matches no slash, and no dot at the start of a name.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let part = part.as_os_str();
        if !part.as_bytes().iter().any(|b| b"*?[".contains(b)) {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        found = found.iter().flat_map(|folder| inside(folder, part)).collect();
        found.sort();
    }
    found.retain(|path| path.exists());
    found
}

fn inside(folder: &Path, pattern: &OsStr) -> Vec<PathBuf> {
    let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name()).filter(|name| {
        let hidden = name.as_bytes().starts_with(b".") && !pattern.as_bytes().starts_with(b".");
        !hidden && glob::matches(pattern.as_bytes(), name.as_bytes())
    });
    names.map(|name| folder.join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Config, Vec<String>), ConfigError> {
        let mut reader = Reader::default();
        reader.text(text.as_bytes(), "a.conf").map(|()| reader.finish())
    }

    #[test]
    fn lines() {
        let text =
            "# comment\n\nport 7000\nBIND 127.0.0.1 \"::1\"\nrepl-timeout 5\nsave \"\"\ndynamic-hz yes\n";
        let (config, ignored) = read(text).expect("it is well-formed");
        assert_eq!(ignored, ["repl-timeout (line 5 of a.conf)"]);
        assert_eq!((config.port, config.bind), (7000, vec!["127.0.0.1".to_string(), "::1".into()]));
    }

    #[test]
    fn save_points_add_up() {
        for (text, points) in [
            ("", "3600 1 300 100 60 10000"),
            ("save 900 1\nsave 300 10", "900 1 300 10"),
            ("save 900 1 300 10\nSAVE '60 1'", "900 1 300 10 60 1"),
            ("save 900 1\nsave \"\"\nsave 5 5", "5 5"),
            ("save 900 1\nsave", ""),
        ] {
            let (mut config, _) = read(text).expect(text);
            assert_eq!(config.get(b"save")[0].1, points.as_bytes(), "{text}");
        }
        for text in ["save 900", "save 900 1\nsave 5", "save 0 1", "save 1 -1", "save x 1"] {
            assert_eq!(read(text).expect_err(text).why, "Invalid save parameters");
        }
    }

    #[test]
    fn options() {
        for (args, lines) in [
            (&["--port", "7001", "--save", "", "--hz", "5"][..], "port \"7001\" \nsave \"\" \nhz \"5\" "),
            (&["--save", "--hz", "5"], "save \"\"\nhz \"5\" "),
            (&["--hz", "5", "--save"], "hz \"5\" \nsave \"\""),
            (&["--requirepass", "--x", "--hz", "5"], "requirepass \"--x\" \nhz \"5\" "),
            (&["--port 7001", "--hz '5'"], "port 7001 \nhz '5' "),
            (&["loglevel", "verbose", "--bind", "a", "b"], "\"loglevel\" \"verbose\" \nbind \"a\" \"b\" "),
            (&["--port", "--loglevel", "verbose"], "port \"--loglevel\" \"verbose\" "),
        ] {
            let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
            assert_eq!(String::from_utf8_lossy(&lines_of(&args)), lines);
        }
    }

    #[test]
    fn refusals_name_line_and_directive() {
        for (text, why) in [
            ("port abc", "argument couldn't be parsed into an integer"),
            ("port 70000", "argument must be between 0 and 65535 inclusive"),
            ("port 1 2", "wrong number of arguments"),
            ("nonsense 1", "Bad directive or wrong number of arguments"),
            ("port \"1", "Unbalanced quotes in configuration line"),
        ] {
            let error = read(&format!("\n{text}")).expect_err(text);
            assert_eq!((error.line, error.directive.as_str(), error.why.as_str()), (2, text, why));
        }
        for dangerous in ["appendonly yes", "user a xyz", "user a on (", "tls-port 6380", "replicaof h 1"] {
            assert!(read(dangerous).is_err(), "{dangerous}");
        }
    }
}
