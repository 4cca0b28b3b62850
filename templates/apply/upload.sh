# upload.sh: what goes through the one command under sudo. The laptop puts the payload behind these functions and calls them.
# Lines for the laptop: `= JSON` a result as it stands, `! WORD TEXT` why there is none.

set -u
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
umask 077

STATE=/usr/local/var/fleetctl
APPLY=$STATE/apply
JOB=dev.fleetctl.apply
PLIST=/Library/LaunchDaemons/$JOB.plist
TAB=$(printf '\t')
NL='
'

state() {
	for at in "$APPLY"/at.*; do
		[ -e "$at" ] || continue
		printf '%s' "${at##*/at.}"
		return 0
	done
	return 1
}

terminal() {
	case $1 in
	committed | reverted | revert-failed | refused | postponed | failed) return 0 ;;
	*) return 1 ;;
	esac
}

loaded() {
	/bin/launchctl print "system/$JOB" >/dev/null 2>&1
	[ "$?" != 113 ]
}

# meta NAME: what the payload's meta file says; no process, because whoever watches asks at every look.
meta() {
	while IFS=$TAB read -r name value; do
		[ "$name" = "$1" ] && printf '%s' "$value" && return 0
	done 2>/dev/null <"$APPLY/meta"
}

# prepare_upload ID: a directory beside the place where it belongs.
prepare_upload() {
	NEW=$STATE/.apply.$1
	if [ ! -d "$STATE" ]; then
		(umask 022 && mkdir -p "$STATE") && chown root:wheel "$STATE" && chmod 0755 "$STATE" || { printf '! failed cannot make %s\n' "$STATE"; exit 1; }
	fi
	rm -rf "$NEW"
	mkdir "$NEW" "$NEW/blobs" || { printf '! failed cannot write in %s: %s\n' "$STATE" "$(df -k "$STATE" | tail -n 1)"; exit 1; }
}

# check_upload DIGEST: every byte came through.
check_upload() {
	if ! (cd "$NEW" && { printf '%s  sums\n' "$1" && cat sums; } | /usr/bin/shasum -a 256 -c -) >/dev/null 2>&1; then
		printf '! failed the payload did not arrive whole; free on its disk: %s kB\n' "$(df -k "$STATE" | awk 'NR == 2 { print $4 }')"
		rm -rf "$NEW"
		exit 1
	fi
	: >"$NEW/at.staged" && chown -R root:wheel "$NEW" && chmod 0700 "$NEW/runner" || { printf '! failed cannot write in %s\n' "$NEW"; rm -rf "$NEW"; exit 1; }
	sync
}

# install_upload: takes the place of a transaction that has ended; one that has not ended is left alone.
install_upload() {
	tries=0
	ending=0
	while [ -e "$APPLY" ]; do
		tries=$((tries + 1))
		at=$(state) || at=none
		# Its runner has yet to write the generation down; one that was killed there is started again for that.
		if terminal "$at" && [ "$ending" -lt 20 ]; then
			ending=$((ending + 1))
			start_runner
			/bin/launchctl kickstart "system/$JOB" >/dev/null 2>&1
			sleep 1
			tries=0
			continue
		fi
		if terminal "$at" && /bin/launchctl print "system/$JOB" 2>/dev/null | grep -q "^	pid = "; then
			printf '! busy %s\t%s\n' "$(meta id)" "$(meta who)"
			rm -rf "$NEW"
			exit 3
		fi
		if terminal "$at" || [ "$at" = none ] || { [ "$at" = staged ] && ! loaded; }; then
			# One rename says who clears it away.
			if [ "$at" != none ] && ! mv "$APPLY/at.$at" "$APPLY/cleared.$$" 2>/dev/null; then
				sleep 1
				continue
			fi
			[ "$at" != staged ] || put_out
			mv "$APPLY" "$STATE/.apply.old.$$" && rm -rf "$STATE/.apply.old.$$"
		else
			printf '! busy %s\t%s\n' "$(meta id)" "$(meta who)"
			rm -rf "$NEW"
			start_runner
			exit 3
		fi
		[ "$tries" -lt 10 ] || { printf '! failed %s cannot be cleared away\n' "$APPLY"; rm -rf "$NEW"; exit 1; }
	done
	stop_runner
	mv "$NEW" "$APPLY" 2>/dev/null
	if [ ! -f "$APPLY/meta" ] || [ -d "$APPLY/${NEW##*/}" ]; then
		rm -rf "$APPLY/${NEW##*/}" "$NEW"
		printf '! busy %s\t%s\n' "$(meta id)" "$(meta who)"
		# Another was faster, and it may be his runner that was stopped just now.
		start_runner
		exit 3
	fi
}

# put_out: a payload that no runner has begun makes room for this one. Whoever sent it may still be there and watch: the word for it lies where it will look.
put_out() {
	mkdir -p "$STATE/generations/results" &&
		printf '! busy %s\t%s\n' "${NEW##*/.apply.}" "$(APPLY=$NEW && meta who)" >"$STATE/generations/results/$(meta id)"
}

# stop_runner: a job whose runner has ended without taking itself away.
stop_runner() {
	tries=0
	while loaded && [ "$tries" -lt 60 ]; do
		/bin/launchctl bootout "system/$JOB" >/dev/null 2>&1
		tries=$((tries + 1))
		sleep 0.5
	done
}

# start_runner: the definition, then launchd. `runner_plist` prints it. Both are tried for a while; WHY says what was in the way.
start_runner() {
	loaded && return 0
	tries=0
	while :; do
		WHY=$(define_runner 2>&1) && WHY=$(bootstrap_runner 2>&1) && return 0
		sleep 1
		loaded && return 0
		tries=$((tries + 1))
		[ "$tries" -lt 10 ] || return 1
	done
}

define_runner() {
	(umask 022 && mkdir -p "${PLIST%/*}")
	beside=${PLIST%/*}/.$JOB.new
	runner_plist >"$beside" && chown root:wheel "$beside" && chmod 0644 "$beside" && mv -f "$beside" "$PLIST"
}

bootstrap_runner() {
	/bin/launchctl enable "system/$JOB" 2>/dev/null
	/bin/launchctl bootstrap system "$PLIST"
}

# begin: the runner takes over; without it nothing has happened.
begin() {
	start_runner && return 0
	said=$(printf '%s' "$WHY" | head -n 1)
	clear_staged || said="$said; and the payload could not be cleared away: it is $APPLY, and the next apply takes its place"
	printf '! failed launchd did not take the runner: %s\n' "$said"
	exit 1
}

# clear_staged: takes a payload away that no runner has begun, for a while also where nothing can be written. The payload holds secrets.
clear_staged() {
	tries=0
	while [ "$tries" -lt 10 ]; do
		rm -f "$PLIST" "${PLIST%/*}/.$JOB.new"
		if [ "$(state)" != staged ]; then
			return 0
		fi
		if mv "$APPLY/at.staged" "$APPLY/cleared.$$"; then
			mv "$APPLY" "$STATE/.apply.old.$$" && rm -rf "$STATE/.apply.old.$$"
			return
		fi 2>/dev/null
		sleep 1
		tries=$((tries + 1))
	done
	return 1
}

# read_result FILE: a result in one line, in RESULT.
read_result() {
	RESULT=
	while IFS= read -r line || [ "$line" ]; do
		RESULT="$RESULT$line "
	done 2>/dev/null <"$1"
}

# watch ID: every change of the result until it is final and the runner has gone. Between two looks it starts as few processes as it can: it runs beside the work.
watch() {
	last=
	away=0
	idle=0
	while :; do
		RESULT=
		[ -f "$STATE/result.json" ] && read_result "$STATE/result.json"
		case $RESULT in
		*"\"id\": \"$1\""*)
			if [ "$RESULT" != "$last" ]; then
				printf '= %s\n' "$RESULT"
				last=$RESULT
			fi
			;;
		*)
			RESULT=
			# The next one has begun already: its words stand there now, and those of this one were kept; or it put this one out before it began.
			if [ -f "$STATE/generations/results/$1" ]; then
				read_result "$STATE/generations/results/$1"
				case $RESULT in
				'! '*)
					printf '%s\n' "${RESULT% }"
					return 1
					;;
				esac
				printf '= %s\n' "$RESULT"
				return 0
			fi
			;;
		esac
		report=$(/bin/launchctl print "system/$JOB" 2>/dev/null)
		is_loaded=$?
		case $RESULT in
		*'"finished": "'*)
			# The runner takes itself away now: a matter of moments, and then its job is free for the next apply.
			away=$((away + 1))
			if [ "$is_loaded" = 113 ] || [ "$away" -ge 200 ]; then
				return 0
			fi
			sleep 0.1
			continue
			;;
		*)
			other=$(meta id)
			if [ "$other" != "$1" ]; then
				away=$((away + 1))
				[ "$away" -ge 6 ] || { sleep 0.5; continue; }
				printf '! lost the transaction has ended and its result cannot be read\n'
				return 1
			elif [ "$is_loaded" = 113 ]; then
				start_runner
			else
				case $report in
				*"$NL	pid = "*) idle=0 ;;
				*)
					# Killed: launchd starts it again within half a minute, and sooner when it is asked.
					idle=$((idle + 1))
					[ "$idle" -ge 4 ] && /bin/launchctl kickstart "system/$JOB" >/dev/null 2>&1 && idle=0
					;;
				esac
			fi
			;;
		esac
		sleep 0.5
	done
}

# forget ID: after a removal the result is all that is left, and it has been told.
forget() {
	case $(tr '\n' ' ' <"$STATE/result.json" 2>/dev/null) in
	*"\"id\": \"$1\""*'"state": "committed"'*) rm -f "$STATE/result.json" && rmdir "$STATE" 2>/dev/null ;;
	esac
}
