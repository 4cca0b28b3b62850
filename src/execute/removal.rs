//! Taking everything of ours off a machine: what is there is asked of the machine itself, so it works for one that no file names any more.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::fleet::{MachineName, Release, layout};
use crate::plan::{Found, Gate, Kept, Merge, Owner, Text, Transaction, UnitAction, UnitKind, UnitStep, from_pointer};
use crate::transport::{As, Remote, RunError};

/// Prints `manifest JSON`, `record JSON`, and for each path that the manifest names `sha PATH HASH`, `link PATH<TAB>TARGET` or `other PATH`.
const SCRIPT: &str = r#"
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
cd /usr/local/var/fleetctl 2>/dev/null || exit 0
printf 'manifest %s\n' "$(tr -d '\n' <manifest.json 2>/dev/null)"
printf 'record %s\n' "$(tr -d '\n' <record.json 2>/dev/null)"
sed -n 's/^ *"path": "\(.*\)",*$/\1/p' manifest.json 2>/dev/null | while IFS= read -r path; do
	if [ -L "$path" ]; then
		printf 'link %s\t%s\n' "$path" "$(readlink "$path")"
	elif [ -f "$path" ]; then
		printf 'sha %s\t%s\n' "$path" "$(/usr/bin/shasum -a 256 <"$path" | cut -c 1-64)"
	fi
done
"#;

/// Stands for oMLX's base path where the manifest names none.
const NO_BASE: &str = "/var/empty";

/// How long a machine may take to answer.
const WITHIN: Duration = Duration::from_mins(1);

/// What would be taken off.
#[derive(Clone, Debug, PartialEq)]
pub struct Removal {
    /// What is done; `None`: fleetctl owns nothing there.
    pub transaction: Option<Transaction>,
    /// The fleet that it belonged to.
    pub fleet: String,
    /// What stays although it was ours, and why.
    pub kept: Vec<Kept>,
}

#[derive(Deserialize)]
struct Manifest {
    machines: Vec<ManifestMachine>,
}

#[derive(Deserialize)]
struct ManifestMachine {
    files: Vec<ManifestFile>,
}

#[derive(Deserialize)]
struct ManifestFile {
    path: String,
    kind: String,
    owner: String,
    sha256: Option<String>,
    target: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Record {
    fleet: String,
    keys: BTreeMap<String, Vec<String>>,
}

/// Asks a machine what is ours there. Errors: it cannot be asked.
pub async fn removal(remote: &Remote, within: Duration) -> Result<Removal, RunError> {
    let output = remote.run(As::Root, SCRIPT, WITHIN).await?;
    Ok(plan(remote.machine(), &output.text(), within))
}

/// What is there at a path.
enum There {
    Sha(String),
    Link(String),
}

pub(super) fn plan(machine: &MachineName, text: &str, within: Duration) -> Removal {
    let after = |word: &str| text.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_default();
    let record: Record = serde_json::from_str(after("record ")).unwrap_or_default();
    let mut removal = Removal { transaction: None, fleet: record.fleet, kept: Vec::new() };
    let Some(files) = serde_json::from_str::<Manifest>(after("manifest "))
        .ok()
        .and_then(|manifest| manifest.machines.into_iter().next())
        .map(|machine| machine.files)
    else {
        return removal;
    };
    let there: BTreeMap<&str, There> = text
        .lines()
        .filter_map(|line| {
            let (word, rest) = line.split_once(' ')?;
            let (path, what) = rest.split_once('\t')?;
            match word {
                "sha" => Some((path, There::Sha(what.to_owned()))),
                "link" => Some((path, There::Link(what.to_owned()))),
                _ => None,
            }
        })
        .collect();
    let mut transaction = empty(machine, within);
    let base = files.iter().find_map(|file| base_of(&file.path)).unwrap_or(NO_BASE).to_owned();
    for file in files {
        let (user, group) = file.owner.split_once(':').unwrap_or(("root", "wheel"));
        let owner = Owner { user: user.to_owned(), group: group.to_owned() };
        let keep = |reason: &str| Kept { path: file.path.clone(), reason: reason.to_owned() };
        if base_of(&file.path) == Some(&base) {
            if file.path.ends_with("/settings.json") {
                transaction.base.clone_from(&base);
                transaction.user.clone_from(&owner.user);
            }
            transaction
                .merges
                .extend(merge(&file.path, owner, &record.keys).filter(|_| there.contains_key(file.path.as_str())));
            continue;
        }
        // A manifest that somebody edited must not become a list of what to delete.
        if !layout::could_be_ours(&file.path, &base) {
            let is_there = there.contains_key(file.path.as_str());
            removal.kept.extend(is_there.then(|| keep("listed in the manifest, but nothing of fleetctl's lies there")));
            continue;
        }
        if let Some(step) = unit(&file.path) {
            transaction.units.push(step);
        }
        match (there.get(file.path.as_str()), file.kind.as_str()) {
            (None, _) => {}
            (Some(There::Link(target)), "link") if Some(target) == file.target.as_ref() => {
                transaction.found.push(Found::Link { path: file.path.clone(), target: target.clone() });
                transaction.removes.push(file.path);
            }
            (Some(There::Sha(sha256)), "file") if file.sha256.as_ref().is_none_or(|ours| ours == sha256) => {
                transaction.found.push(Found::Bytes { path: file.path.clone(), sha256: sha256.clone() });
                transaction.removes.push(file.path);
            }
            _ => removal.kept.push(keep("was changed since fleetctl wrote it")),
        }
    }
    removal.transaction = Some(transaction);
    removal
}

/// oMLX's base path, when the path is one of its own three files.
fn base_of(path: &str) -> Option<&str> {
    if path.starts_with(layout::STATE) {
        return None;
    }
    let (base, name) = path.rsplit_once('/')?;
    matches!(name, "settings.json" | "model_settings.json" | "model_profiles.json").then_some(base)
}

fn merge(path: &str, owner: Owner, keys: &BTreeMap<String, Vec<String>>) -> Option<Merge> {
    let remove: Vec<Vec<String>> = keys.get(path)?.iter().filter_map(|pointer| from_pointer(pointer)).collect();
    Some(Merge { path: path.to_owned(), owner, set: Vec::new(), remove, fresh: Text::literal("{}"), keep_aside: false })
}

fn unit(path: &str) -> Option<UnitStep> {
    let label = path.strip_prefix(layout::DAEMONS)?.strip_prefix('/')?.strip_suffix(".plist")?;
    let name = label.strip_prefix(layout::LABEL_PREFIX)?;
    Some(UnitStep {
        name: name.to_owned(),
        label: label.to_owned(),
        kind: if name == "omlx" { UnitKind::Omlx } else { UnitKind::Timed },
        plist: path.to_owned(),
        log: None,
        action: UnitAction::Remove,
        ready: None,
    })
}

fn empty(machine: &MachineName, within: Duration) -> Transaction {
    let gate = Gate {
        engine: false,
        release: Release::V0_3_8,
        url: Text::default(),
        within,
        listed: Vec::new(),
        resident: Vec::new(),
        by_clock: false,
        ask: Vec::new(),
    };
    Transaction::empty(machine.clone(), "root".to_owned(), NO_BASE.to_owned(), gate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_goes_and_what_was_changed_stays() {
        let manifest = serde_json::json!({"schema": "fleetctl.render/1", "machines": [{"name": "m", "files": [
            {"path": "/Library/LaunchDaemons/dev.fleetctl.omlx.plist", "kind": "file", "mode": "0644", "owner": "root:wheel", "sha256": "aa", "target": null},
            {"path": "/Users/ops/.omlx/settings.json", "kind": "file", "mode": "0600", "owner": "ops:staff", "sha256": null, "target": null},
            {"path": "/Users/ops/.omlx/serve/W/n", "kind": "link", "mode": "0755", "owner": "ops:staff", "sha256": null, "target": "/w"},
            {"path": "/usr/local/libexec/fleetctl/rotate", "kind": "file", "mode": "0755", "owner": "root:wheel", "sha256": "bb", "target": null},
            {"path": "/gone", "kind": "file", "mode": "0755", "owner": "root:wheel", "sha256": "cc", "target": null},
        ]}]});
        let text = format!(
            "manifest {manifest}\nrecord {{\"fleet\": \"home\", \"keys\": {{\"/Users/ops/.omlx/settings.json\": [\"/auth/api_key\"]}}}}\nsha /Library/LaunchDaemons/dev.fleetctl.omlx.plist\taa\nsha /Users/ops/.omlx/settings.json\tff\nlink /Users/ops/.omlx/serve/W/n\t/w\nsha /usr/local/libexec/fleetctl/rotate\tedited\n"
        );
        let machine = MachineName::new("m").expect("a name");
        let removal = plan(&machine, &text, Duration::from_mins(1));
        assert_eq!(removal.fleet, "home");
        assert_eq!(
            removal.kept.iter().map(|kept| kept.path.as_str()).collect::<Vec<_>>(),
            ["/usr/local/libexec/fleetctl/rotate"]
        );
        let transaction = removal.transaction.expect("something is ours");
        assert_eq!(
            transaction.removes,
            ["/Library/LaunchDaemons/dev.fleetctl.omlx.plist", "/Users/ops/.omlx/serve/W/n"]
        );
        assert_eq!((transaction.base.as_str(), transaction.user.as_str()), ("/Users/ops/.omlx", "ops"));
        assert_eq!(transaction.merges[0].remove, [["auth", "api_key"]]);
        assert_eq!(transaction.units.len(), 1);
        assert_eq!(plan(&machine, "", Duration::ZERO).transaction, None);
        assert_eq!(plan(&machine, "manifest {edited\n", Duration::ZERO).transaction, None);
    }

    #[test]
    fn an_edited_manifest_is_no_list_of_what_to_delete() {
        let manifest = serde_json::json!({"machines": [{"files": [
            {"path": "/Users/ops/.omlx/settings.json", "kind": "file", "owner": "ops:staff"},
            {"path": "/etc/passwd", "kind": "file", "owner": "root:wheel"},
            {"path": "/usr/local/var/fleetctl/../../../etc/hosts", "kind": "file", "owner": "root:wheel"},
            {"path": "/Users/other/settings.json", "kind": "file", "owner": "root:wheel"},
            {"path": "/Users/ops/bin/tool", "kind": "link", "owner": "ops:staff", "target": "/x"},
        ]}]});
        let there = "sha /etc/passwd\taa\nsha /usr/local/var/fleetctl/../../../etc/hosts\taa\nsha /Users/other/settings.json\taa\nlink /Users/ops/bin/tool\t/x\n";
        let keys = "{\"keys\": {\"/Users/other/settings.json\": [\"/a\"]}}";
        let text = format!("manifest {manifest}\nrecord {keys}\n{there}");
        let removal = plan(&MachineName::new("m").expect("a name"), &text, Duration::ZERO);
        let transaction = removal.transaction.expect("something is ours");
        assert_eq!((transaction.removes.len(), transaction.merges.len(), removal.kept.len()), (0, 0, 4));
    }
}
