# launchd.sh: daemons. Numbers are Darwin's and launchd's own (launchctl error N); texts vary by release and are only shown.

# unit_target LABEL: where launchd knows it, TARGET and DOMAIN. A bare label is a daemon's; "gui/501/LABEL" is an agent that is taken over.
unit_target() {
	case $1 in
	*/*) TARGET=$1 ;;
	*) TARGET=system/$1 ;;
	esac
	DOMAIN=${TARGET%/*}
}

# unit_look LABEL: asks launchd; 0 loaded, 113 not loaded, else it would not say. The report is in UNIT: in memory, because this must work on a full disk.
unit_look() {
	unit_target "$1"
	UNIT=$(/bin/launchctl print "$TARGET" 2>/dev/null)
	looked_at=$?
	# An agent whose user has logged out went with its domain.
	case $DOMAIN,$looked_at in
	system,*) return "$looked_at" ;;
	*,112 | *,125) return 113 ;;
	*) return "$looked_at" ;;
	esac
}

# unit_field NAME: of the last report. Fields stand one tab deep; nested blocks repeat their names. No process: it is asked at every look.
unit_field() {
	case $UNIT in
	*"$NL$TAB$1 = "*) ;;
	*) return 0 ;;
	esac
	field=${UNIT#*"$NL$TAB$1 = "}
	printf '%s\n' "${field%%"$NL"*}"
}

unit_pid() {
	field=$(unit_field pid)
	case $field in
	'' | *[!0-9]*) return 1 ;;
	*) printf '%s\n' "$field" ;;
	esac
}

# unit_exits: how often the daemon has ended since it was loaded.
unit_exits() {
	runs=$(unit_field runs)
	case $runs in
	'' | *[!0-9]*) runs=0 ;;
	esac
	if [ "$(unit_pid)" ]; then
		runs=$((runs > 0 ? runs - 1 : 0))
	elif [ "$(unit_field state)" = running ]; then
		runs=0
	fi
	printf '%s' "$runs"
}

# disabled LABEL: whether launchd's own store keeps it from starting; up to macOS 12 the word is "true".
disabled() {
	unit_target "$1"
	is_disabled_in "$(/bin/launchctl print-disabled "$DOMAIN" 2>/dev/null)" "${TARGET##*/}"
}

# is_disabled_in REPORT NAME: the same, by what launchd said.
is_disabled_in() {
	case $1 in
	*"\"$2\" => disabled"* | *"\"$2\" => true"*) return 0 ;;
	*) return 1 ;;
	esac
}

# launchctl_number: of the last failed call: from its words, else its exit status.
launchctl_number() {
	number=$(printf '%s\n' "$SAID" | sed -n 's/.*failed: \([0-9][0-9]*\):.*/\1/p' | head -n 1)
	printf '%s' "${number:-$1}"
}

# unit_stop LABEL: keeps it from starting at a boot meanwhile, stops it, and waits until launchd has forgotten it.
unit_stop() {
	unit_target "$1"
	/bin/launchctl disable "$TARGET" 2>/dev/null
	unit_look "$1"
	case $? in
	113) return 0 ;;
	esac
	budget=$(unit_field 'exit timeout')
	case $budget in
	'' | *[!0-9]*) budget=20 ;;
	esac
	budget=$((budget + 15))
	SAID=$(/bin/launchctl bootout "$TARGET" 2>&1) && taken=yes || taken=
	waiting_starts
	asked=0
	interrupted=
	while :; do
		unit_look "$1"
		[ "$?" = 113 ] && return 0
		# 0.3.8 waits for its connections for ever after SIGTERM; SIGINT then ends it at once.
		pid=$(unit_pid)
		if [ "$WAITED" -ge 20 ] && [ "$pid" ] && [ -z "$interrupted" ]; then
			kill -INT "$pid" 2>/dev/null
			interrupted=yes
		fi
		# A bootout that launchd refused ("in progress" from something else, and the daemon runs on), or one that it took and lost.
		if [ $((WAITED - asked)) -ge 5 ] && { [ -z "$pid" ] || [ -z "$taken" ]; }; then
			asked=$WAITED
			SAID=$(/bin/launchctl bootout "$TARGET" 2>&1) && taken=yes
		fi
		if [ "$WAITED" -ge "$budget" ]; then
			[ "$pid" ] && kill -KILL "$pid" 2>/dev/null
			if [ "$WAITED" -ge $((budget + 15)) ]; then
				WHY="launchd did not let go of $1 within ${WAITED} s: $(printf '%s\n' "$SAID" | head -n 1)"
				return 1
			fi
		fi
		waiting_goes_on 0.5
	done
}

# unit_start LABEL PLIST: loads it. "Already loaded" and "busy" pass; every other refusal is final.
unit_start() {
	tries=0
	while :; do
		unit_target "$1"
		/bin/launchctl enable "$TARGET" 2>/dev/null
		SAID=$(/bin/launchctl bootstrap "$DOMAIN" "$2" 2>&1) && return 0
		number=$(launchctl_number "$?")
		tries=$((tries + 1))
		case $number in
		5 | 17 | 36 | 37 | 119) ;;
		*)
			WHY="launchd refused $1: $(printf '%s\n' "$SAID" | head -n 1)"
			return 1
			;;
		esac
		sleep 1
		if unit_look "$1" && [ "$(unit_field path)" = "$2" ]; then
			return 0
		fi
		if [ "$tries" -ge 10 ]; then
			WHY="launchd refused $1 ten times: $(printf '%s\n' "$SAID" | head -n 1)"
			return 1
		fi
	done
}

# unit_nudge LABEL: a spawn that launchd holds back is asked for.
unit_nudge() {
	unit_look "$1" || return 0
	[ "$(unit_pid)" ] && return 0
	[ "$(unit_field runs)" = 0 ] && /bin/launchctl kickstart "$TARGET" 2>/dev/null
	return 0
}

# unit_reload LABEL: reads its files again; what it has begun goes on. One that does not run reads them when it starts.
unit_reload() {
	/bin/launchctl kill SIGHUP "system/$1" 2>/dev/null
	return 0
}

# make_log PATH USER GROUP: launchd ends a daemon with 78 where it cannot open its log.
make_log() {
	[ "$1" = - ] || [ -f "$1" ] && return 0
	make_directory "${1%/*}" root wheel 0755 && : >>"$1" && chown "$2:$3" "$1" && chmod 0644 "$1"
}

# snapshot_units LAST: label, plist, kind, log, its owner, loaded, disabled.
snapshot_units() {
	units_known "$1" >"$TMP/known"
	asked=
	while IFS=$TAB read -r label plist kind log owner; do
		unit_look "$label"
		case $? in
		113) loaded=no ;;
		*) loaded=yes ;;
		esac
		store=enabled
		if [ "$asked" != "$DOMAIN" ]; then
			asked=$DOMAIN
			stores=$(/bin/launchctl print-disabled "$DOMAIN" 2>/dev/null)
		fi
		is_disabled_in "$stores" "${TARGET##*/}" && store=disabled
		printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$label" "$plist" "$kind" "$log" "$owner" "$loaded" "$store"
	done <"$TMP/known"
}

# stop_units: those that the plan starts anew, ends or brings.
stop_units() {
	while IFS=$TAB read -r name label _ kind action _; do
		[ "$action" = held ] || [ "$action" = reload ] && continue
		unit_look "$label"
		[ "$?" = 113 ] || step "stopping $name"
		if [ "$kind" = omlx ]; then
			engine_unload_all
		fi
		unit_stop "$label" || return 1
	done <"$APPLY/lists/unit"
}

start_units() {
	while IFS=$TAB read -r name label plist kind action log user group _; do
		case $action in
		start | restart)
			unit_look "$label" && continue
			step "starting $name"
			make_log "$log" "$user" "$group" || { WHY="cannot make $log"; return 1; }
			unit_start "$label" "$plist" || return 1
			;;
		reload)
			step "telling $name"
			unit_reload "$label"
			;;
		remove)
			# Nothing is left in launchd's store either.
			unit_target "$label"
			/bin/launchctl enable "$TARGET" 2>/dev/null
			;;
		esac
	done <"$APPLY/lists/unit"
}
