# by-hand.sh: start, stop, restart of a daemon; load, unload of a name. As root, by the one command; behind json.sh, lock.sh, omlx-api.sh and apply/{base,launchd,engine}.sh, whose
# functions it uses with its own places and words. Set before, each with HAND_ in front so that no function of theirs takes it: ID, WHO, BASE, UNIT,
# LABEL, PLIST, LOG, LOG_USER, LOG_GROUP, KIND, NAME, HOLD, DRAIN, FORCE, GATE.
#
# It says what it does: `= STEP`, `! NOTE`, and in the end `# RESULT DETAIL`: done, unchanged, busy, postponed or failed.
TMP=$(mktemp -d /tmp/fleetctl.XXXXXX) || exit 75
APPLY=$TMP
WHY=
BUSY=
KEEPER=
said=
meta() {
	case $1 in
	base) printf '%s' "$HAND_BASE" ;;
	drains) printf 'yes' ;;
	drain) printf '%s' "$HAND_DRAIN" ;;
	gate) printf '%s' "$HAND_GATE" ;;
	esac
}
ops() {
	:
}
say() {
	:
}
step() {
	printf '= %s\n' "$1"
}
note() {
	case $said in *"|$1|"*) return 0 ;; esac
	said="$said|$1|"
	printf '! %s\n' "$1"
}
ends() {
	printf '# %s\n' "$1"
	exit 0
}
leave() {
	hand_lock_drop
	[ "$KEEPER" ] && kill "$KEEPER" 2>/dev/null
	rm -rf "$TMP"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM

# --- the machine's lock, the one that an apply takes. Who takes it must be known by its name in `ps`: a child of ours has it.
hand_lock() {
	# Gone as soon as we are.
	/bin/sh -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done' fleetctl-by-hand "$$" </dev/null >/dev/null 2>&1 &
	KEEPER=$!
	# On a machine that was never applied to, with the modes that an apply gives: others read it, and /usr/local/var is theirs too.
	(umask 022 && mkdir -p "$STATE") 2>"$TMP/error" || ends "failed $(head -n 1 "$TMP/error")"
	waiting_starts
	until hand_lock_try; do
		[ "$?" = 1 ] || ends "failed cannot write in $STATE"
		[ "$WAITED" -lt 10 ] || ends "busy $(cat "$STATE/lock/who" 2>/dev/null) holds the lock"
		waiting_goes_on 1
	done
}
# A runner that was killed comes back for its transaction: its lock is nobody's to break.
hand_lock_try() {
	[ ! -e "$STATE/lock" ] || [ ! -d "$STATE/apply" ] || return 1
	lock_try "$STATE" "$HAND_WHO" "$HAND_ID" "$KEEPER"
}
hand_lock_drop() {
	[ -z "$KEEPER" ] || lock_drop "$STATE" "$HAND_ID" "$KEEPER"
}

# hold POINTER / let_go POINTER: STATE/held.json, replaced by one rename; one that is no JSON is kept aside.
hold() {
	now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	by=$(printf '%s' "$HAND_WHO" | tr -d '"\\')
	printf 'set\t%s\t{"since": "%s", "by": "%s"}\n' "$1" "$now" "$by" >"$TMP/held.ops"
	held_change
}
let_go() {
	[ -e "$STATE/held.json" ] || return 0
	printf 'remove\t%s\n' "$1" >"$TMP/held.ops"
	held_change
}
held_change() {
	printf '{}' >"$TMP/held.old"
	if [ -e "$STATE/held.json" ]; then
		if json_flatten "$STATE/held.json" >/dev/null 2>&1; then
			cat "$STATE/held.json" >"$TMP/held.old"
		else
			mv -f "$STATE/held.json" "$STATE/held.json.broken"
			note "$STATE/held.json was no JSON and is kept as held.json.broken"
		fi
	fi
	json_merge "$TMP/held.old" "$TMP/held.ops" >"$STATE/.held.new" 2>"$TMP/error" && chmod 0644 "$STATE/.held.new" &&
		mv -f "$STATE/.held.new" "$STATE/held.json" || ends "failed held.json cannot be written: $(head -n 1 "$TMP/error")"
}
is_held() {
	json_flatten "$STATE/held.json" >"$TMP/held.flat" 2>/dev/null || return 1
	awk -F '\t' -v "what=$1" '$1 == what || index($1, what "/") == 1 { found = 1 } END { exit !found }' "$TMP/held.flat"
}

# until_idle: oMLX's requests and connections; put off, or cut with FORCE.
until_idle() {
	[ "$HAND_KIND" = omlx ] || return 0
	unit_look dev.fleetctl.omlx || return 0
	[ "$(unit_pid)" ] || return 0
	drain && return 0
	[ "$HAND_FORCE" = yes ] || ends "postponed not idle within $HAND_DRAIN s: $BUSY"
	note "requests are cut: $BUSY"
}

# up: in the end oMLX must answer; another daemon must have been started.
up() {
	unit_nudge "$HAND_LABEL"
	[ "$HAND_KIND" = omlx ] || return 0
	step 'waiting until oMLX answers'
	waiting_starts
	while :; do
		engine_at
		engine_release && return 0
		unit_look "$HAND_LABEL"
		case $(unit_field 'successive crashes') in
		'' | 0 | 1 | 2 | *[!0-9]*) ;;
		*) ends "failed oMLX ends again and again ($(unit_field 'last exit code'))" ;;
		esac
		[ "$WAITED" -lt "$HAND_GATE" ] || ends "failed oMLX does not answer after $WAITED s: $(answered)"
		waiting_goes_on 1
	done
}

# port_free: oMLX 0.3.8 loads all its residents before it finds its port taken, and what answers there then is not ours.
port_free() {
	[ "$HAND_KIND" = omlx ] || return 0
	engine_at
	owner=$(/usr/sbin/lsof -nP -a "-iTCP:$PORT" -sTCP:LISTEN -t 2>/dev/null | head -n 1)
	[ "$owner" ] || return 0
	ends "busy port $PORT is held by pid $owner ($(ps -p "$owner" -o command=)); stop it on the machine first"
}

do_start() {
	[ -f "$HAND_PLIST" ] || ends "failed $HAND_PLIST is not there: fleetctl apply puts it there"
	hand_lock
	was=done
	if unit_look "$HAND_LABEL" && ! disabled "$HAND_LABEL" && ! is_held "/units/$HAND_UNIT"; then
		was=unchanged
	fi
	if unit_look "$HAND_LABEL"; then
		/bin/launchctl enable "system/$HAND_LABEL" 2>/dev/null
	else
		port_free
		step "starting $HAND_UNIT"
		make_log "$HAND_LOG" "$HAND_LOG_USER" "$HAND_LOG_GROUP" || ends "failed cannot make $HAND_LOG"
		unit_start "$HAND_LABEL" "$HAND_PLIST" || ends "failed $WHY"
	fi
	let_go "/units/$HAND_UNIT"
	hand_lock_drop
	up
	ends "$was"
}

do_stop() {
	if ! unit_look "$HAND_LABEL" && is_held "/units/$HAND_UNIT" && disabled "$HAND_LABEL"; then
		ends unchanged
	fi
	until_idle
	hand_lock
	hold "/units/$HAND_UNIT"
	step "stopping $HAND_UNIT"
	[ "$HAND_KIND" = omlx ] && unit_look "$HAND_LABEL" && engine_unload_all
	unit_stop "$HAND_LABEL" || ends "failed $WHY"
	ends done
}

do_restart() {
	[ -f "$HAND_PLIST" ] || ends "failed $HAND_PLIST is not there: fleetctl apply puts it there"
	until_idle
	hand_lock
	step "stopping $HAND_UNIT"
	[ "$HAND_KIND" = omlx ] && unit_look "$HAND_LABEL" && engine_unload_all
	unit_stop "$HAND_LABEL" || ends "failed $WHY"
	step "starting $HAND_UNIT"
	make_log "$HAND_LOG" "$HAND_LOG_USER" "$HAND_LOG_GROUP" || ends "failed cannot make $HAND_LOG"
	unit_start "$HAND_LABEL" "$HAND_PLIST" || ends "failed $WHY"
	let_go "/units/$HAND_UNIT"
	hand_lock_drop
	up
	ends done
}

# engine_knows: what oMLX says of NAME, in MODEL.
engine_knows() {
	engine_at
	engine_models || ends "failed oMLX does not answer: $(answered)"
	MODEL=$(model "$HAND_NAME")
	[ "$MODEL" != missing ] || ends "failed oMLX does not list $HAND_NAME"
}

do_load() {
	engine_knows
	if [ "$MODEL" = loaded ] && ! is_held "/names/$HAND_NAME"; then
		ends unchanged
	fi
	hand_lock
	if [ "$MODEL" != loaded ]; then
		live_load "$HAND_NAME" || ends "failed $WHY"
	fi
	let_go "/names/$HAND_NAME"
	ends done
}

do_unload() {
	engine_knows
	if [ "$MODEL" = listed ] && { [ "$HAND_HOLD" != yes ] || is_held "/names/$HAND_NAME"; }; then
		ends unchanged
	fi
	if [ "$MODEL" != listed ]; then
		until_idle
	fi
	hand_lock
	[ "$HAND_HOLD" = yes ] && hold "/names/$HAND_NAME"
	step "unloading $HAND_NAME"
	api POST "/v1/models/$HAND_NAME/unload" '' 300 || [ "$HTTP" = 400 ] || ends "failed unloading $HAND_NAME: $(answered)"
	ends done
}
