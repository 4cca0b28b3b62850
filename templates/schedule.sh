#!/bin/sh
# schedule: makes oMLX hold what the fleet's clock says, and only when nobody is served meanwhile. Installed and started by fleetctl
# (at every boundary, at boot, every 15 minutes, and by an apply after a restart); do not edit.
#
#   schedule                    one tick
#   schedule --wanted           the names that are wanted now, one a line; those unloaded by hand are left out
#   schedule --wanted EPOCH...  a line for each: the window that decides (`-`: none), then its names
#   schedule --gateway EPOCH... a line for each: the state of the windows that the gateway's routes are in
#
# What is wanted is a function of STATE/schedule/table.json and the clock; this script keeps no other plan. STATE/schedule/state.json
# says what the last tick found and did. What is not idle in time is left alone until the next tick; a load that fails is undone.
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
umask 077

STATE=/usr/local/var/fleetctl
HOME_OF_STATE=$STATE/schedule
TMP=$HOME_OF_STATE/.run
# Seconds that a tick waits until oMLX is idle, and until it answers.
DRAIN=600
ANSWER=120
# An apply waits for this script: it has stopped and drained oMLX itself.
[ "${FLEETCTL_LOCK-}" != held ] || DRAIN=60 ANSWER=0
# Seconds for a load: 36 GB from a slow disk.
LOAD=900
# A failed set is tried again after 15 minutes, then after twice the time, up to 4 hours.
RETRY=900
RETRY_MOST=14400
NEWLINE='
'

@json.sh@
@clock.sh@
@lock.sh@

say() {
	printf '%s schedule: %s\n' "$(date -u '+%Y-%m-%dT%H:%M:%SZ')" "$1"
}

# --- the table

# read_table: FLAT, ZONE and BASE; 1 when the table is not ours. Its strings are names and paths that fleetctl has checked.
read_table() {
	FLAT=$(json_flatten "$HOME_OF_STATE/table.json" 2>/dev/null) || return 1
	[ "$(field /schema)" = 'fleetctl.schedule-table/1' ] || return 1
	ZONE=$(field /zone)
	BASE=$(field /base)
	[ -n "$BASE" ] && zone_known "$ZONE"
}

# field POINTER: a string of the table.
field() {
	printf '%s\n' "$FLAT" | POINTER=$1 awk -F '\t' '$1 == ENVIRON["POINTER"] { print $2; exit }' | json_text 2>/dev/null
}

# windows POINTER: the list of windows there, as open_window reads them.
windows() {
	printf '%s\n' "$FLAT" | awk -F '\t' -v "pointer=$1/" '
		index($1, pointer) != 1 { next }
		{ $1 = "/windows/" substr($1, length(pointer) + 1) }
		$1 ~ /^\/windows\/[0-9]+\/(name|start|end|days)$/ {
			split($1, part, "/")
			gsub(/"/, "", $2)
			value[part[3], part[4]] = $2
			if (part[3] + 0 >= count) count = part[3] + 1
		}
		END { for (i = 0; i < count; i++) print value[i, "name"], value[i, "start"], value[i, "end"], value[i, "days"] }'
}

# names_of WINDOW: its residents, one a line; those of the baseline without a window.
names_of() {
	printf '%s\n' "$FLAT" | awk -F '\t' -v "window=$1" '
		{ text = $2; gsub(/"/, "", text) }
		window == "" && $1 ~ /^\/baseline\/[0-9]+$/ { print text }
		$1 ~ /^\/windows\/[0-9]+\/name$/ { split($1, part, "/"); here = (text == window) }
		window != "" && here && $1 ~ /^\/windows\/[0-9]+\/resident\/[0-9]+$/ { print text }'
}

# wanted_at EPOCH: WINDOW and WANTED. NAMES are those of the window NAMES_OF.
NAMES_OF=-
NAMES=
wanted_at() {
	shown_minute "$ZONE" "$1" || return 1
	open_window "$SHOWN" "$WINDOWS"
	WINDOW=$OPEN
	[ "$NAMES_OF" = "$WINDOW" ] || {
		NAMES=$(names_of "$WINDOW")
		NAMES_OF=$WINDOW
	}
	WANTED=$NAMES
}

# gateway_state: the name of the state of the windows that the gateway's routes are in (`night`, `one+two`, `baseline`).
gateway_state() {
	gateway_open=$(open_windows "$SHOWN" "$(windows /gateway)" | tr '\n' '+')
	gateway_open=${gateway_open%+}
	printf '%s' "${gateway_open:-baseline}"
}

# kind_of NAME: llm, vlm, embedding or reranker; nothing for a name that is not ours.
kind_of() {
	printf '%s\n' "$FLAT" | awk -F '\t' -v "pointer=/names/$1" '$1 == pointer { gsub(/"/, "", $2); print $2; exit }'
}

all_names() {
	printf '%s\n' "$FLAT" | awk -F '\t' 'index($1, "/names/") == 1 && $2 ~ /^"/ { print substr($1, 8) }'
}

# held WHAT: what was stopped (`units`) or unloaded (`names`) by hand, one a line. A broken file holds nothing.
held() {
	json_flatten "$STATE/held.json" 2>/dev/null | awk -F '\t' -v "what=/$1/" '
		index($1, what) == 1 {
			rest = substr($1, length(what) + 1)
			if (rest ~ /^[0-9]+$/ && $2 ~ /^"/) { gsub(/"/, "", $2); rest = $2 }
			sub(/\/.*/, "", rest)
			if (!(rest in seen)) { seen[rest] = 1; print rest }
		}'
}

# --- lists: one name a line. in_list NAME LIST; minus LIST LIST; count LIST.

in_list() {
	case "$NEWLINE$2$NEWLINE" in
	*"$NEWLINE$1$NEWLINE"*) return 0 ;;
	esac
	return 1
}

minus() {
	for item in $1; do
		in_list "$item" "$2" || printf '%s\n' "$item"
	done
}

both() {
	for item in $1; do
		! in_list "$item" "$2" || printf '%s\n' "$item"
	done
}

as_json() {
	printf '%s\n' "$1" | awk 'BEGIN { printf "[" } $0 != "" { printf "%s\"%s\"", separator, $0; separator = ", " } END { printf "]" }'
}

in_words() {
	printf '%s\n' "$1" | awk '$0 != "" { printf "%s%s", separator, $0; separator = ", " }'
}

# text_json TEXT: as a JSON string; control characters are left out, and it is cut at 500 bytes.
text_json() {
	printf '"%s"' "$(printf '%s' "$1" | tr -cd '\040-\176' | cut -c 1-500 | sed 's/\\/\\\\/g; s/"/\\"/g')"
}

# --- oMLX

@omlx-api.sh@
# look: LISTED, LOADED, LOADING and PINNED of our names, by oMLX's own answer.
look() {
	api GET /v1/models/status '' 20 || return 1
	json_flatten "$TMP/answer" >"$TMP/models" 2>/dev/null || { HTTP='200, no JSON:'; return 1; }
	LISTED=$(models id)
	LOADED=$(models loaded)
	LOADING=$(models is_loading)
	PINNED=$(models pinned)
}

# models FIELD: our names of which the field is true; all of them for `id`.
models() {
	all_names >"$TMP/ours"
	awk -F '\t' -v "field=$1" -v "ours=$TMP/ours" '
		BEGIN { while ((getline name < ours) > 0) known["\"" name "\""] = name }
		$1 ~ /^\/models\/[0-9]+\/(id|loaded|is_loading|pinned)$/ {
			split($1, part, "/")
			value[part[3], part[4]] = $2
			if (part[4] == "id") order[++count] = part[3]
		}
		END {
			for (i = 1; i <= count; i++) {
				id = value[order[i], "id"]
				if (id in known && (field == "id" || value[order[i], field] == "true")) print known[id]
			}
		}' "$TMP/models"
}

# busy: 0 while something runs or cannot be seen; BUSY says what. The counters leave out DFlash, embeddings and audio on 0.3.8, so
# connections decide: nobody of ours keeps one open, and oMLX closes an idle one after 5 s.
busy() {
	BUSY=
	if api GET /api/status '' 20 && json_flatten "$TMP/answer" >"$TMP/status" 2>/dev/null; then
		for counter in active_requests waiting_requests; do
			number=$(json_get "$TMP/status" "/$counter")
			case $number in
			'' | 0 | *[!0-9]*) ;;
			*) BUSY="$BUSY, $number ${counter%_requests}" ;;
			esac
		done
	elif [ "$HTTP" = 000 ]; then
		BUSY="$BUSY, it does not answer ($(answered))"
	fi
	if /usr/sbin/netstat -an -p tcp >"$TMP/netstat" 2>"$TMP/netstat.error" && [ -s "$TMP/netstat" ]; then
		number=$(awk -v "port=.$PORT" '
			$1 ~ /^tcp/ && $NF == "ESTABLISHED" && substr($4, length($4) - length(port) + 1) == port { n++ }
			END { print n + 0 }' "$TMP/netstat")
		[ "$number" = 0 ] || BUSY="$BUSY, $number connected"
	else
		BUSY="$BUSY, its connections cannot be seen ($(head -n 1 "$TMP/netstat.error"))"
	fi
	BUSY=${BUSY#, }
	[ -n "$BUSY" ]
}

# drained: waits until oMLX is idle in two looks; 1 when it is not in time, or when an apply has begun.
drained() {
	waited=0
	idle=0
	while :; do
		if busy; then
			[ "$idle" = 0 ] && [ "$waited" -gt 0 ] || say "waiting until oMLX is idle: $BUSY"
			idle=0
		else
			idle=$((idle + 1))
			[ "$idle" -lt 2 ] || return 0
		fi
		if apply_runs; then
			BUSY='an apply runs'
			return 1
		fi
		[ "$waited" -lt "$DRAIN" ] || return 1
		sleep 2
		waited=$((waited + 2))
	done
}

pin() {
	[ -n "$KEY" ] || return 0
	admin PUT "/admin/api/models/$1/settings" "$(api_body "{\"is_pinned\": $2}")" 60 && return 0
	WHY="setting is_pinned of $1 to $2: $(answered)"
	return 1
}

unload() {
	api POST "/v1/models/$1/unload" '' 300 && return 0
	# 400: it is not loaded any more.
	[ "$HTTP" = 400 ] && return 0
	WHY="unloading $1: $(answered)"
	return 1
}

# load NAME: through the admin interface, which every release has; without a key by the request that also proves it.
load() {
	if [ -n "$KEY" ]; then
		admin POST "/admin/api/models/$1/load" '' "$LOAD"
		case $HTTP in
		2??) ;;
		409) wait_loaded "$1" || { WHY="loading $1: it is loading for more than $LOAD s"; return 1; } ;;
		*)
			WHY="loading $1: $(answered)"
			return 1
			;;
		esac
	fi
	ask "$1" || { WHY="asking $1 for one token: $(answered)"; return 1; }
}

wait_loaded() {
	waited=0
	while [ "$waited" -lt "$LOAD" ]; do
		look && in_list "$1" "$LOADED" && return 0
		sleep 2
		waited=$((waited + 2))
	done
	return 1
}

# ask NAME: one token, or one embedding.
ask() {
	case $(kind_of "$1") in
	embedding) set -- /v1/embeddings "{\"model\": \"$1\", \"input\": \"ping\"}" ;;
	reranker) set -- /v1/rerank "{\"model\": \"$1\", \"query\": \"ping\", \"documents\": [\"pong\"]}" ;;
	*)
		set -- /v1/chat/completions \
			"{\"model\": \"$1\", \"messages\": [{\"role\": \"user\", \"content\": \"ping\"}], \"max_tokens\": 1, \"stream\": false}"
		;;
	esac
	api POST "$1" "$(api_body "$2")" "$LOAD" || return 1
	# A late failure comes with status 200 (a chunked answer has begun): only an answer without an error counts.
	json_flatten "$TMP/answer" >"$TMP/asked" 2>/dev/null || return 1
	! grep -q '^/error' "$TMP/asked"
}

# --- the gateway

# route: names the state in force in STATE/gateway/active. The gateway's supervisor then hands over to that configuration; the process
# before it finishes what it has begun.
route() {
	[ "$(field /machine_has_gateway)" = yes ] || return 0
	GATEWAY=$(gateway_state)
	active=$(cat "$STATE/gateway/active" 2>/dev/null)
	[ "${active:-baseline}" != "$GATEWAY" ] || return 0
	if [ ! -f "$STATE/gateway/config.$GATEWAY.yaml" ]; then
		say "the gateway has no configuration for $GATEWAY: apply writes it"
		return 0
	fi
	new=$STATE/gateway/.active.$$
	printf '%s\n' "$GATEWAY" >"$new" && chmod 0644 "$new" && mv -f "$new" "$STATE/gateway/active" || {
		say "the gateway cannot be told to take $GATEWAY"
		return 0
	}
	# A gateway that does not run reads it when it starts.
	/bin/launchctl kill SIGHUP system/dev.fleetctl.gateway >/dev/null 2>&1
	say "the gateway takes $GATEWAY"
}

# --- locks

# tick_lock: so that two ticks never overlap.
tick_lock() {
	tries=0
	until lock_try "$HOME_OF_STATE" 'the reconciler' "$LOCK_ID" "$$"; do
		tries=$((tries + 1))
		# A tick that waits sees an apply within two seconds and ends.
		[ "$tries" -le 10 ] || return 1
		sleep 1
	done
}

# apply_runs: or a runner that was killed comes back for its transaction; or a person loads or unloads.
apply_runs() {
	[ "${FLEETCTL_LOCK-}" != held ] && [ -e "$STATE/lock" ] && { [ -d "$STATE/apply" ] || ! lock_is_dead "$STATE"; }
}

# machine_lock: the one that an apply takes, while something is loaded or unloaded.
machine_lock() {
	[ "${FLEETCTL_LOCK-}" != held ] || return 0
	! apply_runs && lock_try "$STATE" 'the reconciler' "$LOCK_ID" "$$"
}

leave() {
	rm -rf "$TMP"
	lock_drop "$STATE" "$LOCK_ID" "$$"
	lock_drop "$HOME_OF_STATE" "$LOCK_ID" "$$"
}

# --- what was done

# before FIELD: of the state that the last tick left; nothing from a broken file.
before() {
	printf '%s\n' "$BEFORE" | awk -F '\t' -v "pointer=/$1" '$1 == pointer { gsub(/"/, "", $2); print $2; exit }'
}

before_list() {
	printf '%s\n' "$BEFORE" | awk -F '\t' -v "pointer=/$1/" 'index($1, pointer) == 1 && $2 ~ /^"/ { gsub(/"/, "", $2); print $2 }'
}

# conclude STATE DETAIL: writes state.json by a rename, and ends.
conclude() {
	last_change=$(before changed_at)
	loaded_then=$(before_list loaded)
	unloaded_then=$(before_list unloaded)
	if [ -n "$CHANGED" ]; then
		last_change=$(date -u '+%Y-%m-%dT%H:%M:%SZ')
		loaded_then=$DONE_LOAD
		unloaded_then=$DONE_UNLOAD
	fi
	new=$HOME_OF_STATE/.state.$$
	{
		printf '{\n  "schema": "fleetctl.schedule-state/1",\n  "at": "%s",\n' "$(date -u '+%Y-%m-%dT%H:%M:%SZ')"
		printf '  "state": "%s",\n  "detail": %s,\n' "$1" "$([ -n "$2" ] && text_json "$2" || echo null)"
		printf '  "gateway": %s,\n' "$([ -n "$GATEWAY" ] && printf '"%s"' "$GATEWAY" || echo null)"
		printf '  "window": %s,\n' "$([ -n "$WINDOW" ] && printf '"%s"' "$WINDOW" || echo null)"
		printf '  "wanted": %s,\n  "resident": %s,\n  "held": %s,\n' "$(as_json "$WANTED")" "$(as_json "$RESIDENT")" "$(as_json "$HELD")"
		printf '  "failures": %s,\n  "retry_at": %s,\n' "$FAILURES" "$RETRY_AT"
		printf '  "changed_at": %s,\n' "$([ -n "$last_change" ] && [ "$last_change" != null ] && printf '"%s"' "$last_change" || echo null)"
		printf '  "loaded": %s,\n  "unloaded": %s\n}\n' "$(as_json "$loaded_then")" "$(as_json "$unloaded_then")"
	} >"$new" && chmod 0644 "$new" && mv -f "$new" "$HOME_OF_STATE/state.json" || say 'its state cannot be written'
	# Nothing to say is not said every 15 minutes.
	if [ "$1" != ok ] || [ -n "$CHANGED" ] || [ "$(before state)" != ok ]; then
		say "$1: ${2:-$(in_words "$WANTED")}"
	fi
	case $1 in
	failed) exit 1 ;;
	broken) exit 78 ;;
	esac
	exit 0
}

# failed WHY: the set before comes back, and the next try is put off.
failed() {
	reason=$1
	if look; then
		for name in $(minus "$LOADED" "$RESIDENT"); do
			! in_list "$name" "$DONE_LOAD" || { pin "$name" false; unload "$name"; }
		done
		for name in $RESIDENT; do
			in_list "$name" "$LOADED" || load "$name" || reason="$reason; going back: $WHY"
			pin "$name" true || reason="$reason; going back: $WHY"
		done
	fi
	FAILURES=$((FAILURES + 1))
	wait_for=$RETRY
	try=1
	while [ "$try" -lt "$FAILURES" ] && [ "$wait_for" -lt "$RETRY_MOST" ]; do
		wait_for=$((wait_for * 2))
		try=$((try + 1))
	done
	[ "$wait_for" -le "$RETRY_MOST" ] || wait_for=$RETRY_MOST
	# A second earlier: the tick that is due then shall try.
	RETRY_AT=$((NOW + wait_for - 30))
	look && RESIDENT=$(both "$RESIDENT" "$LOADED")
	conclude failed "$reason"
}

tick() {
	if ! read_table; then
		conclude broken "STATE/schedule/table.json cannot be used: apply writes it again"
	fi
	BEFORE=$(json_flatten "$HOME_OF_STATE/state.json" 2>/dev/null)
	WINDOWS=$(windows /windows)
	wanted_at "$NOW" || conclude broken "the time in $ZONE cannot be told"
	HELD=$(held names)
	route
	if [ "$(printf '%s\n' "$FLAT" | awk -F '\t' '$1 == "/baseline" { print $2 }')" = null ]; then
		conclude ok ''
	fi
	if in_list omlx "$(held units)"; then
		conclude held 'oMLX is stopped by hand'
	fi
	WANTED=$(minus "$WANTED" "$HELD")
	FAILURES=$(before failures)
	RETRY_AT=$(before retry_at)
	case $FAILURES in '' | *[!0-9]*) FAILURES=0 ;; esac
	case $RETRY_AT in '' | *[!0-9]*) RETRY_AT=null ;; esac
	if [ "$(before_list wanted)" != "$WANTED" ]; then
		FAILURES=0
		RETRY_AT=null
	fi

	waited=0
	api_at "$BASE"
	until look; do
		[ "$HTTP" = 000 ] && [ "$waited" -lt "$ANSWER" ] && /bin/launchctl print system/dev.fleetctl.omlx >/dev/null 2>&1 && ! apply_runs ||
			conclude unreachable "oMLX does not say what is loaded: $(answered)"
		sleep 5
		waited=$((waited + 5))
		api_at "$BASE"
	done
	missing=$(minus "$WANTED" "$LISTED")
	[ -z "$missing" ] || conclude failed "oMLX does not list $(in_words "$missing")"

	# Pins are this script's own; a name that a request loaded is not, and goes by itself.
	was=$(before_list resident)
	RESIDENT=
	for name in $LOADED; do
		if in_list "$name" "$PINNED" || in_list "$name" "$was" || in_list "$name" "$WANTED"; then
			RESIDENT="$RESIDENT$name$NEWLINE"
		fi
	done
	RESIDENT=${RESIDENT%"$NEWLINE"}
	to_load=$(minus "$WANTED" "$LOADED")
	to_unload=$(minus "$(minus "$RESIDENT" "$WANTED")" "$HELD")
	to_pin=$(minus "$(both "$WANTED" "$LOADED")" "$PINNED")
	to_unpin=$(minus "$(minus "$(minus "$PINNED" "$WANTED")" "$to_unload")" "$HELD")

	if [ -n "$to_load$to_unload" ]; then
		if [ "$RETRY_AT" != null ] && [ "$NOW" -lt "$RETRY_AT" ] && [ "$((RETRY_AT - NOW))" -le "$RETRY_MOST" ]; then
			conclude failed "$(before detail)"
		fi
		drained || conclude postponed "not idle within $DRAIN s: $BUSY"
		machine_lock || conclude postponed 'an apply runs'
		# Once more under the lock: what came since is not cut either.
		! busy || conclude postponed "not idle: $BUSY"
		say "to load: $(in_words "$to_load"); to unload: $(in_words "$to_unload")"
	elif [ -n "$to_pin$to_unpin" ] && ! machine_lock; then
		conclude postponed 'an apply runs'
	fi
	for name in $to_unpin; do
		pin "$name" false || failed "$WHY"
	done
	# What stays is pinned before anything is loaded beside it: an eviction takes what is not.
	for name in $to_pin; do
		pin "$name" true || failed "$WHY"
	done
	for name in $to_unload; do
		CHANGED=yes
		pin "$name" false && unload "$name" || failed "$WHY"
		DONE_UNLOAD="$DONE_UNLOAD$name$NEWLINE"
		say "unloaded $name"
	done
	for name in $to_load; do
		CHANGED=yes
		DONE_LOAD="$DONE_LOAD$name$NEWLINE"
		load "$name" && pin "$name" true || failed "$WHY"
		say "loaded $name"
	done
	if [ -n "$to_load$to_unload" ]; then
		look || failed "oMLX does not say what is loaded: $(answered)"
		lost=$(minus "$WANTED" "$LOADED")
		[ -z "$lost" ] || failed "not loaded in the end: $(in_words "$lost")"
	fi
	RESIDENT=$WANTED
	FAILURES=0
	RETRY_AT=null
	conclude ok ''
}

if [ "${1-}" = --wanted ]; then
	shift
	if ! read_table; then
		printf 'schedule: %s/table.json cannot be used\n' "$HOME_OF_STATE" >&2
		exit 78
	fi
	WINDOWS=$(windows /windows)
	if [ "$#" -eq 0 ]; then
		wanted_at "$(date +%s)" || exit 78
		minus "$WANTED" "$(held names)"
		exit 0
	fi
	for at in "$@"; do
		wanted_at "$at" || exit 78
		printf '%s' "${WINDOW:--}"
		for name in $WANTED; do printf ' %s' "$name"; done
		printf '\n'
	done
	exit 0
fi

if [ "${1-}" = --gateway ]; then
	shift
	read_table || exit 78
	for at in "$@"; do
		shown_minute "$ZONE" "$at" || exit 78
		printf '%s\n' "$(gateway_state)"
	done
	exit 0
fi

NOW=$(date +%s)
GATEWAY= WINDOW= WANTED= RESIDENT= HELD= BEFORE= CHANGED= DONE_LOAD= DONE_UNLOAD=
FAILURES=0
RETRY_AT=null
LOCK_ID=schedule-$$-$NOW
if ! tick_lock; then
	say 'another tick runs'
	exit 0
fi
trap leave EXIT
trap 'exit 143' TERM INT HUP
if apply_runs; then
	say 'an apply runs: it sets what is resident itself'
	exit 0
fi
rm -rf "$TMP" && mkdir "$TMP" || exit 75
tick
