//! Is the machine exactly what one fleet file says? Asked of the machine, compared with what that file renders.

use std::collections::{BTreeMap, BTreeSet};

use fleetctl::fleet::Fleet;
use fleetctl::render::{Bundle, Content, Hold, Placeholder, SecretId, Values, Wanted};
use fleetctl::secret::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::host::{HOST, Host, KEY};

/// Two states of a machine that differ, and the way between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// oMLX must be restarted.
    Restart,
    /// Everything goes through its API.
    Live,
}

impl Way {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Live => "live",
        }
    }
}

/// The fleet file of a state: 0 or 1.
pub(crate) fn fleet_text(way: Way, state: usize) -> String {
    let (temperature, gamma) =
        [("0.5", ""), ("0.7", "[serve.gamma]\nmodel = \"beta\"\nprofile = \"plain\"\non = [\"mac-*\"]\n")][state];
    let restart = match way {
        Way::Restart => format!("scheduler.max_concurrent_requests = {}\n", 4 + state),
        Way::Live => String::new(),
    };
    let environment = match (way, state) {
        (Way::Restart, 1) => "[omlx.environment]\nDFLASH_MAX_CTX = \"8192\"\n",
        _ => "",
    };
    format!(
        "schema = 1\n[fleet]\nname = \"lab\"\ntimezone = \"UTC\"\ntailnet = \"lab.ts.net\"\nuser = \"ops\"\ngate = \"40s\"\n\
         [omlx]\nversion = \"0.3.8\"\nprogram = \"/opt/homebrew/bin/omlx\"\nbind = \"all\"\nport = 8000\nbase = \"~/.omlx\"\nweights = \"~/models\"\napi_key = {{ env = \"K\" }}\n\
         [omlx.settings]\nlogging.retention_days = 7\n{restart}{environment}\
         [machines.{HOST}]\nchip = \"M4\"\nmemory = \"16GB\"\n\
         [models.alpha]\ndirectory = \"Qwen3-alpha\"\nsize = \"3GB\"\nkind = \"llm\"\n\
         [models.beta]\ndirectory = \"Qwen3-beta\"\nsize = \"2GB\"\nkind = \"llm\"\n\
         [profiles.plain]\ntemperature = {temperature}\n\
         [serve.alpha]\nmodel = \"alpha\"\nprofile = \"plain\"\non = [\"mac-*\"]\nresident = true\n{gamma}"
    )
}

/// What one fleet file means for the host.
pub(crate) struct Expectation {
    fleet: Fleet,
    bundle: Bundle,
}

impl Expectation {
    pub(crate) fn of(text: &str) -> Self {
        let loaded = fleetctl::config::load("fleet.toml", text);
        let problems: Vec<String> = loaded.problems.iter().map(|problem| problem.message.clone()).collect();
        let fleet = loaded.fleet.unwrap_or_else(|| panic!("{problems:?}"));
        let bundle = fleetctl::render::bundle(&fleet, fleet.machines.get(HOST).expect("declared"));
        Self { fleet, bundle }
    }
}

fn values() -> Values {
    Values { secrets: [(SecretId("omlx".to_owned()), SecretString::from(KEY))].into(), tailnet_ip: None }
}

/// What lies on the machine: a line a path, then launchd, then what the running server says.
const LOOK: &str = r#"
cd /var/canaries
: >files
while IFS= read -r path; do
	if [ -L "$path" ]; then printf 'link\t%s\t%s\n' "$path" "$(readlink "$path")"
	elif [ -f "$path" ]; then printf '%s\n' "$path" >>files
	else printf 'none\t%s\n' "$path"; fi
done <paths
# One process each for all of them: their starts are what a look costs.
tr '\n' '\0' <files | xargs -0 /usr/bin/shasum -a 256 | sed 's/^\([0-9a-f]*\)  \(.*\)$/sum	\2	\1/'
tr '\n' '\0' <files | xargs -0 stat -f 'rights	%N	%Su:%Sg %Lp'
for name in settings model_settings model_profiles; do printf 'json\t%s\t%s\n' "$name" "$(tr -d '\n' </Users/ops/.omlx/$name.json)"; done
for label in $(launchctl list | awk '$3 ~ /^dev.fleetctl/ { print $3 }'); do
	launchctl print system/$label >print
	printf 'job\t%s\t%s\n' "$label" "$(sed -n 's/^	pid = //p' print)"
	sed -n '/^	environment = {/,/^	}/s/^		\(.*\) => \(.*\)$/variable	'$label'	\1	\2/p' print
done
launchctl print-disabled system | sed -n 's/^.*"\(dev.fleetctl[^"]*\)" => disabled.*/disabled\t\1/p'
key=$(sed -n 's/^.*"api_key": "\(.*\)",*$/\1/p' /Users/ops/.omlx/settings.json | head -n 1)
printf 'listed\t%s\n' "$(curl -sS --max-time 10 -H "Authorization: Bearer $key" http://127.0.0.1:8000/v1/models/status | tr -d '\n')"
curl -sS --max-time 10 -c cookies -H 'Content-Type: application/json' -d "{\"api_key\": \"$key\", \"remember\": false}" http://127.0.0.1:8000/admin/api/login >/dev/null
printf 'models\t%s\n' "$(curl -sS --max-time 10 -b cookies http://127.0.0.1:8000/admin/api/models | tr -d '\n')"
printf 'global\t%s\n' "$(curl -sS --max-time 10 -b cookies http://127.0.0.1:8000/admin/api/global-settings | tr -d '\n')"
find /usr/local/var/fleetctl /usr/local/libexec /Library/LaunchDaemons /Users/ops/.omlx \( -name '.fleetctl*' -o -name '.apply*' -o -name '.lock*' -o -name '.snapshot*' -o -name 'zz-rescan' -o -path '*/fleetctl/apply' -o -path '*/fleetctl/lock' -o -name 'dev.fleetctl.apply.plist' -o -name '.result*' -o -name '.present*' -o -name '.dev.fleetctl*' \) | sed 's/^/left	/'
/usr/bin/shasum -a 256 -c sums 2>/dev/null | sed -n 's/^\(.*\): FAILED.*/canary	\1	has other bytes/p'
tr '\n' '\0' <theirs | xargs -0 stat -f '%N %Su:%Sg %Lp' 2>&1 | cmp -s - rights || printf 'canary\tanother owner or mode\n'
"#;

/// What nobody gave to fleetctl, weights included: it must be there, byte for byte and with its owner and mode, whatever happens.
pub(crate) const CANARIES: &str = r"
set -e
printf 'not ours\n' >/Users/ops/.omlx/notes.txt
printf 'not ours\n' >/usr/local/libexec/other
printf '<plist/>\n' >/Library/LaunchDaemons/com.example.other.plist
mkdir -p /Users/ops/models/Mine /Users/ops/.omlx/serve /var/canaries
printf 'mine\n' >/Users/ops/models/Mine/config.json
printf 'mine\n' >/Users/ops/.omlx/serve/readme
chown ops:staff /Users/ops/.omlx/serve
cd /var/canaries
{ find /Users/ops/models -type f; printf '%s\n' /Users/ops/.omlx/notes.txt /Users/ops/.omlx/serve/readme /usr/local/libexec/other /Library/LaunchDaemons/com.example.other.plist; } >theirs
tr '\n' '\0' <theirs | xargs -0 /usr/bin/shasum -a 256 >sums
tr '\n' '\0' <theirs | xargs -0 stat -f '%N %Su:%Sg %Lp' >rights
";

/// Keys of oMLX's settings.json that are not ours, and what they hold.
pub(crate) const FOREIGN: &str = r#"{"sampling": {"max_tokens": 4321}, "ui": {"language": "de"}}"#;

/// What was seen on the machine.
pub(crate) struct Seen {
    lines: Vec<Vec<String>>,
}

pub(crate) fn look(host: &Host, both: [&Expectation; 2]) -> Seen {
    let paths: BTreeSet<&str> =
        both.iter().flat_map(|one| one.bundle.entries.iter().map(|entry| entry.path.as_str())).collect();
    let list = paths.into_iter().collect::<Vec<_>>().join("\n");
    let text =
        host.sh(&format!("cat >/var/canaries/paths <<'E'\n{list}\n/usr/local/var/fleetctl/manifest.json\nE\n{LOOK}"));
    Seen { lines: text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect() }
}

impl Seen {
    fn after(&self, word: &str, second: Option<&str>) -> Option<&[String]> {
        self.lines
            .iter()
            .find(|line| line[0] == word && second.is_none_or(|second| line.get(1).is_some_and(|one| one == second)))
            .map(Vec::as_slice)
    }

    fn json(&self, word: &str, second: Option<&str>) -> Value {
        let line = self.after(word, second);
        line.and_then(|line| serde_json::from_str(line.last()?).ok()).unwrap_or(Value::Null)
    }

    /// In what the machine is not what `one` says; `other` knows what must not be there then. `edited`: a path that a person changed.
    pub(crate) fn differs(&self, one: &Expectation, other: &Expectation, edited: Option<&str>) -> Vec<String> {
        let mut wrong = Vec::new();
        for entry in &one.bundle.entries {
            if edited == Some(entry.path.as_str()) {
                continue;
            }
            let rights = format!("{} {:o}", entry.owner, entry.mode);
            match &entry.content {
                Content::Link { target } => self.is_told("link", &entry.path, target, &mut wrong),
                Content::Whole(text) => {
                    let filled = text.fill(&values()).expect("filled");
                    self.is_told("sum", &entry.path, &sha256(filled.expose_secret()), &mut wrong);
                    self.is_told("rights", &entry.path, &rights, &mut wrong);
                }
                Content::Keys(document) => {
                    let name = entry.path.rsplit('/').next().expect("a name").trim_end_matches(".json");
                    let found = self.json("json", Some(name));
                    if found.is_null() {
                        wrong.push(format!("{name}.json is missing or malformed"));
                    }
                    for key in &document.keys {
                        let value = at(&found, &key.path).or(key.default.as_ref());
                        let is_right = match (&key.wanted, value) {
                            (Wanted::Value(wanted), Some(value)) => wanted == value || key.hold == Hold::Presence,
                            (Wanted::Hole(Placeholder::Secret(_)), Some(value)) => value == KEY,
                            (Wanted::Hole(_), Some(value)) => value.as_str().is_some_and(|text| text.len() == 64),
                            (Wanted::Absent, value) => value.is_none() || value == key.default.as_ref(),
                            (_, None) => false,
                        };
                        if !is_right {
                            wrong.push(format!("{name}.json {}: {value:?}", key.path.join(".")));
                        }
                    }
                    self.is_told("rights", &entry.path, &rights, &mut wrong);
                }
            }
        }
        for entry in &other.bundle.entries {
            if one.bundle.entry(&entry.path).is_none() && self.after("none", Some(&entry.path)).is_none() {
                wrong.push(format!("{} is there", entry.path));
            }
        }
        self.is_told("sum", "/usr/local/var/fleetctl/manifest.json", &sha256(&one.bundle.manifest()), &mut wrong);
        for unit in &one.bundle.units {
            match self.after("job", Some(&unit.label)) {
                None => wrong.push(format!("{} is not loaded", unit.label)),
                Some(line) if unit.name == "omlx" && line[2].is_empty() => wrong.push("omlx does not run".to_owned()),
                Some(_) => {}
            }
        }
        self.server(one, &mut wrong);
        wrong.extend(
            self.lines
                .iter()
                .filter(|line| matches!(line[0].as_str(), "disabled" | "left" | "canary"))
                .map(|line| line.join(" ")),
        );
        for (model, profiles) in self.json("json", Some("model_profiles"))["profiles"].as_object().into_iter().flatten()
        {
            for (profile, record) in profiles.as_object().into_iter().flatten() {
                if !record["name"].is_string() {
                    wrong.push(format!("model_profiles.json has half of {model}'s profile {profile}: {record}"));
                }
            }
        }
        let foreign: Value = serde_json::from_str(FOREIGN).expect("JSON");
        for (section, keys) in foreign.as_object().expect("an object") {
            for (key, value) in keys.as_object().expect("an object") {
                let found = &self.json("json", Some("settings"))[section][key];
                if found != value {
                    wrong.push(format!("settings.json {section}.{key} was not ours and is {found} now"));
                }
            }
        }
        wrong
    }

    /// Whether the look has this word of this path.
    fn is_told(&self, word: &str, path: &str, expected: &str, wrong: &mut Vec<String>) {
        let found = self.after(word, Some(path)).map(|line| line[2].as_str());
        if found != Some(expected) {
            wrong.push(format!("{word} of {path} is {}, not {expected}", found.unwrap_or("missing")));
        }
    }

    /// What runs must be what lies there: launchd's environment of the daemon, oMLX's global settings, names, residents, settings of each name.
    fn server(&self, one: &Expectation, wrong: &mut Vec<String>) {
        for unit in &one.bundle.units {
            let declared: BTreeMap<&str, &str> =
                unit.loaded.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let loaded: BTreeMap<&str, &str> = self
                .lines
                .iter()
                .filter(|line| line[0] == "variable" && line[1] == unit.label)
                .map(|line| (line[2].as_str(), line[3].as_str()))
                // launchd's own.
                .filter(|(name, _)| !["OSLogRateLimit", "XPC_SERVICE_NAME"].contains(name))
                .collect();
            if declared != loaded && self.after("job", Some(&unit.label)).is_some() {
                wrong.push(format!("launchd runs {} with {loaded:?}, not {declared:?}", unit.label));
            }
        }
        self.global(one, wrong);
        let listed = self.json("listed", None);
        let listed: BTreeMap<&str, &Value> = listed["models"]
            .as_array()
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .filter_map(|model| Some((model["id"].as_str()?, &model["loaded"])))
            .collect();
        let machine = one.fleet.machines.get(HOST).expect("declared");
        let declared: BTreeSet<&str> = one.fleet.served_on(&machine.name).map(|served| served.name.as_str()).collect();
        if listed.keys().copied().collect::<BTreeSet<_>>() != declared {
            wrong.push(format!("the server lists {listed:?}, not {declared:?}"));
        }
        let models = self.json("models", None);
        let by_name: BTreeMap<&str, &Value> = models["models"]
            .as_array()
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .filter_map(|model| Some((model["id"].as_str()?, &model["settings"])))
            .collect();
        for served in one.fleet.served_on(&machine.name) {
            if served.is_resident_on(&machine.name) && listed.get(served.name.as_str()) != Some(&&Value::Bool(true)) {
                wrong.push(format!("{} is resident and not loaded", served.name));
            }
            let profile = one.fleet.profile_of(&served.name).expect("declared");
            for (field, value) in &profile.fields {
                let running = by_name.get(served.name.as_str()).map_or(&Value::Null, |settings| &settings[field]);
                if running != value {
                    wrong.push(format!("the server runs {} with {field} = {running}, not {value}", served.name));
                }
            }
        }
    }

    /// The keys of settings.json that the running server tells.
    fn global(&self, one: &Expectation, wrong: &mut Vec<String>) {
        let running = self.json("global", None);
        let settings = one.bundle.entries.iter().find(|entry| entry.path.ends_with("/settings.json"));
        let Some(Content::Keys(document)) = settings.map(|entry| &entry.content) else { return };
        let mut told = 0;
        for key in &document.keys {
            let Some(value) = at(&running, &key.path) else { continue };
            let is_right = match &key.wanted {
                Wanted::Value(wanted) => wanted == value,
                Wanted::Hole(Placeholder::Secret(_)) => value == KEY,
                Wanted::Hole(_) | Wanted::Absent => true,
            };
            told += usize::from(matches!(key.wanted, Wanted::Value(_)));
            if !is_right {
                wrong.push(format!("the server runs with another {}", key.path.join(".")));
            }
        }
        if told == 0 {
            wrong.push("the server does not tell its settings".to_owned());
        }
    }
}

fn at<'a>(document: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(document, |value, name| value.as_object()?.get(name))
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
