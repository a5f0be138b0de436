//! `proc-title-template`: a text with variables in braces.

/// The variables that a template may name.
pub const VARIABLES: [&str; 7] =
    ["title", "listen-addr", "server-mode", "port", "tls-port", "config-file", "unixsocket"];

/// Puts values in the place of `{variable}`s; `{{` is a brace. `None` where a brace is not closed, or a variable has no
/// value. Spaces at both ends go.
pub fn expand(template: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut title = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        title.push_str(before);
        if let Some(after) = after.strip_prefix('{') {
            title.push('{');
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('}')?;
        title.push_str(&value(name)?);
        rest = after;
    }
    title.push_str(rest);
    Some(title.trim_matches(' ').to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced() {
        let value = |name: &str| (name == "port").then(|| "7".to_string());
        assert_eq!(expand(" a {port}b{{x} ", value), Some("a 7b{x}".into()));
        assert_eq!(expand("{port", value), None);
        assert_eq!(expand("{nosuch}", value), None);
        assert_eq!(expand("", value), Some(String::new()));
    }
}
