//! The generations that a machine keeps: asked of it, and read.

use std::time::Duration;

use serde::Deserialize;

use crate::transport::{As, Remote, RunError};

/// Prints `N kept|gone JSON` a generation, then `present N`. A generation that was left has a snapshot and can be gone back to.
const SCRIPT: &str = r#"
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
cd /usr/local/var/fleetctl/generations 2>/dev/null || exit 0
for number in *; do
	case $number in
	*[!0-9]*) continue ;;
	esac
	kept=gone
	[ -s "$number/snapshot/sums" ] && kept=kept
	printf '%s %s %s\n' "$number" "$kept" "$(tr -d '\n' <"$number/about.json" 2>/dev/null)"
done
printf 'present %s\n' "$(cat present 2>/dev/null)"
"#;

/// How long a machine may take to answer.
const WITHIN: Duration = Duration::from_secs(30);

/// A generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number.
    pub number: u32,
    /// Whether the machine is in it.
    pub is_present: bool,
    /// Whether it can be gone back to.
    pub is_kept: bool,
    /// Who made it and what it was; `None` for what was there before fleetctl.
    pub about: Option<About>,
}

/// What the record said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct About {
    /// `apply` or `rollback`.
    pub kind: String,
    /// `user@host`
    pub who: String,
    /// When, RFC 3339 in UTC by the laptop's clock.
    pub at: Option<String>,
    /// The git revision of the fleet file.
    pub revision: Option<String>,
    /// How many changes.
    pub changes: usize,
    /// The changes, a line each.
    pub summary: Vec<String>,
}

/// Asks a machine. Errors: it cannot be asked.
pub async fn history(remote: &Remote) -> Result<Vec<Generation>, RunError> {
    let output = remote.run(As::Root, SCRIPT, WITHIN).await?;
    Ok(read(&output.text()))
}

/// Reads what the machine printed; a line that is none is left out. Oldest first.
pub(super) fn read(text: &str) -> Vec<Generation> {
    let present = text.lines().rev().find_map(|line| line.strip_prefix("present ")).and_then(|text| text.parse().ok());
    let mut all: Vec<Generation> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.splitn(3, ' ');
            let number = words.next()?.parse().ok()?;
            let is_kept = match words.next()? {
                "kept" => true,
                "gone" => false,
                _ => return None,
            };
            let about = serde_json::from_str(words.next().unwrap_or_default()).ok();
            Some(Generation { number, is_present: present == Some(number), is_kept, about })
        })
        .collect();
    all.sort_by_key(|generation| generation.number);
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn generations_are_read_in_order() {
        let all = read(
            "10 gone {\"kind\": \"apply\", \"who\": \"o@l\", \"changes\": 3, \"generation\": 10}\n0 kept \n9 kept {broken\nnoise\npresent 10\n",
        );
        let shown: Vec<_> =
            all.iter().map(|one| (one.number, one.is_present, one.is_kept, one.about.is_some())).collect();
        assert_eq!(shown, [(0, false, true, false), (9, false, true, false), (10, true, false, true)]);
        assert_eq!(read(""), []);
    }

    proptest! {
        #[test]
        fn no_answer_is_too_odd(text in "[0-9a-z {}\"\n]{0,80}") {
            drop(read(&text));
        }
    }
}
