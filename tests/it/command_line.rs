//! What holds for every verb, whatever the machines say: wrong words, files that are not there, the place of a secret.

use crate::support::Fleetctl;
use crate::support::fleet_text::{extract, guarded_head, mini};

const EXAMPLE: &str = include_str!("../../fleet.toml");

/// An example fleet whose key is in a file.
fn with_key_file(path: &str) -> Fleetctl {
    let key = "api_key = { env = \"FLEET_OMLX_API_KEY\" }";
    assert!(EXAMPLE.contains(key), "the example names its key");
    Fleetctl::with_fleet(&EXAMPLE.replace(key, &format!("api_key = {{ file = \"{path}\" }}")))
        .set("FLEET_GATEWAY_API_KEY", "sk-gateway")
}

#[test]
fn a_secret_is_read_below_the_operators_home() {
    let fleetctl = with_key_file("~/keys/omlx");
    let home = fleetctl.directory().parent().expect("a parent").join("home").join("keys/omlx");
    let said = fleetctl.run(&["plan", "--on", "mac-mini2"]);
    assert_eq!(said.exit, Some(1), "{said}");
    assert!(said.stderr.contains("cannot read the secret's file ~/keys/omlx"), "{said}");
    assert!(said.stderr.contains(&format!("`{}`", home.display())), "the place that was looked at: {said}");
}

#[test]
fn words_and_files_that_are_wrong_are_named() {
    let fleetctl = Fleetctl::with_fleet(EXAMPLE);
    let said = |words: &[&str]| {
        let said = fleetctl.run(words);
        assert_eq!(said.stdout, "", "{said}");
        format!("{} {}", said.exit.unwrap_or(-1), said.stderr)
    };
    insta::assert_snapshot!(said(&["--timeout", "0s", "status"]), @r#"2 error: --timeout "0s" is out of range: a duration is above 0 and at most 87600h"#);
    insta::assert_snapshot!(said(&["--quiet", "apply", "plan.json"]), @"
    1 error: the saved plan plan.json cannot be read
      caused by: failed to open file `plan.json`: No such file or directory (os error 2)
    help: `fleetctl plan --out FILE` saves one
    ");
}

/// What is copied from an answer works on the file that the answer is about.
#[test]
fn command_lines_to_copy_have_the_file_that_was_named() {
    let nobody = "address = \"127.0.0.1\"\nssh_port = 1";
    let fleet = guarded_head("test", "America/New_York", "0.3.8")
        + &mini("mac-one", nobody)
        + &extract(&["mac-one"])
        + "[slots.extract]\nroute = [\"extract-2b\"]\n";
    let fleetctl = Fleetctl::with_fleet(&fleet);
    fleetctl.write("the other.toml", fleet.as_bytes());
    let named = |words: &[&str]| {
        let said = fleetctl.run(&[&["-f", "the other.toml"], words].concat());
        let lines = format!("{}{}", said.stdout, said.stderr);
        let ours = lines.matches("fleetctl ").count();
        assert!(ours > 0 && ours == lines.matches("fleetctl -f 'the other.toml' ").count(), "{words:?}: {said}");
        lines
    };
    let status = named(&["status"]);
    assert!(status.contains("\nnext: fleetctl -f 'the other.toml' doctor mac-one\n"), "{status}");
    named(&["doctor"]);
    let bare = fleetctl.run(&["status"]).stdout;
    assert!(bare.contains("\nnext: fleetctl doctor mac-one\n"), "{bare}");
}

#[test]
fn a_first_file_is_written_and_said_in_json_too() {
    let fleetctl = Fleetctl::new();
    let said = fleetctl.run(&["init", "-f", "first.toml", "--json"]);
    assert_eq!(said.exit, Some(0), "{said}");
    let said = said.json();
    assert_eq!((&said["schema"], &said["file"]), (&"fleetctl.init/1".into(), &"first.toml".into()));
    assert_eq!(said["machines"].as_array().map(Vec::len), Some(4), "{said}");
    assert_eq!(fleetctl.run(&["-f", "first.toml", "check"]).exit, Some(0));
}
