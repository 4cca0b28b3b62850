//! `stat -f '%p<TAB>%Su<TAB>%Sg<TAB>%z<TAB>%m<TAB>%N<TAB>%Y'` and `shasum -a 256`.

use std::collections::BTreeMap;

/// What kind of thing a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link and its target.
    Link(String),
    /// Something else.
    Other,
    /// The machine would not say (a directory on the way may not be entered).
    Denied,
}

/// A path as stat shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: StatKind,
    /// Owning user, by name or number.
    pub user: String,
    /// Owning group, by name or number.
    pub group: String,
    /// Permission bits.
    pub mode: u32,
    /// Bytes.
    pub size: u64,
}

/// Facts by path; a path that is not there is absent. Error lines (`stat: PATH: stat: Permission denied`) are read too.
pub fn stat(text: &str) -> BTreeMap<String, Stat> {
    text.lines().filter_map(|line| denied(line).or_else(|| fact(line))).collect()
}

fn fact(line: &str) -> Option<(String, Stat)> {
    let mut fields = line.splitn(7, '\t');
    let mode = u32::from_str_radix(fields.next()?, 8).ok()?;
    let (user, group) = (fields.next()?.to_owned(), fields.next()?.to_owned());
    let size = fields.next()?.parse().ok()?;
    let _modified = fields.next()?;
    let path = fields.next()?.to_owned();
    let target = fields.next().unwrap_or_default();
    // S_IFMT of stat(2), the same on macOS and Linux.
    let kind = match mode & 0o170_000 {
        0o100_000 => StatKind::File,
        0o040_000 => StatKind::Directory,
        0o120_000 => StatKind::Link(target.to_owned()),
        _ => StatKind::Other,
    };
    Some((path, Stat { kind, user, group, mode: mode & 0o7777, size }))
}

fn denied(line: &str) -> Option<(String, Stat)> {
    let path = line.strip_prefix("stat: ")?.strip_suffix("Permission denied")?.trim_end();
    let path =
        path.strip_suffix(": stat:").or_else(|| path.strip_suffix(": lstat:")).or_else(|| path.strip_suffix(':'))?;
    let nobody = Stat { kind: StatKind::Denied, user: String::new(), group: String::new(), mode: 0, size: 0 };
    Some((path.to_owned(), nobody))
}

/// SHA-256 by path: `HASH  PATH`; a name that shasum had to escape is passed over.
pub fn shasum(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| {
            let (hash, path) = line.split_once("  ")?;
            let is_hash = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
            is_hash.then(|| (path.to_owned(), hash.to_ascii_lowercase()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn kinds_owners_and_refusals() {
        let text = "100600\tops\tstaff\t12\t1755590412\t/a b\t
120755\tops\tstaff\t3\t1\t/l\t/x\ty
40755\troot\twheel\t64\t1\t/d\t
stat: /secret/f: stat: Permission denied
stat: /none: stat: No such file or directory
";
        let read = stat(text);
        assert_eq!(read["/a b"].kind, StatKind::File);
        assert_eq!((read["/a b"].mode, read["/a b"].size), (0o600, 12));
        assert_eq!(read["/l"].kind, StatKind::Link("/x\ty".to_owned()));
        assert_eq!((read["/d"].kind.clone(), read["/d"].user.as_str()), (StatKind::Directory, "root"));
        assert_eq!(read["/secret/f"].kind, StatKind::Denied);
        assert_eq!(read.len(), 4);
        let hash = "a".repeat(64);
        assert_eq!(shasum(&format!("{hash}  /a b\n\\{hash}  /x\\ny\nno\n")), [("/a b".to_owned(), hash)].into());
    }

    proptest! {
        #[test]
        fn never_panics(text in "([0-7]{0,7}\t?[a-z0-9 \t]{0,20}\n?){0,6}|\\PC{0,100}") {
            stat(&text);
            stat(&format!("stat: {text}Permission denied"));
            shasum(&text);
        }
    }
}
