//! Writes `rung` into the fleet file: comments and order stay, the file is replaced in one step, and only by one without errors.

use toml_edit::{DocumentMut, Item, Value};

use super::super::{Context, FleetFile};
use crate::config;
use crate::error::{CommandError, Kind};
use crate::fleet::{Rung, ShadowName};
use crate::fs;

/// Changes the rung. Errors: the file changed since it was read, or cannot be written; it is left as it was.
pub(super) fn write_rung(cx: &Context, file: &FleetFile, name: &ShadowName, rung: Rung) -> Result<(), CommandError> {
    let named = file.path.display();
    // A symbolic link stays one: what it leads to is replaced.
    let path = fs::real_path(&file.path)
        .map_err(|error| CommandError::failed(format!("cannot find {named}")).because(error))?;
    let text = with_rung(&file.text, name, rung)
        .ok_or_else(|| CommandError::new(Kind::Bug, format!("cannot find [shadow.{name}] in {named}")))?;
    if config::load(&named.to_string(), &text)
        .fleet
        .is_none_or(|fleet| fleet.shadows.get(name).is_none_or(|shadow| shadow.rung != rung))
    {
        return Err(CommandError::new(Kind::Bug, format!("the change of {named} would not be sound")));
    }
    let now = fs::read_text(&path, u64::try_from(text.len()).unwrap_or(u64::MAX).saturating_add(1 << 20));
    if now.as_ref().ok() != Some(&file.text) {
        return Err(CommandError::failed(format!("{named} changed meanwhile"))
            .hint("it is left as it is; run the command again"));
    }
    let mode =
        fs::mode(&path).map_err(|error| CommandError::failed(format!("cannot look at {named}")).because(error))?;
    fs::write_atomic(&path, text.as_bytes(), mode)
        .map_err(|error| CommandError::failed(format!("cannot replace {named}")).because(error))?;
    cx.ui.status(&format!("{named}: [shadow.{name}] rung = \"{}\"", rung.as_str()));
    Ok(())
}

fn with_rung(text: &str, name: &ShadowName, rung: Rung) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let table = document.get_mut("shadow")?.as_table_like_mut()?.get_mut(name.as_str())?.as_table_like_mut()?;
    match table.get_mut("rung").and_then(Item::as_value_mut) {
        Some(value) => {
            // The comment behind it and the blanks around it belong to the old value.
            let decor = value.decor().clone();
            *value = Value::from(rung.as_str());
            *value.decor_mut() = decor;
        }
        None => drop(table.insert("rung", toml_edit::value(rung.as_str()))),
    }
    Some(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_rung_changes() {
        let text = include_str!("../../../fleet.toml");
        let name = ShadowName::new("job-score").expect("a name");
        let changed = with_rung(text, &name, Rung::Easy5).expect("changed");
        let differing: Vec<(&str, &str)> = text.lines().zip(changed.lines()).filter(|(old, new)| old != new).collect();
        assert_eq!(text.lines().count(), changed.lines().count());
        assert_eq!(differing.len(), 1);
        assert_eq!(differing[0].1, differing[0].0.replace("\"shadow\" ", "\"easy-5\" "));
        assert_eq!(with_rung(&changed, &name, Rung::Shadow).as_deref(), Some(text), "and back");
        let without: Vec<&str> = text.lines().filter(|line| !line.starts_with("rung")).collect();
        let without = without.join("\n");
        assert!(with_rung(&without, &name, Rung::All).expect("added").contains("rung = \"all\""));
        assert_eq!(with_rung(text, &ShadowName::new("other").expect("a name"), Rung::All), None);
    }
}
