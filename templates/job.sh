#!/bin/sh
# job NAME --at HH:MM --days mon,tue,... --zone ZONE [OPTION...] -- COMMAND [ARGUMENT...]: starts the command when it is `at` in the
# fleet's zone, and only then: launchd starts this at every time of the machine's own clock that `at` can fall on. Installed by
# fleetctl; do not edit.
#
#   --timeout SECONDS                 ends the command and all that it started
#   --window "NAME START END DAYS"    a window that rebinds the job's slot (clock.sh says how)
#   --candidate "WINDOW URL MODEL KEY"    where the slot goes while WINDOW is open (`-`: outside all), in order of preference; KEY is
#                                     the variable of the environment file that holds the key, or `-`
#
# STATE/jobs/NAME.json is its record; a file STATE/jobs/NAME.run (`fleetctl jobs run`) starts the command now. STATE/env/job.NAME
# (0600) is its environment; variables that begin with FLEETCTL_ do not reach the command.
LC_ALL=C
SYSTEM_PATH=/usr/bin:/bin:/usr/sbin:/sbin
COMMAND_PATH=$PATH
PATH=$SYSTEM_PATH
export LC_ALL PATH
umask 022

STATE=/usr/local/var/fleetctl
# Runs that the record keeps.
KEEP=20
# A start up to this many seconds after `at` is in time.
LATE=120
NEWLINE='
'

@clock.sh@

say() {
	printf '%s job %s: %s\n' "$(date -u '+%Y-%m-%dT%H:%M:%SZ')" "$NAME" "$1"
}

usage() {
	printf 'usage: job NAME --at HH:MM --days DAYS --zone ZONE [OPTION...] -- COMMAND [ARGUMENT...]\n' >&2
	exit 64
}

[ "$#" -gt 0 ] || usage
NAME=$1
shift
AT=
DAYS=
ZONE=
TIMEOUT=
WINDOWS=
CANDIDATES=
while [ "$#" -gt 0 ]; do
	case $1 in
	--at) AT=$2 ;;
	--days) DAYS=$2 ;;
	--zone) ZONE=$2 ;;
	--timeout) TIMEOUT=$2 ;;
	--window) WINDOWS="$WINDOWS$2$NEWLINE" ;;
	--candidate) CANDIDATES="$CANDIDATES$2$NEWLINE" ;;
	--) break ;;
	*) usage ;;
	esac
	[ "$#" -gt 1 ] || usage
	shift 2
done
[ "$#" -gt 1 ] || usage
shift
case $AT in
[0-2][0-9]:[0-5][0-9]) ;;
*) usage ;;
esac

# due: whether it became `at` on one of the days within the last LATE seconds.
due() {
	if ! zone_known "$ZONE"; then
		say "this machine does not know the zone $ZONE"
		return 1
	fi
	shown_minute "$ZONE" "$1" || return 1
	due_now=$SHOWN
	shown_minute "$ZONE" "$(($1 - LATE))" || return 1
	due_at=$(((1${AT%%:*} - 100) * 60 + 1${AT##*:} - 100))
	for due_back in 0 1; do
		due_day=$((due_now / 1440 - due_back))
		case ,$DAYS, in
		*,"$(weekday "$due_day")",*) ;;
		*) continue ;;
		esac
		[ "$due_now" -ge "$((due_day * 1440 + due_at))" ] && [ "$SHOWN" -lt "$((due_day * 1440 + due_at))" ] && return 0
	done
	return 1
}

weekday() {
	case $((($1 + 3) % 7)) in
	0) echo mon ;;
	1) echo tue ;;
	2) echo wed ;;
	3) echo thu ;;
	4) echo fri ;;
	5) echo sat ;;
	6) echo sun ;;
	esac
}

# record EXIT SECONDS TIMED-OUT: the run as a line of the record, above the earlier ones; a line that is not ours is dropped. EXIT
# null: it runs.
record() {
	file=$STATE/jobs/$NAME.json
	new=$STATE/jobs/.$NAME.json.$$
	earlier=$(LC_ALL=C awk -v "keep=$((KEEP - 1))" -v "this=\"started_at\": \"$STARTED\"" '
		/^    \{"started_at": "[-0-9T:Z]+", "ended_at": ("[-0-9T:Z]+"|null), "exit": ([0-9]+|null), "seconds": ([0-9]+|null), "timed_out": (true|false), "by_hand": (true|false)\},?$/ {
			sub(/,$/, "")
			if (index($0, this) == 0 && kept < keep) { kept++; print }
		}' "$file" 2>/dev/null)
	ended=null
	[ "$1" = null ] || ended="\"$(date -u '+%Y-%m-%dT%H:%M:%SZ')\""
	{
		printf '{\n  "schema": "fleetctl.job/1",\n  "job": "%s",\n  "runs": [\n' "$NAME"
		printf '    {"started_at": "%s", "ended_at": %s, "exit": %s, "seconds": %s, "timed_out": %s, "by_hand": %s}' \
			"$STARTED" "$ended" "$1" "$2" "$3" "$BY_HAND"
		[ -z "$earlier" ] || printf ',\n%s' "$(printf '%s\n' "$earlier" | sed '$!s/$/,/')"
		printf '\n  ]\n}\n'
	} >"$new" && mv -f "$new" "$file" && return
	rm -f "$new"
	say 'its record cannot be written'
}

# answers URL: whether the oMLX behind a base URL answers its health check.
answers() {
	[ "$(/usr/bin/curl -q -sS --noproxy '*' --connect-timeout 3 --max-time 10 -o /dev/null -w '%{http_code}' "${1%/v1}/health" 2>/dev/null)" = 200 ]
}

# choose: the first candidate of the slot, by the window that is open now, that answers: URL, MODEL and KEY. For five minutes: oMLX may
# just be starting.
choose() {
	zone_known "$ZONE" && shown_minute "$ZONE" "$(date +%s)" || return 1
	open_window "$SHOWN" "$WINDOWS"
	for attempt in 1 2 3 4 5 6 7 8 9 10; do
		while read -r of URL MODEL KEY; do
			[ "$of" = "${OPEN:--}" ] && answers "$URL" && return 0
		done <<CANDIDATES
$CANDIDATES
CANDIDATES
		[ "$attempt" = 10 ] || sleep 30
	done
	return 1
}

# running: what the command started and is still there: the processes of this wrapper's own group (launchd gives every job one of its
# own) that do not descend from the wrapper but through the command. Those whose parents are gone belong to launchd now.
running() {
	ps -axo pid=,ppid=,pgid=,stat= 2>/dev/null | awk -v "own=$$" -v "child=$child" '
		$3 == own && $4 !~ /^Z/ { parent[$1] = $2 }
		END {
			if (!(own in parent)) exit
			for (pid in parent) {
				at = pid
				while (at != own && at != child && at in parent) at = parent[at]
				if (at != own) print pid
			}
		}'
}

# end_all SIGNAL: to all of them; where they cannot be told, to the command alone.
end_all() {
	pids=$(running)
	for pid in ${pids:-$child}; do
		kill "-$1" "$pid" 2>/dev/null
	done
}

now=$(date +%s)
BY_HAND=false
if [ -e "$STATE/jobs/$NAME.run" ]; then
	rm -f "$STATE/jobs/$NAME.run"
	BY_HAND=true
elif ! due "$now"; then
	exit 0
fi

STARTED=$(date -u '+%Y-%m-%dT%H:%M:%SZ')
record null null false
environment=$STATE/env/job.$NAME
if [ -e "$environment" ] && [ ! -r "$environment" ]; then
	say "$environment cannot be read"
	record 78 0 false
	exit 78
fi
URL= MODEL= KEY=
if [ -n "$CANDIDATES" ] && ! choose; then
	say 'no candidate of its slot answers'
	record 69 "$(($(date +%s) - now))" false
	exit 69
fi

[ ! -x /usr/bin/caffeinate ] || /usr/bin/caffeinate -i -w $$ &
say 'starts'
stopped=
timed_out=false
trap 'stopped=yes' TERM INT HUP
trap 'timed_out=true' USR1
(
	trap - TERM INT HUP USR1
	# The file may hold a variable of any name: behind it nothing of ours is used but these.
	fleetctl_url=$URL fleetctl_model=$MODEL fleetctl_key=$KEY fleetctl_file=$environment
	PATH=$COMMAND_PATH
	unset LC_ALL
	set -a
	[ ! -e "$fleetctl_file" ] || . "$fleetctl_file"
	if [ -n "$fleetctl_url" ]; then
		OPENAI_BASE_URL=$fleetctl_url
		OPENAI_MODEL=$fleetctl_model
		# oMLX without a key takes any; clients want one. The variable's name is ours, not the fleet's.
		OPENAI_API_KEY=none
		[ "$fleetctl_key" = - ] || eval "OPENAI_API_KEY=\$$fleetctl_key"
	fi
	set +a
	for fleetctl_file in $(/usr/bin/env | /usr/bin/sed -n 's/^\([Ff][Ll][Ee][Ee][Tt][Cc][Tt][Ll]_[A-Za-z0-9_]*\)=.*/\1/p'); do
		unset "$fleetctl_file"
	done
	exec "$@"
) </dev/null &
child=$!
timer=
if [ -n "$TIMEOUT" ]; then
	(
		trap 'kill "$sleeper" 2>/dev/null; exit 0' TERM
		sleep "$TIMEOUT" &
		sleeper=$!
		wait "$sleeper"
		kill -USR1 $$ 2>/dev/null
	) </dev/null >/dev/null 2>&1 &
	timer=$!
fi
# A signal ends `wait` early; the command may still run then.
while :; do
	wait "$child"
	status=$?
	[ "$stopped$timed_out" = false ] || break
	kill -0 "$child" 2>/dev/null || break
done
if [ "$stopped$timed_out" != false ]; then
	[ "$timed_out" = false ] || say "is ended after its timeout of $TIMEOUT s"
	end_all TERM
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		[ -n "$(running)" ] || break
		sleep 1
	done
	end_all KILL
	wait "$child" 2>/dev/null
	status=143
	[ "$timed_out" = false ] || status=124
fi
[ -z "$timer" ] || kill "$timer" 2>/dev/null
seconds=$(($(date +%s) - now))
record "$status" "$seconds" "$timed_out"
say "ended with $status after $seconds s"
exit "$status"
