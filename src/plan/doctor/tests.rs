//! Each rule of doctor against a machine right after an apply, with one thing wrong.

use super::*;
use crate::fleet::Bytes;
use crate::observe::{Checkup, FileFact, ForeignEngine, Path, PortOwner, Tailnet, TailnetError};
use crate::plan::tests::machine;
use crate::testing::machine::{after_apply, values};
use crate::{render, testing};

const NOW: &str = "2026-11-23T17:00:00Z";

fn sound() -> Checkup {
    let power = [("sleep", "0"), ("autorestart", "1"), ("lowpowermode", "0")];
    Checkup {
        power: power.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        filevault: Some(false),
        updates: Some(false),
        weights: Some(String::new()),
        is_whole: true,
        ..Checkup::default()
    }
}

fn node(expiry: Option<&str>) -> Node {
    Node {
        name: "mac-mini3".to_owned(),
        os: "macOS".to_owned(),
        address: None,
        is_online: true,
        key_expiry: expiry.map(str::to_owned),
        direct: None,
        is_active: true,
        relay: Some("fra".to_owned()),
    }
}

fn said_of(name: &str, file: &str, peer: Option<&Node>, change: impl FnOnce(&mut Observed)) -> Vec<String> {
    let fleet = testing::fleet(file);
    let machine = machine(&fleet, name);
    let bundle = render::bundle(&fleet, machine);
    let mut observed = after_apply(&fleet, machine, &bundle, &values());
    observed.checkup = Some(sound());
    change(&mut observed);
    let quote = |word: &str| format!("<{word}>");
    let now = NOW.parse().expect("a time");
    let examined = Examined {
        fleet: &fleet,
        machine,
        bundle: &bundle,
        observed: &observed,
        drifts: false,
        peer,
        now,
        quote: &quote,
    };
    let line = |finding: Finding| {
        let mend = match finding.mend {
            None => "-".to_owned(),
            Some(Mend::Here(command)) => format!("here: {command}"),
            Some(Mend::There(command)) => format!("there: {command}"),
        };
        format!("{} | {} | {mend}", finding.code.id, finding.message)
    };
    examine(&examined).into_iter().map(line).collect()
}

fn said(change: impl FnOnce(&mut Observed)) -> Vec<String> {
    said_of("mac-mini3", include_str!("../../../fleet.toml"), None, change)
}

fn checkup(change: impl FnOnce(&mut Checkup)) -> Vec<String> {
    said(|observed| change(observed.checkup.as_mut().expect("asked")))
}

#[test]
fn a_sound_machine_has_no_finding() {
    assert_eq!(said(|_| {}), Vec::<String>::new());
    assert_eq!(said(|observed| observed.checkup = None), Vec::<String>::new());
}

#[test]
fn power_boot_and_updates() {
    let said = checkup(|checkup| {
        checkup.filevault = Some(true);
        checkup.updates = Some(true);
        checkup.is_whole = false;
        for (key, value) in [("sleep", "10"), ("autorestart", "0"), ("lowpowermode", "1")] {
            checkup.power.insert(key.to_owned(), value.to_owned());
        }
    });
    insta::assert_snapshot!(said.join("\n"), @r"
    filevault-on | FileVault is on: after a power cut it waits for its password before it boots | there: sudo fdesetup disable
    machine-sleeps | it sleeps after 10 min without a user | there: sudo pmset -a sleep 0 disksleep 0 powernap 0
    no-auto-restart | it stays off when power comes back (autorestart 0) | there: sudo pmset -a autorestart 1
    low-power-mode | Low Power Mode is on | there: sudo pmset -a lowpowermode 0
    automatic-updates | macOS looks for updates by itself, and may restart at night | there: sudo softwareupdate --schedule off
    checkup-incomplete | a tool hung and was given up: what it says is not known | -
    ");
    let blocked = checkup(|checkup| {
        checkup.power.insert("sleep".to_owned(), "10".to_owned());
        checkup.power.insert("SleepDisabled".to_owned(), "1".to_owned());
    });
    assert_eq!(blocked, Vec::<String>::new());
}

#[test]
fn the_tailnet() {
    let own = |expiry: &str| {
        let this = node(Some(expiry));
        checkup(|checkup| checkup.tailscale = Some(Ok(Tailnet { suffix: None, this: Some(this), peers: Vec::new() })))
    };
    let mut all = Vec::new();
    all.extend(own("2026-11-25T17:00:00Z"));
    all.extend(own("2026-11-23T16:59:59Z"));
    assert_eq!(own("2026-12-07T17:00:00Z"), Vec::<String>::new(), "14 days ahead");
    all.extend(checkup(|checkup| checkup.tailscale = Some(Err(TailnetError::NotRunning("NeedsLogin".to_owned())))));
    all.extend(checkup(|checkup| checkup.tailscale = Some(Err(TailnetError::Malformed))));
    let file = include_str!("../../../fleet.toml");
    all.extend(said_of("mac-mini3", file, Some(&node(None)), |observed| observed.path = Path::Tailnet));
    let direct = Node { direct: Some("192.168.1.23:41641".to_owned()), ..node(None) };
    assert_eq!(said_of("mac-mini3", file, Some(&direct), |_| {}), Vec::<String>::new());
    assert_eq!(said_of("mac-mini3", file, Some(&node(None)), |seen| seen.path = Path::Lan), Vec::<String>::new());
    all.extend(said(|observed| observed.disabled.extend(["com.openssh.sshd".to_owned()])));
    insta::assert_snapshot!(all.join("\n"), @r"
    tailscale-key-expires | its tailnet key expires in 2 days (2026-11-25T17:00:00Z) | here: open https://login.tailscale.com/admin/machines
    tailscale-key-expired | its tailnet key expired at 2026-11-23T16:59:59Z | there: PATH=/usr/local/bin:/opt/homebrew/bin:$PATH tailscale up
    tailscale-down | its tailscale says NeedsLogin | there: PATH=/usr/local/bin:/opt/homebrew/bin:$PATH tailscale up
    tailscale-down | its tailscale does not answer: is it running? | there: PATH=/usr/local/bin:/opt/homebrew/bin:$PATH tailscale up
    path-relayed | the tailnet has no direct path to it, packets go over relay fra | here: tailscale ping <mac-mini3.tail0a1b2c.ts.net>
    ssh-not-at-boot | launchd has com.openssh.sshd disabled: no SSH after the next boot | there: sudo launchctl enable system/com.openssh.sshd
    ");
}

#[test]
fn processes_ports_and_launchds_patience() {
    let mut all = said(|observed| {
        let foreign = |label: Option<&str>, pid| ForeignEngine {
            label: label.map(str::to_owned),
            domain: label.map(|_| "gui/501".to_owned()),
            plist: None,
            pid: Some(pid),
            command: "omlx-server".to_owned(),
        };
        observed.foreign = vec![foreign(None, 99), foreign(Some("homebrew.mxcl.omlx"), 98)];
        let owner = PortOwner { pid: 7, user: Some("eve".to_owned()), command: "nc -l 8000".to_owned() };
        observed.listeners.insert(8000, vec![owner]);
        observed.installed_release = Some("0.5.0".to_owned());
    });
    all.extend(said(|observed| {
        let job = observed.jobs.get_mut("dev.fleetctl.omlx").expect("loaded");
        job.pid = None;
        job.state = "spawn scheduled".to_owned();
        job.last_exit = Some(78);
        job.successive_crashes = Some(6);
        job.minimum_runtime = Some(1200);
    }));
    all.extend(said(|observed| {
        let path = "/Users/ops/.omlx/settings.json".to_owned();
        let Some(FileFact::File { bytes, .. }) = observed.files.get_mut(&path) else { panic!("{path} is a file") };
        *bytes = Some(br#"{"server": {"host": "0.0.0.0"}, "auth": {"api_key": null}}"#.to_vec());
    }));
    let guarded = include_str!("../../../fleet.toml");
    let open = guarded
        .replace("bind    = \"all\"", "bind    = \"tailnet\"")
        .replace("api_key = { env = \"FLEET_OMLX_API_KEY\" }", "");
    assert_ne!(open, guarded);
    all.extend(said_of("mac-mini1", &open, None, |observed| observed.files.clear()));
    insta::assert_snapshot!(all.join("\n"), @r"
    omlx-stale | pid 99 is an oMLX of no job: omlx-server | there: sudo kill 99
    omlx-second | homebrew.mxcl.omlx is loaded beside our daemon | there: launchctl bootout <gui/501/homebrew.mxcl.omlx>; launchctl disable <gui/501/homebrew.mxcl.omlx>
    port-taken | port 8000 is held by pid 7 of eve: nc -l 8000; end it, or give oMLX another `port` | there: sudo kill 7
    omlx-restart-pending | oMLX 0.5.0 is installed and 0.3.8 still runs, as declared: its next start is the other | -
    daemon-cannot-open | omlx ended with 78 before it ran: its log, working directory or program cannot be opened | here: fleetctl apply --on mac-mini3
    daemon-throttled | launchd holds omlx back after 6 crashes in a row (spawn scheduled, 1200 s between starts) | here: fleetctl restart mac-mini3 <omlx>
    port-open | settings.json there has host 0.0.0.0 and asks for no key | here: fleetctl apply --on mac-mini3
    port-unguarded | the file binds port 8000 to an address of the network, without api_key | here: fleetctl edit
    ");
}

#[test]
fn a_bare_engine_without_our_daemon_is_said_by_status_alone() {
    let bare = |pid| ForeignEngine {
        label: None,
        domain: None,
        plist: None,
        pid: Some(pid),
        command: "/opt/homebrew/bin/omlx serve".to_owned(),
    };
    let beside = |count: u32, is_ours_there: bool| {
        said(|observed| {
            observed.foreign = (0..count).map(|number| bare(90 + number)).collect();
            if !is_ours_there {
                observed.jobs.remove("dev.fleetctl.omlx");
            }
        })
    };
    let stale = |pid: u32| {
        format!("omlx-stale | pid {pid} is an oMLX of no job: /opt/homebrew/bin/omlx serve | there: sudo kill {pid}")
    };
    assert_eq!(beside(1, false), Vec::<String>::new());
    assert_eq!(beside(2, false), [stale(91)]);
    assert_eq!(beside(1, true), [stale(90)]);
}

#[test]
fn a_service_that_does_not_run_has_a_command() {
    let text = include_str!("../../../fleet.toml");
    let moved = text.replace("/opt/homebrew/bin/litellm", "/Users/ops/router/bin/litellm");
    let wrapped = text.replace("/opt/homebrew/bin/litellm", "/usr/local/bin/router");
    let mended = |file: &str, name: &str, unit: &str, change: fn(&mut Observed)| {
        let fleet = testing::fleet(file);
        let machine = machine(&fleet, name);
        let bundle = render::bundle(&fleet, machine);
        let mut observed = after_apply(&fleet, machine, &bundle, &values());
        change(&mut observed);
        let (quote, now) = (|word: &str| word.to_owned(), NOW.parse().expect("a time"));
        let (bundle, observed, quote) = (&bundle, &observed, &quote);
        let examined = Examined { fleet: &fleet, machine, bundle, observed, drifts: false, peer: None, now, quote };
        let (mend, hint) = mend_service(unit, &examined);
        format!("{mend:?}{}", hint.map_or(String::new(), |hint| format!("\n  {hint}")))
    };
    let no_program = |observed: &mut Observed| observed.programs = Some([].into());
    let no_job = |observed: &mut Observed| observed.jobs.clear();
    let shown = [
        mended(text, "mac-studio1", "gateway", no_program),
        mended(&moved, "mac-studio1", "gateway", no_program),
        mended(&wrapped, "mac-studio1", "gateway", no_program),
        mended(text, "mac-mini1", "resolver", no_program),
        mended(text, "mac-studio1", "gateway", no_job),
        mended(text, "mac-studio1", "gateway", |_| {}),
    ];
    insta::assert_snapshot!(shown.join("\n"), @r#"
    There("python3.11 -m venv /Users/ops/litellm && /Users/ops/litellm/bin/pip install litellm[proxy]==1.106.2")
      and afterwards program = "/Users/ops/litellm/bin/litellm" in [gateway]: pip in Homebrew's own prefix would break Homebrew
    There("python3.11 -m venv /Users/ops/router && /Users/ops/router/bin/pip install litellm[proxy]==1.106.2")
    There("ls -l /usr/local/bin/router")
      `program` in [gateway] names LiteLLM: put it there, or name where it is
    There("ls -l /usr/local/bin/fleetctl")
      `program` in [resolver] names fleetctl, built on a Mac: put it there, or name where it is
    Here("fleetctl apply --on mac-studio1")
    Here("fleetctl logs mac-studio1 gateway")
    "#);
}

#[test]
fn memory_that_nobody_owns_and_a_limit_that_a_boot_forgets() {
    let gigabytes = |count: u64| Bytes(count << 30);
    let dead = |wired: u64| {
        said(|observed| {
            observed.jobs.remove("dev.fleetctl.omlx");
            observed.hardware.memory = Some(gigabytes(64));
            observed.memory.wired = Some(gigabytes(wired));
        })
    };
    // 4 GiB and a sixteenth of 64 GiB are the system's.
    assert_eq!(dead(8), Vec::<String>::new());
    let mut all = dead(40);
    let alive = |wired: u64| {
        said(|observed| {
            observed.hardware.memory = Some(gigabytes(64));
            observed.memory.wired = Some(gigabytes(wired));
            observed.engine.models =
                crate::observe::Answer::Got(serde_json::json!({"models": [], "current_model_memory": 20_u64 << 30}));
        })
    };
    assert_eq!(alive(44), Vec::<String>::new(), "20 held, 16 of caches, 8 of the system");
    all.extend(alive(45));
    all.extend(said(|observed| observed.hardware.gpu_limit = Some(gigabytes(56))));
    let file = include_str!("../../../fleet.toml");
    all.extend(said_of("mac-studio1", file, None, |observed| {
        observed.hardware.gpu_limit = Some(gigabytes(84));
        observed.jobs.remove("dev.fleetctl.gpu-limit");
    }));
    insta::assert_snapshot!(all.join("\n"), @r#"
    wired-unowned | 40.0 GiB are wired and no oMLX runs: only a restart of the machine frees the rest | there: sudo shutdown -r now
    wired-unowned | 45.0 GiB are wired and oMLX holds 20.0 GiB: only a restart of the machine frees the rest | there: sudo shutdown -r now
    gpu-limit-not-persisted | the GPU limit is 56.0 GiB now, set by hand; a boot forgets it. gpu_limit = "57344MB" in [machines.mac-mini3] keeps it | here: fleetctl edit
    gpu-limit-not-persisted | the GPU limit is 84.0 GiB now, and no daemon sets it at a boot | here: fleetctl apply --on mac-studio1
    "#);
}

#[test]
fn weights_and_logs() {
    let mut all =
        checkup(|checkup| checkup.weights = Some("ls: /Users/ops/models: Operation not permitted".to_owned()));
    all.extend(checkup(|checkup| checkup.weights = Some("/Users/ops/models is not there".to_owned())));
    let file = include_str!("../../../fleet.toml").replace("weights = \"~/models\"", "weights = \"/Volumes/m/models\"");
    all.extend(said_of("mac-mini1", &file, None, |_| {}));
    all.extend(said_of("mac-mini1", &file, None, |observed| {
        let checkup = observed.checkup.get_or_insert_default();
        checkup.weights = Some("/Volumes/m/models is not there".to_owned());
    }));
    all.extend(said(|observed| {
        let omlx = "/Library/Logs/fleetctl/omlx.log".to_owned();
        observed.files.insert(omlx, FileFact::Missing);
        let (user, group) = ("root".to_owned(), "wheel".to_owned());
        observed.files.insert("/Library/Logs/fleetctl".to_owned(), FileFact::Directory { user, group, mode: 0o744 });
    }));
    insta::assert_snapshot!(all.join("\n"), @r"
    weights-not-permitted | macOS does not let /Users/ops/models be read: Full Disk Access is lacking | there: open 'x-apple.systempreferences:com.apple.preference.security?Privacy_AllFiles'
    weights-unreadable | /Users/ops/models is not there: were they moved? Then `weights` in [omlx] must name the place; else copy them | here: fleetctl models sync --on mac-mini3
    weights-on-external-disk | /Volumes/m/models is on an external disk: launchd's jobs need Full Disk Access of their own | there: open 'x-apple.systempreferences:com.apple.preference.security?Privacy_AllFiles'
    weights-unreadable | /Volumes/m/models is not there: is the disk m mounted? | there: diskutil mount <m>
    log-unwritable | the log of omlx, /Library/Logs/fleetctl/omlx.log, is not there | there: sudo install -d -o root -g wheel -m 0755 /Library/Logs/fleetctl && sudo touch </Library/Logs/fleetctl/omlx.log> && sudo chown <ops>:<staff> </Library/Logs/fleetctl/omlx.log>
    log-unwritable | /Library/Logs/fleetctl has mode 0744 of root: daemons cannot enter it | there: sudo chmod 0755 /Library/Logs/fleetctl
    ");
}

#[test]
fn the_declared_release_is_installed_where_the_file_looks_for_it() {
    let fleet = testing::example();
    let machine = machine(&fleet, "mac-mini1");
    let shown = |machine: &Machine| install(machine, &|word: &str| word.to_owned());
    let mut fork = machine.clone();
    fork.omlx.release = crate::fleet::Release::Flyto0_7_0;
    fork.omlx.program = "/Users/ops/fmlx/bin/omlx".to_owned();
    insta::assert_snapshot!(format!("{:?}\n{:?}", shown(machine), shown(&fork)), @r#"
    Some(There("/opt/homebrew/bin/brew tap jundot/omlx https://github.com/jundot/omlx && git -C \"$(/opt/homebrew/bin/brew --repository jundot/omlx)\" checkout v0.3.8 && HOMEBREW_NO_AUTO_UPDATE=1 /opt/homebrew/bin/brew install jundot/omlx/omlx"))
    Some(There("python3.11 -m venv /Users/ops/fmlx && /Users/ops/fmlx/bin/pip install flyto-mlx==0.7.0"))
    "#);
}

#[test]
fn what_is_mended_first_and_what_is_said_once() {
    let mut codes = [
        ("drifted", Severity::Warning),
        ("automatic-updates", Severity::Note),
        ("omlx-stopped", Severity::Error),
        ("sudo-refused", Severity::Warning),
        ("port-taken", Severity::Error),
    ];
    codes.sort_by_key(|(code, severity)| order(code, *severity));
    let codes = codes.map(|(code, _)| code);
    assert_eq!(codes, ["port-taken", "sudo-refused", "omlx-stopped", "drifted", "automatic-updates"]);
    assert!(is_said_by("weights-missing", &["weights-missing", "weights-unreadable"]));
    assert!(!is_said_by("weights-missing", &["weights-missing"]));
}
