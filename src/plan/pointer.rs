//! Names from the top of a JSON document, and their written form.

use serde_json::Value;

/// The value at a path of names.
pub(super) fn get<'a>(document: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(document, |value, name| value.as_object()?.get(name))
}

/// As the record on the machine and the runner write it (RFC 6901).
pub fn to_pointer(path: &[String]) -> String {
    path.iter().fold(String::new(), |mut text, name| {
        text.push('/');
        text.push_str(&name.replace('~', "~0").replace('/', "~1"));
        text
    })
}

/// Reads what [`to_pointer`] wrote; `None` for anything else.
pub fn from_pointer(pointer: &str) -> Option<Vec<String>> {
    let rest = pointer.strip_prefix('/')?;
    Some(rest.split('/').map(|name| name.replace("~1", "/").replace("~0", "~")).collect())
}

/// As a person reads it.
pub(super) fn dotted(path: &[String]) -> String {
    path.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_round_trip() {
        let path = ["models".to_owned(), "a/b~c".to_owned(), "ttl".to_owned()];
        assert_eq!(to_pointer(&path), "/models/a~1b~0c/ttl");
        assert_eq!(from_pointer("/models/a~1b~0c/ttl").as_deref(), Some(&path[..]));
        assert_eq!(from_pointer("models"), None);
    }
}
