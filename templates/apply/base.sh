# The runner: one transaction on one machine, from the payload in STATE/apply. It runs as the launchd job dev.fleetctl.apply
# and needs no word from the laptop. Put together from json.sh, lock.sh, omlx-api.sh and
# apply/{base,files,launchd,engine,gate,main}.sh.
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

# look_up TABLE KEY: FOUND, what stands behind KEY and a tab in a line of TABLE; empty where there is none. TABLE is in memory, with a line break
# before its first line: no process is started, and a full disk does not matter.
look_up() {
	case $1 in
	*"$NL$2$TAB"*)
		FOUND=${1#*"$NL$2$TAB"}
		FOUND=${FOUND%%"$NL"*}
		;;
	*) FOUND= ;;
	esac
}

# --- the payload's facts

# meta KEY: a value of the payload's meta file, empty when it is not there. The file is read once, by meta_read: it never changes.
META=
meta() {
	look_up "$META" "$1"
	[ -z "$FOUND" ] || printf '%s\n' "$FOUND"
}

meta_read() {
	META=$NL$(cat "$APPLY/meta" 2>/dev/null)$NL
}

# lists: the plan's lines of each verb, without it, in files of their own. Made before anything is touched, because a list that a
# full disk cuts short would be work left undone in silence.
lists() {
	[ -d "$APPLY/lists" ] && return 0
	rm -rf "$APPLY/lists.new"
	mkdir "$APPLY/lists.new" || return 1
	LISTS=$APPLY/lists.new awk -F '\t' '
		BEGIN {
			n = split("found dir rights put merge secretkey link remove unit idle owned live listed resident ask", verbs, " ")
			for (i = 1; i <= n; i++) {
				list[verbs[i]] = ENVIRON["LISTS"] "/" verbs[i]
				printf "" >list[verbs[i]]
			}
		}
		$1 in list { print substr($0, length($1) + 2) >list[$1] }' "$APPLY/plan" || return 1
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

# say TEXT: a line of the transaction's own log. NOW is the moment of the last one.
say() {
	NOW=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	printf '%s %s\n' "$NOW" "$1" >>"$APPLY/log" 2>/dev/null
}

# note TEXT: something that the operator must read in the result, once.
note() {
	grep -qxF -e "$1" "$APPLY/notes" 2>/dev/null || printf '%s\n' "$1" >>"$APPLY/notes" 2>/dev/null
	say "note: $1"
}

# publish STATE STEP: result.json as of NOW, replaced by one rename; readable without root, so nothing secret is in it. A subshell, so that
# its words and its umask are no one else's.
publish() (
	umask 022
	new=$STATE/.result.new
	# One that was left here by a kill may have another mode.
	[ ! -e "$new" ] || rm -f "$new"
	if result "$1" "$2" >"$new" 2>/dev/null && is_whole_result "$new" && mv -f "$new" "$STATE/result.json"; then
		return 0
	fi
	rm -f "$new"
	# A full disk: what was set aside for the last words is spent now, and for them alone.
	if terminal "$1" && [ -e "$APPLY/reserve" ]; then
		rm -f "$APPLY/reserve"
		publish "$1" "$2"
	fi
)

# is_whole_result FILE: no full disk cut it short.
is_whole_result() {
	last=
	while IFS= read -r line; do
		last=$line
	done <"$1"
	case $last in
	*']}') return 0 ;;
	*) return 1 ;;
	esac
}

# result STATE STEP: what result.json says, from the files of STATE/apply. One process, because every step says a new one. What is not printable ASCII
# is escaped, bytes beyond it become "?": a log may hold any.
result() {
	finished=
	terminal "$1" && finished=yes
	AT=$1 STEP=$2 FINISHED=$finished DIRECTORY=$APPLY PRESENT=$GENERATIONS/present NOW=$NOW awk "$REDACT"'
		function text(line,    out, at, c) {
			for (at = 1; at <= length(line) && at <= 2000; at++) {
				c = substr(line, at, 1)
				if (c == "\\" || c == "\"") c = "\\" c
				else if (c in escape) c = escape[c]
				else if (index(plain, c) == 0) c = "?"
				out = out c
			}
			return "\"" out "\""
		}
		function lines(name,    line, all, n) {
			while ((getline line < (directory "/" name)) > 0) all = all (n++ ? ", " : "") text(redacted(line))
			return "[" all "]"
		}
		function joined(name,    line, all, n) {
			while ((getline line < (directory "/" name)) > 0) all = all (n++ ? " " : "") line
			return all
		}
		BEGIN {
			for (i = 1; i < 32; i++) escape[sprintf("%c", i)] = sprintf("\\u%04x", i)
			for (i = 32; i < 127; i++) plain = plain sprintf("%c", i)
			directory = ENVIRON["DIRECTORY"]
			secrets(directory "/secrets")
			while ((getline line < (directory "/meta")) > 0) {
				at = index(line, "\t")
				meta[substr(line, 1, at - 1)] = substr(line, at + 1)
			}
			state = ENVIRON["AT"]
			from = to = "null"
			if ((getline line < (directory "/generation")) > 0) {
				from = line
				if ((getline line < (directory "/generation")) > 0) to = line
			} else if ((getline line < ENVIRON["PRESENT"]) > 0 && line ~ /^[0-9]+$/) from = line
			reason = joined("reason")
			changes = meta["changes"]
			if (changes !~ /^[0-9]+$/) changes = 0
			printf "{\"schema\": \"fleetctl.result/1\", \"id\": %s, \"kind\": %s, \"machine\": %s, \"fleet\": %s, \"who\": %s,\n", text(meta["id"]), text(meta["kind"]), text(meta["machine"]), text(meta["fleet"]), text(meta["who"])
			printf "\"state\": \"%s\", \"at\": \"%s\", \"step\": %s, \"generation\": %s, ", (ENVIRON["FINISHED"] ? state : "running"), state, text(redacted(ENVIRON["STEP"])), (state == "committed" ? to : from)
			printf "\"started\": %s, \"now\": \"%s\", \"finished\": %s,\n", text(joined("started")), ENVIRON["NOW"], (ENVIRON["FINISHED"] ? "\"" ENVIRON["NOW"] "\"" : "null")
			printf "\"previous\": %s, \"changes\": %s, \"reason\": %s, \"notes\": %s, \"log\": %s}\n", from, changes, (reason == "" ? "null" : text(redacted(reason))), lines("notes"), lines("failure-log")
		}'
}

# step TEXT: what is being done, for the one who watches.
step() {
	say "$1"
	publish "$(state)" "$1"
}

# redact: replaces the keys in use, old and new, on their way into a result (0.3.8 logs refused keys in clear).
REDACT='
	function secrets(file,    line) {
		while ((getline line < file) > 0) if (length(line) > 3) secret[++secret_count] = line
	}
	function redacted(line,    i, at, out) {
		for (i = 1; i <= secret_count; i++) {
			out = ""
			while ((at = index(line, secret[i])) > 0) {
				out = out substr(line, 1, at - 1) "[redacted]"
				line = substr(line, at + length(secret[i]))
			}
			line = out line
		}
		return line
	}'

redact() {
	SECRETS=$APPLY/secrets awk "$REDACT"'
		BEGIN { secrets(ENVIRON["SECRETS"]) }
		{ print redacted($0) }'
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

# lock_take: as lock_try, and waits a minute for it: the reconciler and the verbs that load and unload have it for a moment.
lock_take() {
	waiting_starts
	while :; do
		lock_try "$STATE" "$(meta who)" "$(meta id)" "$$"
		taken=$?
		[ "$taken" = 1 ] && [ "$WAITED" -lt 60 ] || return "$taken"
		waiting_goes_on 1
	done
}
