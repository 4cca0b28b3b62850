//! Weights directories as the probe lists them: `stat -L` of their files, the shards that an index names, config.json.

use std::collections::{BTreeMap, BTreeSet};

use super::Section;
use crate::observe::{WeightsFact, WeightsState};

/// What was seen below all weights directories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeightsFiles {
    /// Sizes of files and directories (0) by path, links followed.
    found: BTreeMap<String, (bool, u64)>,
    /// Paths that may not be looked at.
    denied: BTreeSet<String>,
    /// Shard names by path of the index.
    shards: BTreeMap<String, Vec<String>>,
    /// Texts by path of config.json.
    configs: BTreeMap<String, String>,
}

/// Collects the sections `weights`, `shards PATH` and `config PATH`.
pub fn weights_files<'a>(sections: impl IntoIterator<Item = &'a Section<'a>>) -> WeightsFiles {
    let mut files = WeightsFiles::default();
    for section in sections {
        let path = || section.argument.to_owned();
        match section.name {
            "weights" => {
                for line in section.text().lines() {
                    files.line(line);
                }
            }
            "shards" => {
                files.shards.insert(path(), section.text().lines().map(str::to_owned).collect());
            }
            "config" => {
                files.configs.insert(path(), section.text().trim_end_matches('\n').to_owned());
            }
            _ => {}
        }
    }
    files
}

impl WeightsFiles {
    fn line(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("stat: ") {
            if let Some(path) = rest.strip_suffix(": stat: Permission denied") {
                self.denied.insert(path.to_owned());
            }
            return;
        }
        let mut fields = line.splitn(4, '\t');
        let mode = fields.next().and_then(|mode| u32::from_str_radix(mode, 8).ok());
        let size = fields.next().and_then(|size| size.parse::<u64>().ok());
        if let (Some(mode), Some(size), Some(_), Some(path)) = (mode, size, fields.next(), fields.next()) {
            // S_IFDIR of stat(2)
            self.found.insert(path.to_owned(), (mode & 0o170_000 == 0o040_000, size));
        }
    }

    /// How far the weights at a path are there. `bytes` is what oMLX counts: the top-level safetensors (facts/omlx.md 6.1).
    pub fn fact(&self, path: &str) -> WeightsFact {
        let below = format!("{path}/");
        let mut bytes = 0u64;
        let mut tensors = 0usize;
        for (name, (is_directory, size)) in self.found.range(below.clone()..).take_while(|(n, _)| n.starts_with(&below))
        {
            if name.ends_with(".safetensors") && !is_directory && !name[below.len()..].contains('/') {
                bytes = bytes.saturating_add(*size);
                tensors += 1;
            }
        }
        let config = self.configs.get(&format!("{below}config.json")).cloned();
        // An index that names a file outside its directory names no file of these weights.
        let shards = self.shards.get(&format!("{below}model.safetensors.index.json"));
        let is_there = |shard: &String| {
            !shard.contains('/') && self.found.get(&format!("{below}{shard}")).is_some_and(|(directory, _)| !directory)
        };
        let state = match self.found.get(path) {
            None if self.denied.contains(path) => WeightsState::Broken,
            None => WeightsState::Missing,
            Some((false, _)) => WeightsState::Broken,
            Some((true, _)) if shards.is_some_and(|shards| !shards.iter().all(is_there)) => WeightsState::Incomplete,
            Some((true, _)) if tensors == 0 || config.is_none() => WeightsState::Broken,
            Some((true, _)) => WeightsState::Complete,
        };
        WeightsFact { path: path.to_owned(), state, bytes: (tensors > 0).then_some(bytes), config }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::observe::parse::sections;

    #[test]
    fn complete_incomplete_missing_broken() {
        let output = b"@@n weights
40755\t64\t1\t/m/a
100644\t10\t1\t/m/a/config.json
100644\t99\t1\t/m/a/model.safetensors.index.json
100644\t1000\t1\t/m/a/model-1.safetensors
100644\t500\t1\t/m/a/model-2.safetensors
40755\t64\t1\t/m/b
100644\t7\t1\t/m/b/model-1.safetensors
stat: /m/c: stat: No such file or directory
stat: /m/d: stat: Permission denied
40755\t64\t1\t/m/e

@@n shards /m/a/model.safetensors.index.json
model-1.safetensors
model-2.safetensors

@@n shards /m/b/model.safetensors.index.json
model-1.safetensors
../b/model-1.safetensors

@@n config /m/a/config.json
{\"model_type\": \"qwen3\"}
";
        let cut = sections(output, "n");
        let files = weights_files(&cut);
        let a = files.fact("/m/a");
        assert_eq!((a.state, a.bytes), (WeightsState::Complete, Some(1500)));
        assert_eq!(a.config.as_deref(), Some("{\"model_type\": \"qwen3\"}"));
        assert_eq!(files.fact("/m/b").state, WeightsState::Incomplete);
        assert_eq!(files.fact("/m/c").state, WeightsState::Missing);
        assert_eq!(files.fact("/m/d").state, WeightsState::Broken);
        assert_eq!(files.fact("/m/e").state, WeightsState::Broken);
    }

    proptest! {
        #[test]
        fn never_panics(text in "([0-7]{0,7}\t[0-9]{0,20}\t1\t/m[/a-z.]{0,20}\n){0,6}|\\PC{0,100}") {
            let section = Section { name: "weights", argument: "", body: text.as_bytes() };
            weights_files([&section]).fact("/m");
        }
    }
}
