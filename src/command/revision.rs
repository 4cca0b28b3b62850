//! Where the fleet file stands in git, and how that stands to what was applied.

use std::path::Path;
use std::time::Duration;

use crate::plan::Lineage;
use crate::transport::output_of;

/// git answers from the disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// The revision of a fleet file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revision {
    /// The commit.
    pub(crate) commit: String,
    /// Whether the file differs from it.
    pub(crate) is_dirty: bool,
    directory: String,
}

/// The commit that the fleet file's directory is at; `None` where there is no git or no repository.
pub(crate) async fn revision(file: &Path) -> Option<Revision> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = directory.to_str()?.to_owned();
    let commit = git(&directory, &["rev-parse", "--verify", "HEAD"]).await?;
    let is_commit = commit.len() >= 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
    let name = file.file_name()?.to_str()?;
    let status = git(&directory, &["status", "--porcelain", "--", name]).await?;
    is_commit.then_some(Revision { commit, is_dirty: !status.is_empty(), directory })
}

/// How the file at hand stands to the applied revision.
pub(crate) async fn lineage(ours: Option<&Revision>, applied: Option<&str>) -> Lineage {
    let (Some(ours), Some(applied)) = (ours, applied) else { return Lineage::Unknown };
    if !applied.bytes().all(|b| b.is_ascii_hexdigit()) || applied.is_empty() {
        return Lineage::Unknown;
    }
    if ours.commit == applied {
        return Lineage::Current;
    }
    let ancestor = |of: &str, is: &str| ["merge-base", "--is-ancestor", is, of].map(str::to_owned);
    let yes = async |arguments: [String; 4]| {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        git(&ours.directory, &words).await.is_some()
    };
    if yes(ancestor(applied, &ours.commit)).await {
        return Lineage::Older(applied.to_owned());
    }
    if yes(ancestor(&ours.commit, applied)).await { Lineage::Current } else { Lineage::Unknown }
}

async fn git(directory: &str, arguments: &[&str]) -> Option<String> {
    let argv: Vec<String> = ["git", "-C", directory].iter().chain(arguments).map(|word| (*word).to_owned()).collect();
    let said = output_of(&argv, PATIENCE).await.ok()?;
    Some(String::from_utf8(said).ok()?.trim().to_owned())
}
