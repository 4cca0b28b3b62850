"""tailscale: the command line of a node whose tailnet is the lab's second bridge."""

import json
import socket
import sys

from .registry import served

_VERSION = "1.86.2-t3a5c1e0b2-g9f1d2c3b4"
_ZERO = "0001-01-01T00:00:00Z"
_USER_ID = 4411223344556677


def _node(peer, tailnet, number, me):
    ip = peer["tailnet_ip"]
    six = f"fd7a:115c:a1e0::{number:x}"
    name = peer["name"]
    return {
        "ID": f"n{number:09d}CNTRL",
        "NodeID": 8000000000000000 + number,
        "PublicKey": f"nodekey:{number:064x}",
        "HostName": name,
        "DNSName": f"{name}.{tailnet}.",
        "OS": peer.get("os", "macOS"),
        "UserID": _USER_ID,
        "TailscaleIPs": [ip, six],
        "AllowedIPs": [f"{ip}/32", f"{six}/128"],
        "Addrs": [f"{peer['lan']}:41641"] if me else None,
        "CurAddr": "" if me else f"{peer['lan']}:41641",
        "Relay": "fra",
        "PeerRelay": "",
        "RxBytes": 0 if me else 918273645,
        "TxBytes": 0 if me else 12873645,
        "Created": "2025-05-02T09:14:33.512Z",
        "LastWrite": _ZERO,
        "LastSeen": _ZERO,
        "LastHandshake": _ZERO,
        "Online": True,
        "ExitNode": False,
        "ExitNodeOption": False,
        "Active": not me,
        "PeerAPIURL": [f"http://{ip}:50211"],
        "TaildropTarget": 0 if me else 1,
        "NoFileSharingReason": "",
        "InNetworkMap": True,
        "InMagicSock": not me,
        "InEngine": not me,
    }


def status(name, peers, tailnet, state="Running", changes=None):
    """Returns the document of `tailscale status --json` as the node `name` sees the lab."""
    nodes = {peer["name"]: _node(peer, tailnet, index + 1, peer["name"] == name) for index, peer in enumerate(peers)}
    for key, change in (changes or {}).items():
        if key in nodes:
            nodes[key].update(change)
    me = nodes.pop(name)
    running = state == "Running"
    return {
        "Version": _VERSION,
        "TUN": True,
        "BackendState": state,
        "HaveNodeKey": state not in ("NeedsLogin", "NoState"),
        "AuthURL": "https://login.tailscale.com/a/0123456789ab" if state == "NeedsLogin" else "",
        "TailscaleIPs": me["TailscaleIPs"] if running else None,
        "Self": me,
        "Health": [] if running else [f"Tailscale is {state.lower()}."],
        "MagicDNSSuffix": tailnet,
        "CurrentTailnet": {"Name": "ops@example.com", "MagicDNSSuffix": tailnet, "MagicDNSEnabled": True},
        "CertDomains": None,
        "Peer": {node["PublicKey"]: node for node in nodes.values()} if running else None,
        "User": {str(_USER_ID): {"ID": _USER_ID, "LoginName": "ops@example.com", "DisplayName": "Ops", "ProfilePicURL": ""}},
        "ClientVersion": {"RunningLatest": True},
    }


def run(arguments, name, peers, tailnet, state, changes, gui=False):
    """Runs one tailscale command; returns its exit status."""
    words = arguments[1:]
    verb = words[0] if words else ""
    if verb in ("version", "--version"):
        print(_VERSION.partition("-")[0])
        return 0
    if state == "down":
        message = (
            "failed to connect to local Tailscale service; is Tailscale running?"
            if gui
            else "failed to connect to local tailscaled; it doesn't appear to be running"
        )
        print(message, file=sys.stderr)
        return 1
    if verb == "status":
        return _status(words, status(name, peers, tailnet, state, changes))
    if verb == "ip":
        return _ip(words[1:], name, peers)
    if verb == "ping":
        return _ping(words[1:], peers)
    print(f"lab: tailscale {verb} is not imitated", file=sys.stderr)
    return 70


def _status(words, document):
    if "--json" in words or "--json=true" in words:
        if "--peers=false" in words:
            document["Peer"] = None
        sys.stdout.write(json.dumps(document, indent=2))
        return 0
    state = document["BackendState"]
    refusals = {
        "Stopped": "Tailscale is stopped.",
        "NeedsLogin": f"Logged out.\nLog in at: {document['AuthURL']}",
        "NeedsMachineAuth": "Machine is not yet approved by tailnet admin.",
    }
    if state in refusals:
        print(refusals[state])
        return 1
    for node in [document["Self"], *document["Peer"].values()]:
        how = "-" if node is document["Self"] else f"active; direct {node['CurAddr']}"
        print(f"{node['TailscaleIPs'][0]:<15} {node['HostName']:<20} ops@        macOS   {how}")
    return 0


def _ip(words, name, peers):
    wanted = [word for word in words if not word.startswith("-")]
    target = wanted[0].partition(".")[0] if wanted else name
    found = [(index, peer) for index, peer in enumerate(peers) if target in (peer["name"], peer["tailnet_ip"])]
    if not found:
        print(f'error looking up IP of "{target}": no such host', file=sys.stderr)
        return 1
    index, peer = found[0]
    if "-6" not in words:
        print(peer["tailnet_ip"])
    if "-4" not in words and "-1" not in words:
        print(f"fd7a:115c:a1e0::{index + 1:x}")
    return 0


def _ping(words, peers):
    target = words[-1].partition(".")[0] if words else ""
    found = [peer for peer in peers if target == peer["name"] or words[-1:] == [peer["tailnet_ip"]]]
    if not found:
        print(f'error looking up IP of "{target}": no such host', file=sys.stderr)
        return 1
    peer = found[0]
    try:
        socket.create_connection((peer["tailnet_ip"], 22), 3).close()
    except OSError:
        print(f'ping "{peer["tailnet_ip"]}" timed out\nno reply', file=sys.stderr)
        return 1
    print(f"pong from {peer['name']} ({peer['tailnet_ip']}) via {peer['lan']}:41641 in 1ms")
    return 0


@served("/opt/homebrew/bin/tailscale", "/usr/local/bin/tailscale")
def tailscale(arguments, context):
    """Runs tailscale on a host."""
    host = context.host
    return run(
        arguments, host["name"], host["peers"], host["tailnet"], context.override("tailscale_state", "Running"),
        context.override("tailscale_nodes", {}), host["tailscale"] == "gui",
    )
