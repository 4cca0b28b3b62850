//! Weights below a directory, as `templates/models/list.sh` prints them: files with sizes, the shards that an index names, what is free.

use std::collections::{BTreeMap, BTreeSet};

use super::WeightsState;
use super::parse::df;

/// What lies below a directory of weights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Whether the directory itself is there; `None` when the listing was cut short.
    pub has_root: Option<bool>,
    /// Bytes that may still be written there.
    pub free: Option<u64>,
    /// Directories that hold weights, by their path below the root.
    pub directories: BTreeMap<String, WeightsListing>,
    /// Where oMLX's links point, absolute.
    pub served: BTreeSet<String>,
}

/// One directory of weights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeightsListing {
    /// Its files by their path below it, links followed.
    pub files: BTreeMap<String, FileStamp>,
    /// The shards that its index names; `None` without an index.
    pub shards: Option<Vec<String>>,
    /// What keeps it from being looked at: it may not be read, or is a link that leads nowhere or in a circle.
    pub is_broken: bool,
}

/// What tells whether a file was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    /// Bytes.
    pub size: u64,
    /// Seconds since 1970.
    pub modified: i64,
}

impl Inventory {
    /// Reads a listing. Lines of another form are passed over: a file name may hold anything.
    pub fn parse(text: &str) -> Self {
        let mut inventory = Self::default();
        let mut has_root = false;
        for line in text.lines() {
            if let Some(volume) = line.strip_prefix("df ") {
                inventory.free = df(volume).first().map(|volume| volume.available).or(inventory.free);
            } else if line == "root" {
                has_root = true;
            } else if line == "end" {
                inventory.has_root = Some(has_root);
            } else {
                inventory.entry(line);
            }
        }
        inventory
    }

    fn entry(&mut self, line: &str) {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["directory", directory] => {
                self.at(directory);
            }
            ["unreadable" | "broken", directory] => self.at(directory).is_broken = true,
            ["index", directory] => {
                self.at(directory).shards.get_or_insert_default();
            }
            ["shard", directory, name] => {
                self.at(directory).shards.get_or_insert_default().push((*name).to_owned());
            }
            ["file", directory, size, modified, path] => {
                if let (Ok(size), Ok(modified)) = (size.parse(), modified.parse()) {
                    self.at(directory).files.insert((*path).to_owned(), FileStamp { size, modified });
                }
            }
            ["served", target] => {
                self.served.insert((*target).to_owned());
            }
            _ => {}
        }
    }

    fn at(&mut self, directory: &str) -> &mut WeightsListing {
        self.directories.entry(directory.to_owned()).or_default()
    }
}

impl WeightsListing {
    /// How far it is there.
    pub fn state(&self) -> WeightsState {
        if self.is_broken {
            WeightsState::Broken
        } else if !self.missing().is_empty() {
            WeightsState::Incomplete
        } else if self.tensors().next().is_none() || !self.files.contains_key("config.json") {
            WeightsState::Broken
        } else {
            WeightsState::Complete
        }
    }

    /// Shards that the index names and that are not there. One outside its own directory is none of these weights.
    pub fn missing(&self) -> Vec<&str> {
        let is_missing = |shard: &&String| shard.contains('/') || !self.files.contains_key(*shard);
        self.shards.iter().flatten().filter(is_missing).map(String::as_str).collect()
    }

    /// Bytes of all files: what a copy takes.
    pub fn bytes(&self) -> u64 {
        self.files.values().map(|stamp| stamp.size).fold(0, u64::saturating_add)
    }

    fn tensors(&self) -> impl Iterator<Item = (&String, &FileStamp)> {
        self.files.iter().filter(|(path, _)| path.ends_with(".safetensors") && !path.contains('/'))
    }

    /// The files of `other` that are not here in the same size.
    pub fn differing<'a>(&self, other: &'a Self) -> Vec<&'a str> {
        let differs =
            |(path, stamp): &(&'a String, &FileStamp)| self.files.get(*path).is_none_or(|own| own.size != stamp.size);
        other.files.iter().filter(differs).map(|(path, _)| path.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LISTING: &str = "df /dev/disk3s5 239362496 171020320 47120012 79% /System/Volumes/Data
root
directory\ta
file\ta\t10\t1\tconfig.json
file\ta\t1000\t1\tm-1.safetensors
file\ta\t500\t1\tm-2.safetensors
file\ta\t7\t1\tnested/x.safetensors
index\ta
shard\ta\tm-1.safetensors
shard\ta\tm-2.safetensors
directory\torg/b
file\torg/b\t10\t1\tconfig.json
file\torg/b\t1000\t1\tm-1.safetensors
index\torg/b
shard\torg/b\tm-1.safetensors
shard\torg/b\tm-2.safetensors
shard\torg/b\t../a/m-1.safetensors
broken\tloop
directory\tempty
file\tempty\tx\ty
served\t/Users/ops/models/a
end
";

    #[test]
    fn complete_incomplete_and_broken() {
        let inventory = Inventory::parse(LISTING);
        assert_eq!((inventory.has_root, inventory.free), (Some(true), Some(47_120_012 * 1024)));
        let of = |name: &str| &inventory.directories[name];
        assert_eq!((of("a").state(), of("a").bytes()), (WeightsState::Complete, 1517));
        assert_eq!(of("org/b").state(), WeightsState::Incomplete);
        assert_eq!(of("org/b").missing(), ["m-2.safetensors", "../a/m-1.safetensors"]);
        assert_eq!((of("loop").state(), of("empty").state()), (WeightsState::Broken, WeightsState::Broken));
        assert!(inventory.served.contains("/Users/ops/models/a"));
        assert_eq!(of("org/b").differing(of("a")), ["m-2.safetensors", "nested/x.safetensors"]);
        assert_eq!(Inventory::parse("root\ndirectory\ta\n").has_root, None, "cut short");
        assert_eq!(Inventory::parse("end\n").has_root, Some(false));
    }

    proptest! {
        #[test]
        fn never_panics(text in "((file|shard|df|directory)[\t a-z0-9/.]{0,30}\n){0,6}|\\PC{0,100}") {
            for listing in Inventory::parse(&text).directories.values() {
                let _ = (listing.state(), listing.bytes());
            }
        }
    }
}
