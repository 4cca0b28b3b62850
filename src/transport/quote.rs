//! The one place where text is quoted for a POSIX shell.

/// One argument as one shell word: plain words stay as they are, everything else is put in single quotes.
///
/// POSIX.1-2017, Shell Command Language 2.2.2: inside single quotes every character is itself, and a single quote cannot occur; it is closed, escaped, reopened.
pub fn quote(argument: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:,@%+=".contains(&b);
    // A leading "=" is expanded by zsh, and a leading "-" or "+" is harmless as a word but not worth a special case.
    if !argument.is_empty() && argument.bytes().all(plain) && !argument.starts_with('=') {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

/// An argv as one command line.
pub fn quote_all<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    arguments.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words() {
        assert_eq!(quote("plain-1.0/x"), "plain-1.0/x");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("=cmd"), "'=cmd'");
        assert_eq!(quote("a'b $(x)"), r"'a'\''b $(x)'");
        assert_eq!(quote_all(["a", "b c"]), "a 'b c'");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        #[expect(clippy::disallowed_methods, reason = "the test asks a real shell")]
        fn a_real_shell_gives_back_the_same(text in "[^\0]{0,40}") {
            let output = std::process::Command::new("/bin/sh")
                .arg("-c").arg(format!("printf %s {}", quote(&text)))
                .output().expect("sh runs");
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
    }
}
