# The runner: one transaction on one machine, from the payload in STATE/apply. It runs as the launchd job dev.fleetctl.apply
# and needs no word from the laptop. Put together from json.sh and apply/{base,files,launchd,engine,gate,main}.sh.
#
# base.sh: places, the state on disk, the lock, result.json, waiting.
#
# The state is the name of one file, STATE/apply/at.STATE, and a step from one state to the next is one rename: it needs no
# room on the disk and is either done or not. Killed anywhere, the next run goes on from the name that it finds.

set -u
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
umask 077

STATE=/usr/local/var/fleetctl
LIB=/usr/local/libexec/fleetctl
APPLY=$STATE/apply
TMP=$APPLY/tmp
GENERATIONS=$STATE/generations
DAEMONS=/Library/LaunchDaemons
JOB=dev.fleetctl.apply
TAB=$(printf '\t')
NL='
'

# --- the payload's facts

# meta KEY: a value of the payload's meta file, empty when it is not there.
meta() {
	awk -F '\t' -v "wanted=$1" '$1 == wanted { print substr($0, length($1) + 2); exit }' "$APPLY/meta"
}

# lists: the plan's lines of each verb, without it, in files of their own. Made before anything is touched, because a list that a
# full disk cuts short would be work left undone in silence.
lists() {
	[ -d "$APPLY/lists" ] && return 0
	rm -rf "$APPLY/lists.new"
	mkdir "$APPLY/lists.new" || return 1
	for verb in found dir put merge secretkey link remove unit idle owned live listed resident ask; do
		awk -F '\t' -v "verb=$verb" '$1 == verb { print substr($0, length(verb) + 2) }' "$APPLY/plan" >"$APPLY/lists.new/$verb" || return 1
	done
	[ "$(cat "$APPLY/lists.new"/* | wc -l)" -eq "$(wc -l <"$APPLY/plan")" ] && mv "$APPLY/lists.new" "$APPLY/lists"
}

# ops VERB: one of these lists.
ops() {
	cat "$APPLY/lists/$1"
}

# blob N: the file that holds it; filled, where it has a place for what only this machine knows.
blob() {
	if [ -f "$APPLY/blobs/$1.filled" ]; then
		printf '%s/blobs/%s.filled' "$APPLY" "$1"
	else
		printf '%s/blobs/%s' "$APPLY" "$1"
	fi
}

# --- the state

state() {
	for at in "$APPLY"/at.*; do
		[ -e "$at" ] || continue
		printf '%s' "${at##*/at.}"
		return 0
	done
	return 1
}

# advance TO: one rename. A machine that cannot even rename is left to the next run: launchd starts it every half minute.
advance() {
	from=$(state) || exit 75
	if [ "$from" != "$1" ] && ! mv -f "$APPLY/at.$from" "$APPLY/at.$1"; then
		say "cannot leave the state $from: the file system refuses a rename"
		exit 75
	fi
	say "state: $1"
	publish "$1" "${2-$1}"
}

terminal() {
	case $1 in
	committed | reverted | revert-failed | refused | postponed | failed) return 0 ;;
	*) return 1 ;;
	esac
}

# --- words

# say TEXT: a line of the transaction's own log.
say() {
	printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" >>"$APPLY/log" 2>/dev/null
}

# note TEXT: something that the operator must read in the result, once.
note() {
	grep -qxF -e "$1" "$APPLY/notes" 2>/dev/null || printf '%s\n' "$1" >>"$APPLY/notes" 2>/dev/null
	say "note: $1"
}

# strings: lines on standard input as the inside of a JSON array. Bytes beyond ASCII become "?", because a log may hold any.
strings() {
	tr '\200-\377' '?' | awk '
		BEGIN { for (i = 1; i < 32; i++) escape[sprintf("%c", i)] = sprintf("\\u%04x", i) }
		{
			out = ""
			for (at = 1; at <= length($0) && at <= 2000; at++) {
				c = substr($0, at, 1)
				if (c == "\\" || c == "\"") c = "\\" c
				else if (c in escape) c = escape[c]
				else if (c == "\177") c = "\\u007f"
				out = out c
			}
			printf "%s\"%s\"", (NR > 1 ? ", " : ""), out
		}'
}

# string TEXT: one JSON string.
string() {
	printf '%s' "$1" | tr '\n' ' ' | strings | awk '{ print; found = 1 } END { if (!found) printf "\"\"" }'
}

# publish STATE STEP: result.json, replaced by one rename; readable without root, so nothing secret is in it. A subshell, so that
# its words are no one else's.
publish() (
	now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	shown=running
	finished=null
	if terminal "$1"; then
		shown=$1
		finished="\"$now\""
	fi
	reason=null
	[ -s "$APPLY/reason" ] && reason=$(string "$(cat "$APPLY/reason")")
	generation=null
	case $1 in
	committed) [ -s "$APPLY/generation" ] && generation=$(sed -n 2p "$APPLY/generation") ;;
	*) [ -s "$APPLY/generation" ] && generation=$(sed -n 1p "$APPLY/generation") ;;
	esac
	previous=null
	[ -s "$APPLY/generation" ] && previous=$(sed -n 1p "$APPLY/generation")
	changes=$(meta changes)
	case $changes in
	'' | *[!0-9]*) changes=0 ;;
	esac
	log=
	[ -s "$APPLY/failure-log" ] && log=$(redact <"$APPLY/failure-log" | strings)
	notes=
	[ -s "$APPLY/notes" ] && notes=$(redact <"$APPLY/notes" | strings)
	new=$STATE/.result.new
	if {
		printf '{"schema": "fleetctl.result/1", "id": %s, "kind": %s, "machine": %s, "fleet": %s, "who": %s,\n' \
			"$(string "$(meta id)")" "$(string "$(meta kind)")" "$(string "$(meta machine)")" \
			"$(string "$(meta fleet)")" "$(string "$(meta who)")"
		printf '"state": "%s", "at": "%s", "step": %s, "generation": %s, "started": %s, "now": "%s", "finished": %s,\n' \
			"$shown" "$1" "$(string "$2")" "$generation" "$(string "$(cat "$APPLY/started" 2>/dev/null)")" "$now" "$finished"
		printf '"previous": %s, "changes": %s, "reason": %s, "notes": [%s], "log": [%s]}\n' \
			"$previous" "$changes" "$reason" "$notes" "$log"
	} >"$new" 2>/dev/null && chmod 0644 "$new" && mv -f "$new" "$STATE/result.json"; then
		return 0
	fi
	rm -f "$new"
	# A full disk: what was set aside for the last words is spent now.
	if [ -e "$APPLY/reserve" ]; then
		rm -f "$APPLY/reserve"
		publish "$1" "$2"
	fi
)

# step TEXT: what is being done, for the one who watches.
step() {
	say "$1"
	publish "$(state)" "$1"
}

# redact: replaces the keys in use, old and new, on their way into a result (0.3.8 logs refused keys in clear).
redact() {
	if [ -s "$APPLY/secrets" ]; then
		SECRETS=$APPLY/secrets awk '
			BEGIN { while ((getline line < ENVIRON["SECRETS"]) > 0) if (length(line) > 3) secret[++n] = line }
			{
				for (i = 1; i <= n; i++)
					while ((at = index($0, secret[i])) > 0)
						$0 = substr($0, 1, at - 1) "[redacted]" substr($0, at + length(secret[i]))
				print
			}'
	else
		cat
	fi
}

# --- endings and turnings

# conclude STATE [REASON]: the transaction ends here; nothing that was there has been changed, or all of it is back.
conclude() {
	[ "${2-}" ] && printf '%s\n' "$2" | redact >"$APPLY/reason"
	advance "$1"
}

# revert REASON: what was saved comes back.
revert() {
	say "reverting: $1"
	[ -s "$APPLY/reason" ] || printf '%s\n' "$1" | redact >"$APPLY/reason"
	[ -s "$APPLY/failure-log" ] || tail_logs >"$APPLY/failure-log" 2>/dev/null
	advance reverting "going back: $1"
}

# --- waiting

# A wait counts what passes between two looks and no more than two minutes of it, so that a clock that jumps by a year neither
# ends nor prolongs it.
waiting_starts() {
	WAITED=0
	LOOKED=$(date +%s)
}

waiting_goes_on() {
	sleep "${1-1}"
	looked=$(date +%s)
	passed=$((looked - LOOKED))
	LOOKED=$looked
	if [ "$passed" -lt 0 ] || [ "$passed" -gt 120 ]; then
		passed=1
	fi
	WAITED=$((WAITED + passed))
}

# --- the lock

# One directory, put in place by one rename. `who` is the operator, `pid` the runner.
lock_take() {
	mine=$STATE/.lock.apply.$$
	rm -rf "$STATE"/.lock.apply.*
	mkdir "$mine" || return 1
	meta who >"$mine/who"
	meta id >"$mine/id"
	date +%s >"$mine/since"
	boot_time >"$mine/boot"
	printf '%s\n' "$$" >"$mine/pid"
	chmod 0755 "$mine" && chmod 0644 "$mine"/* || return 1
	waiting_starts
	while :; do
		if [ "$(cat "$STATE/lock/id" 2>/dev/null)" = "$(meta id)" ]; then
			# Ours, from a run that was killed.
			printf '%s\n' "$$" >"$mine/pid" && mv -f "$mine/pid" "$STATE/lock/pid"
			rm -rf "$mine"
			return 0
		fi
		if [ -d "$STATE/lock" ] && lock_is_dead; then
			say "the lock of $(cat "$STATE/lock/who" 2>/dev/null) is broken: its process is gone"
			mv -f "$STATE/lock" "$STATE/.lock.apply.dead" && rm -rf "$STATE/.lock.apply.dead"
		fi
		if [ ! -e "$STATE/lock" ]; then
			mv "$mine" "$STATE/lock" 2>/dev/null
			[ "$(cat "$STATE/lock/id" 2>/dev/null)" = "$(meta id)" ] && return 0
			# Another was faster: mv went inside.
			[ -d "$STATE/lock/.lock.apply.$$" ] && mv "$STATE/lock/.lock.apply.$$" "$mine"
		fi
		# The reconciler and the verbs that load and unload hold it for a moment.
		if [ "$WAITED" -ge 60 ]; then
			rm -rf "$mine"
			return 1
		fi
		waiting_goes_on 1
	done
}

# Gone for certain: another boot, or no process of ours with that number. Never because of its age.
lock_is_dead() {
	owner=$(cat "$STATE/lock/pid" 2>/dev/null)
	case $owner in
	'' | *[!0-9]*) return 0 ;;
	esac
	[ "$owner" = "$$" ] && return 0
	command=$(ps -p "$owner" -o command= 2>/dev/null)
	case $command in
	*fleetctl*) return 1 ;;
	*) return 0 ;;
	esac
}

lock_drop() {
	if [ "$(cat "$STATE/lock/id" 2>/dev/null)" = "$(meta id)" ]; then
		mv -f "$STATE/lock" "$STATE/.lock.apply.done"
	fi
	# Those of runs that were killed too: there is one runner at a time.
	rm -rf "$STATE"/.lock.apply.*
}

boot_time() {
	/usr/sbin/sysctl -n kern.boottime 2>/dev/null | sed 's/^{ sec = \([0-9]*\),.*/\1/'
}
