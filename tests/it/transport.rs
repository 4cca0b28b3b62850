//! Connections to real OpenSSH servers: the ways in, the ways in which they fail, and what is said then.

use std::io::Read as _;
use std::net::TcpListener;
use std::time::Duration;

use fleetctl::env::Env;
use fleetctl::fleet::{Address, Bind, Bytes, Engine, Machine, MachineName, Release, Zone};
use fleetctl::transport::{As, ConnectError, ConnectOptions, Connector, HostKeys, Route, RunError, Trouble};

use crate::support::sshd::{Operator, Sshd, free_port};

fn machine(port: u16) -> Machine {
    Machine {
        name: MachineName::new("mac-a").expect("a name"),
        tier: None,
        chip: "M4".to_owned(),
        memory: Bytes::gib(16),
        cores: None,
        address: Address::Tailnet("localhost".to_owned()),
        lan: None,
        ssh_port: Some(port),
        tailnet_ip: None,
        user: me(),
        home: "/".to_owned(),
        timezone: Zone::new("UTC").expect("a zone"),
        gpu_limit: None,
        note: None,
        omlx: Engine {
            release: Release::V0_3_8,
            program: "/opt/homebrew/bin/omlx".to_owned(),
            bind: Bind::Loopback,
            port: 8000,
            base: "/x".to_owned(),
            weights: "/x".to_owned(),
            api_key: None,
            environment: [].into(),
            settings: [].into(),
        },
    }
}

fn me() -> String {
    let output = std::process::Command::new("id").arg("-un").output().expect("id runs");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

fn options() -> ConnectOptions {
    ConnectOptions { timeout: Duration::from_secs(10), keep: None, host_keys: HostKeys::Strict }
}

fn connector(operator: &Operator, options: ConnectOptions) -> Connector {
    let environment = operator.environment();
    let pairs: Vec<(&str, &str)> = environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let env = Env::from(<[(&str, &str); 3]>::try_from(pairs).expect("three variables"));
    Connector::new(&env, options).expect("a connector")
}

async fn refused(operator: &Operator, machine: &Machine, options: ConnectOptions) -> ConnectError {
    match connector(operator, options).connect(machine).await {
        Ok(remote) => panic!("connected by {}", remote.route()),
        Err(error) => error,
    }
}

/// What the operator reads, with what differs from run to run replaced.
fn shown(error: &ConnectError, port: u16, operator: &Operator) -> String {
    let text = format!("{:?}: {error}\n{}", error.trouble(), error.hints().join("\n"));
    text.replace(&port.to_string(), "PORT")
        .replace(&format!("as {}", me()), "as USER")
        .replace(&format!("{}@", me()), "USER@")
        .replace(&format!("is {} among", me()), "is USER among")
        .replace(operator.path("").to_str().expect("text"), "HOME/")
}

#[tokio::test]
async fn scripts_go_in_and_bracketed_answers_come_out() {
    let operator = Operator::new();
    let server = Sshd::start(&operator, "SetEnv NOISE=1");
    operator.knows("mac-a", &server);
    let connector = connector(&operator, options());
    let remote = connector.connect(&machine(server.port)).await.expect("connected");
    assert_eq!(remote.route(), Route::Tailnet);
    let within = Duration::from_secs(10);
    let run = async |script: &str| remote.run(As::Login, script, within).await;

    let output = run("printf 'a b\\n'; printf oops >&2; exit 127").await.expect("ran");
    assert_eq!((output.text().as_str(), output.stderr.as_str(), output.code), ("a b\n", "oops", 127));
    assert_eq!(run("exit 255").await.expect("ran").code, 255);
    assert_eq!(run("cat; printf '%s' \"$(printf \"it's\")\"").await.expect("ran").text(), "it's");
    // A process left behind holds the streams open; an answer that waited for it would not come within the ten seconds.
    assert_eq!(run("sleep 30 & printf x").await.expect("ran").text(), "x");

    let mut lines = Vec::new();
    let output = remote
        .stream(As::Login, "printf 'one\\n\\nthree\\n'; printf four", within, |line| lines.push(line.to_owned()))
        .await
        .expect("ran");
    assert_eq!(lines, ["one", "", "three", "four"]);
    assert_eq!(output.text(), "one\n\nthree\nfour");

    // More at once than sshd allows on one connection.
    let mut many = tokio::task::JoinSet::new();
    for n in 0..20 {
        let remote = remote.clone();
        many.spawn(async move { remote.run(As::Login, &format!("printf {n}"), within).await.map(|o| o.text()) });
    }
    while let Some(done) = many.join_next().await {
        assert!(done.expect("no panic").is_ok());
    }

    let error = remote.run(As::Login, "printf partial; kill -9 $$", within).await.expect_err("cut");
    assert!(matches!(&error, RunError::Cut { partial, .. } if partial == b"partial"), "{error:?}");
    let error = remote.run(As::Login, "printf half; sleep 60", Duration::from_secs(4)).await.expect_err("late");
    assert!(matches!(&error, RunError::Deadline { partial, .. } if partial == b"half"), "{error:?}");
    connector.close().await;
}

#[tokio::test]
async fn a_connection_that_has_gone_is_made_again_and_a_kept_one_is_used_again() {
    let operator = Operator::new();
    let server = Sshd::start(&operator, "");
    operator.knows("mac-a", &server);
    let keep = ConnectOptions { keep: Some(Duration::from_mins(1)), ..options() };
    let within = Duration::from_secs(10);
    let first = connector(&operator, keep.clone());
    let remote = first.connect(&machine(server.port)).await.expect("connected");
    // The parent of the session's process is the one of the connection.
    let parent = "ps -o ppid= -p $PPID";
    let whose = remote.run(As::Login, parent, within).await.expect("ran").text();
    first.close().await;

    let again = connector(&operator, keep.clone()).connect(&machine(server.port)).await.expect("connected");
    assert_eq!(again.run(As::Login, parent, within).await.expect("ran").text(), whose, "the same connection");

    // Every master ends; the next script makes a new connection.
    for entry in std::fs::read_dir(operator.path("run/fleetctl")).expect("listed") {
        let socket = entry.expect("an entry").path();
        if socket.extension().is_none() {
            let ended = std::process::Command::new("ssh").args(["-O", "exit", "-S"]).arg(&socket).arg("x").output();
            assert!(ended.expect("ssh runs").status.success());
        }
    }
    assert_eq!(again.run(As::Login, "printf back", within).await.expect("ran").text(), "back");
    // Given back at the end, so that the test leaves nothing.
    connector(&operator, options()).close().await;
    for entry in std::fs::read_dir(operator.path("run/fleetctl")).expect("listed") {
        let socket = entry.expect("an entry").path();
        drop(std::process::Command::new("ssh").args(["-O", "exit", "-S"]).arg(&socket).arg("x").output());
    }
}

#[tokio::test]
async fn this_computer_needs_no_connection() {
    let operator = Operator::new();
    let mut machine = machine(1);
    machine.address = Address::Local;
    let remote = connector(&operator, options()).connect(&machine).await.expect("connected");
    assert_eq!(remote.route(), Route::Local);
    let output = remote.run(As::Login, "printf here; exit 3", Duration::from_secs(10)).await.expect("ran");
    assert_eq!((output.text().as_str(), output.code), ("here", 3));
}

#[tokio::test]
async fn a_closed_port() {
    let operator = Operator::new();
    let port = free_port();
    let error = refused(&operator, &machine(port), options()).await;
    insta::assert_snapshot!(shown(&error, port, &operator), @r#"
    Refused: mac-a: cannot connect to localhost port PORT as USER: connection refused
    on mac-a: System Settings, General, Sharing, Remote Login must be on; is the port right?
    "#);
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let operator = Operator::new();
    let mut machine = machine(22);
    machine.address = Address::Tailnet("mac-a.invalid".to_owned());
    let error = refused(&operator, &machine, options()).await;
    assert_eq!(error.trouble(), Trouble::Name, "{error}");
    assert!(error.to_string().starts_with("mac-a: cannot connect to mac-a.invalid port 22 as "), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_costs_its_timeout() {
    let operator = Operator::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let port = listener.local_addr().expect("an address").port();
    let options = ConnectOptions { timeout: Duration::from_secs(2), ..options() };
    let machine = machine(port);
    let given_up = tokio::time::timeout(Duration::from_mins(1), refused(&operator, &machine, options));
    let error = given_up.await.expect("it waits for its timeout only");
    insta::assert_snapshot!(shown(&error, port, &operator), @r#"
    Stalled: mac-a: cannot connect to localhost port PORT as USER: it takes the connection and then says nothing (Connection timed out during banner exchange)
    mac-a is frozen or out of memory, or something else listens on that port; try `ssh -p PORT USER@localhost`
    "#);
}

#[tokio::test]
async fn a_server_that_says_its_banner_and_hangs() {
    let operator = Operator::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let port = listener.local_addr().expect("an address").port();
    let serving = std::thread::spawn(move || {
        use std::io::Write as _;
        let (mut stream, _) = listener.accept().expect("accepted");
        stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").expect("written");
        // Until the other side gives up.
        drop(stream.read_to_end(&mut Vec::new()));
    });
    let error =
        refused(&operator, &machine(port), ConnectOptions { timeout: Duration::from_secs(2), ..options() }).await;
    serving.join().expect("no panic");
    insta::assert_snapshot!(shown(&error, port, &operator), @r#"
    Stalled: mac-a: cannot connect to localhost port PORT as USER: it takes the connection and then says nothing (given up after 2 s)
    mac-a is frozen or out of memory, or something else listens on that port; try `ssh -p PORT USER@localhost`
    "#);
}

#[tokio::test]
async fn a_key_that_is_refused() {
    let operator = Operator::new();
    let server = Sshd::start(&operator, "AuthorizedKeysFile none");
    operator.knows("mac-a", &server);
    let error = refused(&operator, &machine(server.port), options()).await;
    insta::assert_snapshot!(shown(&error, server.port, &operator), @r#"
    Auth: mac-a: cannot connect to localhost port PORT as USER: it refused our keys (USER@localhost: Permission denied (publickey).)
    put your public key there: `ssh-copy-id -p PORT USER@localhost`; is it in your agent?
    on mac-a: is USER among the users that Remote Login allows?
    "#);
}

#[tokio::test]
async fn a_host_key_that_is_not_known_is_added_only_when_told() {
    let operator = Operator::new();
    let server = Sshd::start(&operator, "");
    let error = refused(&operator, &machine(server.port), options()).await;
    insta::assert_snapshot!(shown(&error, server.port, &operator), @r#"
    HostKeyUnknown: mac-a: cannot connect to localhost port PORT as USER: its SSH host key is not known yet (Host key verification failed.)
    known_hosts has no key under the name mac-a (the name in [machines], whatever address is dialled)
    for a first contact, once the network is one that you trust: the same command with --accept-new
    "#);
    assert!(!operator.path("known_hosts").exists());

    let accepting = connector(&operator, ConnectOptions { host_keys: HostKeys::AcceptNew, ..options() });
    accepting.connect(&machine(server.port)).await.expect("connected");
    let known = std::fs::read_to_string(operator.path("known_hosts")).expect("read");
    assert!(known.starts_with("mac-a "), "under the machine's name: {known}");
    accepting.close().await;
    let strict = connector(&operator, options());
    strict.connect(&machine(server.port)).await.expect("connected");
    strict.close().await;
}

#[tokio::test]
async fn a_host_key_that_changed_stops_the_machine() {
    let operator = Operator::new();
    let server = Sshd::start(&operator, "");
    let stranger = Sshd::start(&operator, "");
    operator.knows("mac-a", &stranger);
    for host_keys in [HostKeys::Strict, HostKeys::AcceptNew] {
        let error = refused(&operator, &machine(server.port), ConnectOptions { host_keys, ..options() }).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(shown(&error, server.port, &operator), @r#"
            HostKeyChanged: mac-a: cannot connect to localhost port PORT as USER: its SSH host key is not the known one
            nothing was sent. Compare, on mac-a itself: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`
            if the machine was set up anew: `ssh-keygen -R mac-a`, then once more with --accept-new
            "#);
        }
    }
}

#[tokio::test]
async fn a_lan_address_of_a_stranger_is_left_for_the_tailnet_and_said() {
    let operator = Operator::new();
    // One port for both: the stranger listens on another loopback address.
    let server = Sshd::start(&operator, "");
    let stranger = Sshd::start(&operator, &format!("ListenAddress 127.0.0.2:{}", server.port));
    operator.knows("mac-a", &server);
    let mut machine = machine(server.port);
    machine.address = Address::Tailnet("127.0.0.1".to_owned());
    machine.lan = Some("127.0.0.2".to_owned());
    let connector = connector(&operator, options());
    let remote = connector.connect(&machine).await.expect("connected");
    assert_eq!(remote.route(), Route::Tailnet);
    insta::assert_snapshot!(remote.notes().join("\n"), @r#"mac-a: 127.0.0.2 (lan) is another computer (its SSH host key is not the known one); the tailnet was used"#);
    connector.close().await;
    drop(stranger);
}

#[tokio::test]
async fn the_lan_is_used_where_it_is_and_costs_nothing_where_it_is_not() {
    let operator = Operator::new();
    let server = Sshd::start(&operator, "ListenAddress 127.0.0.1");
    operator.knows("mac-a", &server);
    let connector = connector(&operator, options());
    let mut near = machine(server.port);
    near.address = Address::Tailnet("198.51.100.1".to_owned());
    near.lan = Some("127.0.0.1".to_owned());
    let remote = connector.connect(&near).await.expect("connected");
    assert_eq!(remote.route(), Route::Lan);

    // TEST-NET-2 (RFC 5737) answers nobody.
    let mut far = machine(server.port);
    far.address = Address::Tailnet("127.0.0.1".to_owned());
    far.lan = Some("198.51.100.1".to_owned());
    let remote = connector.connect(&far).await.expect("connected");
    assert_eq!(remote.route(), Route::Tailnet);
    assert!(remote.notes().is_empty());
    connector.close().await;
}
