//! Configuration files and command lines in the forms of redis-server.

use super::{Config, words};
use std::fmt;

/// What became of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Directive {
    /// It took effect.
    Built,
    /// It sets something not built to what holds anyway.
    Neutral,
    /// It sets something not built that can be done without.
    Ignored,
}

/// A line that the server refuses to start with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// The file's path, or `command line`.
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

/// Longest chain of files that include each other.
const INCLUDES_MAX: usize = 16;

/// Reads a file into `config`; returns the directives that were ignored.
pub fn read_file(config: &mut Config, path: &str) -> Result<Vec<String>, ConfigError> {
    read_included(config, path, 0)
}

fn read_included(config: &mut Config, path: &str, depth: usize) -> Result<Vec<String>, ConfigError> {
    let failed = |why: String| ConfigError {
        source: path.to_string(),
        line: 0,
        directive: format!("include {path}"),
        why,
    };
    if depth > INCLUDES_MAX {
        return Err(failed("files include each other too deeply".into()));
    }
    let text = std::fs::read(path).map_err(|e| failed(format!("Can't open config file: {e}")))?;
    read_lines(config, &String::from_utf8_lossy(&text), path, depth)
}

/// Reads the text of a file into `config`; `source` is its name in errors.
pub fn read_text(config: &mut Config, text: &str, source: &str) -> Result<Vec<String>, ConfigError> {
    read_lines(config, text, source, 0)
}

fn read_lines(
    config: &mut Config,
    text: &str,
    source: &str,
    depth: usize,
) -> Result<Vec<String>, ConfigError> {
    let mut ignored = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let error = |why: String| ConfigError {
            source: source.to_string(),
            line: number + 1,
            directive: line.to_string(),
            why,
        };
        let words = words(line).ok_or_else(|| error("Unbalanced quotes in configuration line".into()))?;
        let Some((name, args)) = words.split_first() else { continue };
        let name = name.to_ascii_lowercase();
        if name == "include" {
            let [path] = args else { return Err(error("wrong number of arguments".into())) };
            ignored.extend(read_included(config, path, depth + 1)?);
            continue;
        }
        match config.set_directive(&name, args).map_err(error)? {
            Directive::Ignored => ignored.push(format!("{name} (line {} of {source})", number + 1)),
            Directive::Built | Directive::Neutral => {}
        }
    }
    Ok(ignored)
}

/// Reads `--name value... --name value...` into `config`; returns the directives that were ignored.
pub fn read_args(config: &mut Config, args: &[String]) -> Result<Vec<String>, ConfigError> {
    let mut ignored = Vec::new();
    let mut rest = args;
    let mut number = 0;
    while let Some((option, more)) = rest.split_first() {
        number += 1;
        let error = |directive: &str, why: String| ConfigError {
            source: "the command line".to_string(),
            line: number,
            directive: directive.to_string(),
            why,
        };
        let Some(name) = option.strip_prefix("--") else {
            return Err(error(option, "Bad directive or wrong number of arguments".into()));
        };
        // The first value may begin with dashes itself, as a password may; `--save` alone has no value.
        let mut n = more.iter().take_while(|arg| !arg.starts_with("--")).count();
        if n == 0 && more.first().is_some_and(|arg| !is_option(arg)) {
            n = 1;
        }
        let name = name.to_ascii_lowercase();
        // `--bind a b` and `--bind "a b"` are both in use.
        let values = match &more[..n] {
            [one] => super::split_list(&name, one),
            several => several.to_vec(),
        };
        let shown = format!("{name} {}", super::quote_all(&values));
        match config.set_directive(&name, &values).map_err(|why| error(shown.trim_end(), why))? {
            Directive::Ignored => ignored.push(format!("{name} (command line)")),
            Directive::Built | Directive::Neutral => {}
        }
        rest = &more[n..];
    }
    Ok(ignored)
}

fn is_option(arg: &str) -> bool {
    arg.strip_prefix("--")
        .is_some_and(|name| super::find(name.as_bytes()).is_some() || super::unbuilt::known(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_options() {
        let mut config = Config::default();
        let text = "# comment\n\nport 7000\nBIND 127.0.0.1 \"::1\"\nacllog-max-len 5\nsave \"\"\n";
        assert_eq!(
            read_text(&mut config, text, "a.conf"),
            Ok(vec!["acllog-max-len (line 5 of a.conf)".into()])
        );
        assert_eq!((config.port, config.bind.clone()), (7000, vec!["127.0.0.1".to_string(), "::1".into()]));
        let args = ["--port", "7001", "--save", "", "--requirepass", "--x", "--maxclients", "50"];
        let args: Vec<String> = args.iter().map(|s| s.to_string()).collect();
        assert_eq!(read_args(&mut config, &args), Ok(vec![]));
        assert_eq!((config.port, config.maxclients, config.requirepass.as_str()), (7001, 50, "--x"));
    }

    #[test]
    fn refusals_name_line_and_directive() {
        let mut config = Config::default();
        for (text, why) in [
            ("port abc", "argument couldn't be parsed into an integer"),
            ("port 70000", "argument must be between 0 and 65535 inclusive"),
            ("nonsense 1", "Bad directive or wrong number of arguments"),
            ("port \"1", "Unbalanced quotes in configuration line"),
        ] {
            let error = read_text(&mut config, &format!("\n{text}"), "x").expect_err(text);
            assert_eq!((error.line, error.directive.as_str(), error.why.as_str()), (2, text, why));
        }
        for dangerous in ["appendonly yes", "maxmemory 100mb", "user a on", "tls-port 6380", "replicaof h 1"]
        {
            assert!(read_text(&mut config, dangerous, "x").is_err(), "{dangerous}");
        }
    }
}
