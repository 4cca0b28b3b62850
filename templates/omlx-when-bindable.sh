#!/bin/sh
# omlx-when-bindable PROGRAM serve --base-path BASE: waits until this machine has the address that BASE/settings.json names as
# server.host, then becomes the command. Installed by fleetctl; do not edit.
#
# oMLX 0.3.8 loads all its pinned models before it binds its port: without the address it would load, fail and start over, for ever.
#
# What it sets for itself does not reach the command: launchd's definition of the daemon is the command's environment.
LC_ALL_BEFORE=${LC_ALL-}
PATH_BEFORE=$PATH
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH

@json.sh@

say() {
	printf '%s omlx-when-bindable: %s\n' "$(date -u '+%Y-%m-%dT%H:%M:%SZ')" "$1"
}

# Standard input: ifconfig. Whether it shows the address; scopes (`%en0`) do not count.
has_address() {
	ADDRESS=$1 awk '
		BEGIN { status = 1; wanted = tolower(ENVIRON["ADDRESS"]) }
		$1 == "inet" || $1 == "inet6" {
			found = tolower($2)
			sub(/%.*/, "", found)
			sub(/\/.*/, "", found)
			if (found == wanted) status = 0
		}
		END { exit status }'
}

for base in "$@"; do :; done
waited=0
while :; do
	problem=
	host=$(json_flatten "$base/settings.json" 2>/dev/null | awk -F '\t' '$1 == "/server/host" { print $2 }' | json_text 2>/dev/null)
	case $host in
	'') problem="no server.host can be read in $base/settings.json" ;;
	0.0.0.0 | :: | 127.* | ::1 | localhost) break ;;
	*)
		/sbin/ifconfig 2>/dev/null | has_address "$host" && break
		problem="this machine does not have the address $host yet"
		;;
	esac
	# At first, then every ten minutes.
	[ "$((waited % 600))" -ne 0 ] || say "waiting: $problem"
	sleep 2
	waited=$((waited + 2))
done
[ "$waited" -eq 0 ] || say "the address $host is there after $waited s"
PATH=$PATH_BEFORE
if [ -n "$LC_ALL_BEFORE" ]; then LC_ALL=$LC_ALL_BEFORE; else unset LC_ALL; fi
exec "$@"
