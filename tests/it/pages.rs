//! Man pages: every verb has one, and what is unknown is said.

use crate::support::Fleetctl;

#[test]
fn every_verb_has_a_man_page() {
    let help = Fleetctl::new().run(&["--help"]).stdout;
    let verbs: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split(' ').next())
        .collect();
    assert!(verbs.contains(&"plan") && verbs.contains(&"apply"), "{verbs:?}");
    for verb in verbs {
        let page = Fleetctl::new().run(&["man", verb]);
        assert_eq!(page.exit, Some(0), "{verb}: {}", page.stderr);
        assert!(page.stdout.contains(&format!(".TH fleetctl-{verb} 1")), "{verb}: {}", page.stdout);
    }
}

#[test]
fn a_verb_that_is_none_is_a_usage_error() {
    let page = Fleetctl::new().run(&["man", "aply"]);
    assert_eq!((page.exit, page.stdout.as_str()), (Some(2), ""));
    insta::assert_snapshot!(page.stderr, @r#"
    error: there is no verb "aply"
    help: did you mean "apply"?
    "#);
}
