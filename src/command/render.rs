//! `fleetctl render --out DIR [--check]`

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::Context;
use crate::cli::RenderArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::fleet::{Fleet, Machine};
use crate::fs::{self, Node, Tree};
use crate::render::{Bundle, Content, ManifestMachine, bundle};
use crate::ui::json::{DifferenceEntry, RenderDocument};
use crate::ui::{plural, sanitize, short_diff};

const MANIFEST: &str = "manifest.json";
/// Lines of one file's diff in the answer of `--check`.
const DIFF_LINES: usize = 12;

pub(crate) fn run(cx: &Context, args: &RenderArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let fleet = &file.fleet;
    let machines = cx.select(fleet)?;
    let strangers = look_into(&args.out, fleet)?;
    let render = Render { cx, out: &args.out, fleet, machines: &machines, strangers: &strangers };
    if args.check { render.check() } else { render.write() }
}

/// The machines that were selected, and where their files stand.
struct Render<'a> {
    cx: &'a Context,
    out: &'a Path,
    fleet: &'a Fleet,
    machines: &'a [&'a Machine],
    /// Renders in `out` that are of no machine of this fleet.
    strangers: &'a [String],
}

/// What a machine would get, while it is needed: of a thousand machines a few are in memory at once.
struct Rendered {
    bundle: Bundle,
    root: PathBuf,
    tree: Tree,
}

impl Rendered {
    fn new(fleet: &Fleet, machine: &Machine, out: &Path) -> Result<Self, CommandError> {
        let bundle = bundle(fleet, machine);
        let root = out.join(bundle.machine.as_str());
        let tree = tree_of(&bundle)?;
        Ok(Self { bundle, root, tree })
    }
}

impl Render<'_> {
    fn write(&self) -> Result<Exit, CommandError> {
        let written = in_parallel(self.machines, |machine| {
            let Rendered { bundle, root, tree } = Rendered::new(self.fleet, machine, self.out)?;
            let is_same =
                fs::read_tree(&root).is_ok_and(|found| found.is_some_and(|found| without_modes(&tree) == found));
            if !is_same {
                fs::replace_tree(&root, &tree)
                    .map_err(|error| CommandError::failed(format!("cannot write {}", root.display())).because(error))?;
            }
            let links = tree.values().filter(|node| matches!(node, Node::Link(_))).count();
            let state = if is_same { "unchanged" } else { "written" };
            let shown = sanitize(&root.display().to_string());
            let files = tree.len() - links;
            let line =
                format!("{}: {}, {}, {state}: {shown}\n", bundle.machine, plural(files, "file"), plural(links, "link"));
            Ok((line, self.cx.global.json.then(|| bundle.manifest_machine())))
        });
        let (lines, manifests): (Vec<String>, Vec<Option<ManifestMachine>>) =
            written.into_iter().collect::<Result<Vec<_>, CommandError>>()?.into_iter().unzip();
        for stranger in self.strangers {
            self.cx.ui.warn(&format!(
                "{} is of no machine of this fleet; it is left",
                sanitize(&self.out.join(stranger).display().to_string())
            ));
        }
        if self.cx.global.json {
            self.cx.ui.answer_json(&RenderDocument::new(manifests.into_iter().flatten().collect(), None))?;
        } else {
            self.cx.ui.answer(&lines.concat())?;
        }
        Ok(Exit::Done)
    }

    fn check(&self) -> Result<Exit, CommandError> {
        let compared = in_parallel(self.machines, |machine| {
            let Rendered { bundle, root, tree } = Rendered::new(self.fleet, machine, self.out)?;
            let found = fs::read_tree(&root)
                .map_err(|error| CommandError::failed(format!("cannot read {}", root.display())).because(error))?;
            let differences = compare(&bundle, &tree, &found.unwrap_or_default());
            Ok((differences, self.cx.global.json.then(|| bundle.manifest_machine())))
        });
        let (differences, manifests): (Vec<Vec<Difference>>, Vec<Option<ManifestMachine>>) =
            compared.into_iter().collect::<Result<Vec<_>, CommandError>>()?.into_iter().unzip();
        let mut differences: Vec<Difference> = differences.into_iter().flatten().collect();
        // With --on, what else lies there was not asked for.
        if self.cx.global.on.is_empty() {
            differences.extend(self.strangers.iter().map(|stranger| Difference {
                machine: stranger.clone(),
                path: String::new(),
                kind: "extra",
                diff: Vec::new(),
            }));
        }
        let exit = if differences.is_empty() { Exit::Done } else { Exit::Differences };
        if self.cx.global.json {
            let entries = differences.into_iter().map(Difference::entry).collect();
            self.cx.ui.answer_json(&RenderDocument::new(manifests.into_iter().flatten().collect(), Some(entries)))?;
        } else {
            self.cx.ui.answer(&told(self.out, self.machines.len(), &differences))?;
        }
        Ok(exit)
    }
}

/// What `work` makes of each, in the order of the items, on as many threads as the computer has cores.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let work = &work;
        let parts: Vec<_> =
            items.chunks(share).map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<R>>())).collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn told(out: &Path, machines: usize, differences: &[Difference]) -> String {
    let shown = sanitize(&out.display().to_string());
    let machines = plural(machines, "machine");
    if differences.is_empty() {
        return format!("{shown}: as rendered, {machines}\n");
    }
    let mut lines = Vec::new();
    for difference in differences {
        let path = sanitize(&out.join(&difference.machine).join(&difference.path).display().to_string());
        lines.push(format!("{:<8}{path}\n", difference.kind));
        lines.extend(difference.diff.iter().map(|line| format!("        {line}\n")));
    }
    lines.push(format!("{shown}: {} in {machines}\n", plural(differences.len(), "difference")));
    lines.concat()
}

/// A path that is not as it would be rendered.
struct Difference {
    machine: String,
    path: String,
    kind: &'static str,
    diff: Vec<String>,
}

impl Difference {
    fn entry(self) -> DifferenceEntry {
        DifferenceEntry { machine: self.machine, path: self.path, kind: self.kind }
    }
}

fn compare(bundle: &Bundle, wanted: &Tree, found: &Tree) -> Vec<Difference> {
    let mut differences = Vec::new();
    let paths: std::collections::BTreeSet<&PathBuf> = wanted.keys().chain(found.keys()).collect();
    for path in paths {
        let (kind, diff) = match (wanted.get(path), found.get(path)) {
            (Some(wanted), Some(found)) if is_same(wanted, found) => continue,
            (Some(wanted), Some(found)) => ("changed", short_diff(&text_of(found), &text_of(wanted), DIFF_LINES)),
            (Some(_), None) => ("missing", Vec::new()),
            (None, _) => ("extra", Vec::new()),
        };
        let path = path.to_string_lossy().into_owned();
        differences.push(Difference { machine: bundle.machine.to_string(), path, kind, diff });
    }
    differences
}

fn is_same(wanted: &Node, found: &Node) -> bool {
    match (wanted, found) {
        (Node::File { bytes: wanted, .. }, Node::File { bytes: found, .. }) => wanted == found,
        _ => wanted == found,
    }
}

fn text_of(node: &Node) -> String {
    match node {
        Node::File { bytes, .. } => String::from_utf8_lossy(bytes).into_owned(),
        Node::Link(target) => format!("-> {}\n", target.display()),
        Node::Other => "(no regular file, or a very long one)\n".to_owned(),
    }
}

fn without_modes(tree: &Tree) -> Tree {
    let plain = |node: &Node| match node {
        Node::File { bytes, .. } => Node::File { bytes: bytes.clone(), is_executable: false },
        other => other.clone(),
    };
    tree.iter().map(|(path, node)| (path.clone(), plain(node))).collect()
}

/// The files of a bundle below its machine's directory, manifest.json with them. Holes are shown as placeholders.
fn tree_of(bundle: &Bundle) -> Result<Tree, CommandError> {
    let mut tree = Tree::new();
    for entry in &bundle.entries {
        let node = match &entry.content {
            Content::Link { target } => Node::Link(PathBuf::from(target)),
            Content::Whole(text) => file(text.shown(), entry.mode),
            Content::Keys(document) => file(document.fresh.shown(), entry.mode),
        };
        tree.insert(below(&entry.path)?, node);
    }
    tree.insert(PathBuf::from(MANIFEST), file(bundle.manifest(), 0o644));
    Ok(tree)
}

fn file(text: String, mode: u32) -> Node {
    Node::File { bytes: text.into_bytes(), is_executable: mode & 0o111 != 0 }
}

/// An absolute path as one below a directory. Errors: it would lead out of it.
fn below(path: &str) -> Result<PathBuf, CommandError> {
    let parts: Vec<Component<'_>> = Path::new(path).components().collect();
    match parts.as_slice() {
        [Component::RootDir, rest @ ..] if rest.iter().all(|part| matches!(part, Component::Normal(_))) => {
            Ok(rest.iter().collect())
        }
        _ => Err(CommandError::failed(format!("the path {path} cannot be written below a directory"))
            .hint("write it in the fleet file absolute and without \"..\"")),
    }
}

/// Looks at what DIR holds before anything is written or removed. Gives the renders that are of no machine of this fleet.
///
/// Errors: DIR or something in it is not a render, so that a mistyped `--out /` or `--out ~` neither replaces nor litters anything. Plain files and hidden
/// ones (a README, .git) may lie there: they are never touched.
fn look_into(out: &Path, fleet: &Fleet) -> Result<Vec<String>, CommandError> {
    let unreadable = |error| CommandError::failed(format!("cannot read {}", out.display())).because(error);
    let Some(names) = fs::names_in(out).map_err(unreadable)? else { return Ok(Vec::new()) };
    let mut strangers = Vec::new();
    for name in names {
        let path = out.join(&name);
        let is_machine = fleet.machines.contains(&name);
        if fs::is_real_directory(&path) {
            if !is_render(&path, &name) {
                return Err(foreign(out, &path));
            }
            if !is_machine {
                strangers.push(name);
            }
        } else if is_machine {
            return Err(foreign(out, &path));
        }
    }
    Ok(strangers)
}

fn foreign(out: &Path, path: &Path) -> CommandError {
    CommandError::failed(format!("{} holds {}, which is no render; nothing was touched", out.display(), path.display()))
        .hint("give --out a directory of its own")
}

/// What tells a manifest from other JSON; the rest of it is passed over.
#[derive(Deserialize)]
struct Written {
    schema: String,
    machines: Vec<WrittenMachine>,
}

#[derive(Deserialize)]
struct WrittenMachine {
    name: String,
}

/// Whether a directory was written by `render` for that machine: its manifest says so.
fn is_render(directory: &Path, machine: &str) -> bool {
    const LIMIT: u64 = 16 << 20;
    let Ok(text) = fs::read_text(&directory.join(MANIFEST), LIMIT) else { return false };
    serde_json::from_str::<Written>(&text).is_ok_and(|manifest| {
        manifest.schema.starts_with("fleetctl.render/")
            && manifest.machines.first().is_some_and(|written| written.name == machine)
    })
}
