# main.sh: from state to state.

verify() {
	if ! (cd "$APPLY" && /usr/bin/shasum -a 256 -c sums) >"$TMP/sums" 2>&1; then
		conclude failed "the payload is damaged: $(grep -v ': OK$' "$TMP/sums" | head -n 1)"
		return
	fi
	lists || { conclude failed "cannot write in $APPLY"; return; }
	[ -f "$STATE/record.json" ] && json_flatten "$STATE/record.json" >"$TMP/record" 2>/dev/null || : >"$TMP/record"
	for fact in machine fleet; do
		here=$(json_get "$TMP/record" "/$fact" | json_text 2>/dev/null)
		if [ "$here" ] && [ "$here" != "$(meta "$fact")" ]; then
			conclude refused "the payload is for the $fact $(meta "$fact"), and this is $here"
			return
		fi
	done
	advance verified
}

lock() {
	lock_take
	case $? in
	0) advance locked ;;
	1) conclude refused "$(cat "$STATE/lock/who" 2>/dev/null) holds the lock (process $(cat "$STATE/lock/pid" 2>/dev/null), since $(date -u -r "$(cat "$STATE/lock/since" 2>/dev/null || echo 0)" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null))" ;;
	*) conclude failed "cannot write in $STATE" ;;
	esac
}

# save: looks once more, waits until idle, makes ready all that needs room, and keeps the present generation.
save() {
	still_as_planned || { conclude refused "the machine changed since the plan: $CHANGED"; return; }
	if [ "$(meta kind)" = rollback ]; then
		generation=$(meta generation)
		whole "$GENERATIONS/$generation/snapshot" || { conclude failed "generation $generation is not whole: a file of it is missing or changed"; return; }
	fi
	if ! drain; then
		if [ "$(meta force)" = yes ]; then
			note "not idle after $(meta drain) s ($BUSY): went on, as --force demands"
		else
			conclude postponed "not idle within $(meta drain) s: $BUSY"
			return
		fi
	fi
	step 'making ready'
	if ! prepare; then
		conclude failed "cannot make the new files ready: $(tail -n 1 "$APPLY/log" | cut -d ' ' -f 2-)"
		return
	fi
	still_as_planned || { conclude refused "the machine changed since the plan: $CHANGED"; return; }
	step 'saving the present generation'
	from=$(cat "$GENERATIONS/present" 2>/dev/null)
	case $from in
	'' | *[!0-9]*) from=0 ;;
	esac
	to=$( (cd "$GENERATIONS" 2>/dev/null && ls) | awk -v "to=$from" '/^[0-9]+$/ { if ($1 + 0 > to) to = $1 + 0 } END { print to + 1 }')
	mkdir -p "$GENERATIONS/$from" && chmod 0700 "$GENERATIONS" "$GENERATIONS/$from" &&
		snapshot "$GENERATIONS/$from/.snapshot.new" "$(last_snapshot)" || {
		conclude failed 'cannot save the present generation'
		return
	}
	printf '%s\n%s\n' "$from" "$to" >"$APPLY/generation" || { conclude failed "cannot write in $APPLY"; return; }
	rm -rf "$GENERATIONS/$from/.snapshot.old"
	[ ! -d "$GENERATIONS/$from/snapshot" ] || mv "$GENERATIONS/$from/snapshot" "$GENERATIONS/$from/.snapshot.old"
	mv "$GENERATIONS/$from/.snapshot.new" "$GENERATIONS/$from/snapshot" || { conclude failed 'cannot save the present generation'; return; }
	rm -rf "$GENERATIONS/$from/.snapshot.old"
	next || { conclude failed "cannot write in $GENERATIONS"; return; }
	if [ "$(meta kind)" = rollback ] && ! resolve "$(meta generation)" "$from"; then
		conclude failed "cannot gather generation $(meta generation): $WHY"
		return
	fi
	sync
	advance saved
}

# last_snapshot: the newest one that is kept, for its lists of what fleetctl ever touched.
last_snapshot() {
	newest=$( (cd "$GENERATIONS" 2>/dev/null && ls) | grep '^[0-9][0-9]*$' | sort -rn | while IFS= read -r number; do
		[ -d "$GENERATIONS/$number/snapshot" ] && { printf '%s' "$number"; break; }
	done)
	printf '%s/%s/snapshot' "$GENERATIONS" "${newest:-none}"
}

# resolve K N: what the machine held in generation K, of everything ever touched: a path that K does not know yet is as the first
# later generation saw it.
resolve() {
	target=$APPLY/target
	rm -rf "$target"
	mkdir -p "$target/blobs" || { WHY='no room'; return 1; }
	cp "$GENERATIONS/$1/snapshot/engine" "$GENERATIONS/$1/snapshot/units" "$target/" || { WHY='no room'; return 1; }
	cp "$GENERATIONS/$2/snapshot/owned" "$target/owned" || { WHY='no room'; return 1; }
	numbers=$( (cd "$GENERATIONS" && ls) | grep '^[0-9][0-9]*$' | sort -n | awk -v "k=$1" -v "n=$2" '$1 + 0 >= k && $1 + 0 <= n')
	count=0
	while IFS=$TAB read -r _ path; do
		count=$((count + 1))
		for number in $numbers; do
			line=$(WANTED=$path awk -F '\t' '$2 == ENVIRON["WANTED"]' "$GENERATIONS/$number/snapshot/entries" 2>/dev/null)
			[ "$line" ] || continue
			content=$(printf '%s' "$line" | cut -f 6)
			case $line in
			file* | keys*)
				cp "$GENERATIONS/$number/snapshot/blobs/$content" "$target/blobs/$count" &&
					[ "$(hash "$target/blobs/$count")" = "$(printf '%s' "$line" | cut -f 7)" ] || { WHY="$path of generation $number is damaged"; return 1; }
				printf '%s\n' "$line" | awk -F '\t' -v OFS='\t' -v "count=$count" '{ $6 = count; print }'
				;;
			*) printf '%s\n' "$line" ;;
			esac
			break
		done
	done <"$GENERATIONS/$2/snapshot/touched" >"$target/entries" || { WHY='no room'; return 1; }
}

# engine_restarts: oMLX is stopped in this transaction, or does not run: its files are written while nobody else does.
engine_runs_on() {
	while IFS=$TAB read -r _ _ _ kind _; do
		[ "$kind" != omlx ] || return 1
	done <"$APPLY/lists/unit"
	[ "$(meta kind)" != rollback ]
}

switch() {
	WHY=
	if [ "$(meta kind)" = rollback ]; then
		stop_known || { revert "$WHY"; return; }
		step 'switching'
		restore "$APPLY/target" || { revert "$WHY"; return; }
		own_words || { revert 'cannot write the record'; return; }
	else
		stop_units || { revert "$WHY"; return; }
		step 'switching'
		switch_files || { revert "$WHY"; return; }
		if ! engine_runs_on; then
			switch_merges || { revert "$WHY"; return; }
		fi
		own_words || { revert 'cannot write the record'; return; }
	fi
	sync
	advance switched
}

# own_words: who applied what, with the number that this generation has here.
own_words() {
	case $(meta kind) in
	remove) return 0 ;;
	rollback)
		# What runs then is that generation's file: its record stays true, but for who went back to it, and when.
		[ -f "$STATE/record.json" ] || return 0
		printf '/%s\n' id who at kind changes summary >"$TMP/pointers"
		json_values "$APPLY/record.json" "$TMP/pointers" >"$TMP/changes" && printf 'set\t/generation\tnull\n' >>"$TMP/changes" &&
			json_merge "$STATE/record.json" "$TMP/changes" >"$TMP/back.json" && mv -f "$TMP/back.json" "$APPLY/record.json" || return 1
		;;
	esac
	sed "s/\"generation\": null/\"generation\": $(sed -n 2p "$APPLY/generation")/" "$APPLY/record.json" >"$TMP/record.json" &&
		printf '%s\t%s\n' "$STATE/record.json" "$(hash "$TMP/record.json")" >>"$APPLY/wrote" &&
		place "$STATE/record.json" root wheel 0644 "$TMP/record.json"
}

restart() {
	WHY=
	if [ "$(meta kind)" = rollback ]; then
		units_back "$APPLY/target" || { revert "$WHY"; return; }
	else
		start_units || { revert "$WHY"; return; }
		live_steps || { revert "$WHY"; return; }
		if engine_runs_on; then
			switch_merges || { revert "$WHY"; return; }
		fi
		reconcile
	fi
	advance restarted
}

# engine_comes_up: it answers; 1 when it ended three times or the gate's time is over: what that means is the gate's to say, which looks first at this.
engine_comes_up() {
	within=$(meta gate)
	waiting_starts
	while :; do
		engine_at
		engine_release && return 0
		unit_look dev.fleetctl.omlx && [ "$(unit_exits)" -ge 3 ] && return 1
		[ "$WAITED" -ge "$within" ] && return 1
		waiting_goes_on 1
	done
}

# reconcile: on a machine with windows the clock decides what is resident; the reconciler sets it under this runner's lock.
reconcile() {
	[ "$(meta by_clock)" = yes ] && [ "$(meta engine)" = yes ] && [ -x "$LIB/schedule" ] || return 0
	engine_comes_up || return 0
	step 'letting the reconciler set what is resident now'
	FLEETCTL_LOCK=held "$LIB/schedule" </dev/null >>"$APPLY/log" 2>&1 || note 'the reconciler ended with an error; it runs again within 15 minutes'
}

passes() {
	WHY=
	if [ "$(meta kind)" = rollback ]; then
		want_snapshot "$APPLY/target"
	else
		want_plan
	fi
	if gate "$(meta gate)"; then
		advance gated
	else
		revert "$WHY"
	fi
}

commit() {
	sync
	advance committed
}

# --- going back

# stop_known / units_back SNAPSHOT: all daemons that fleetctl ever had here, but for those that are held.
stop_known() {
	while IFS=$TAB read -r label _ kind _ _ _ store; do
		[ "$store" = disabled ] && continue
		[ "$kind" = omlx ] && engine_unload_all
		step "stopping ${label#dev.fleetctl.}"
		unit_stop "$label" || return 1
	done <"$SAVED/units"
}

units_back() {
	while IFS=$TAB read -r label plist _ log owner loaded store; do
		if [ "${2+given}" ] && ! printf '%s\n' "$2" | grep -qxF -e "$label"; then
			continue
		fi
		if [ "$store" = disabled ]; then
			unit_target "$label"
			/bin/launchctl disable "$TARGET" 2>/dev/null
			continue
		fi
		unit_target "$label"
		/bin/launchctl enable "$TARGET" 2>/dev/null
		[ "$loaded" = yes ] && [ -f "$plist" ] || continue
		unit_look "$label" && continue
		step "starting ${label#dev.fleetctl.}"
		make_log "$log" "${owner%%:*}" "${owner#*:}"
		unit_start "$label" "$plist" || return 1
	done <"$1/units"
}

go_back() {
	WHY=
	# What was set aside for a full disk is spent now: what follows needs little, and needs it.
	rm -f "$APPLY/reserve"
	touched=$(ops unit | awk -F '\t' '$5 != "held" && $5 != "reload" { print $2 }')
	if [ "$(meta kind)" = rollback ]; then
		touched=$(cut -f 1 "$SAVED/units")
	fi
	if engine_runs_on && ! live_undo; then
		# What the API does not take back, a restart with the old files does.
		say "undoing through the API: $WHY"
		touched="$touched${NL}dev.fleetctl.omlx"
		engine_at
		engine_unload_all
	fi
	step 'going back: stopping'
	failed=
	for label in $touched; do
		unit_stop "$label" || failed="$failed; $WHY"
	done
	step 'going back: restoring'
	restore "$SAVED" || failed="$failed; $WHY"
	step 'going back: starting'
	units_back "$SAVED" "$touched" || failed="$failed; $WHY"
	for label in $(ops unit | awk -F '\t' '$5 == "reload" { print $2 }'); do
		unit_reload "$label"
	done
	if engine_runs_on && ops live | grep -q '^rescan' && ! printf '%s\n' "$touched" | grep -qx 'dev.fleetctl.omlx'; then
		engine_at
		if ! live_rescan; then
			# It still serves what is not there any more: then by a restart.
			say "$WHY"
			unit_stop dev.fleetctl.omlx || failed="$failed; $WHY"
			units_back "$SAVED" dev.fleetctl.omlx || failed="$failed; $WHY"
		fi
	fi
	if [ -z "$failed" ]; then
		want_snapshot "$SAVED"
		if [ "$WANT_ENGINE" = no ] && grep -q '^dev.fleetctl.omlx	.*	yes	' "$SAVED/units"; then
			note 'oMLX did not answer before this apply either: the daemon runs again, and whether it answers was not asked'
		fi
		gate "$(meta gate)" || failed="; the old generation is back, but not healthy: $WHY"
	fi
	sync
	if [ -z "$failed" ]; then
		advance reverted
	else
		printf '%s (going back: %s)\n' "$(cat "$APPLY/reason" 2>/dev/null)" "${failed#; }" | redact >"$APPLY/reason.new" && mv -f "$APPLY/reason.new" "$APPLY/reason"
		advance revert-failed
	fi
}

# --- the end

# next: the words of the generation to come, ready before anything is touched: when it is committed, two renames put them in place.
next() {
	rm -rf "$GENERATIONS/.next"
	mkdir "$GENERATIONS/.next" && sed -n 2p "$APPLY/generation" >"$GENERATIONS/.next/present" &&
		tr -d '\n' <"$APPLY/record.json" >"$GENERATIONS/.next/about.json" &&
		[ -s "$GENERATIONS/.next/present" ] && [ -s "$GENERATIONS/.next/about.json" ]
}

# remember: the generation that the machine is in now, with its own words; the oldest go.
remember() {
	to=$(sed -n 2p "$APPLY/generation")
	from=$(sed -n 1p "$APPLY/generation")
	if [ -f "$GENERATIONS/.next/present" ]; then
		mv -f "$GENERATIONS/.next/present" "$GENERATIONS/present" || return 1
	fi
	if [ -d "$GENERATIONS/.next" ] && [ ! -d "$GENERATIONS/$to" ]; then
		mv "$GENERATIONS/.next" "$GENERATIONS/$to" || return 1
	fi
	numbers=$( (cd "$GENERATIONS" && ls) | grep '^[0-9][0-9]*$' | sort -n)
	kept=$(printf '%s\n' "$numbers" | grep -c .)
	for number in $numbers; do
		# At most 10 generations and 64 MB; the present one and the way back to the last are never let go.
		[ "$kept" -gt 10 ] || [ "$(du -sk "$GENERATIONS" | cut -f 1)" -gt 65536 ] || break
		[ "$number" = "$to" ] || [ "$number" = "$from" ] && break
		rm -rf "${GENERATIONS:?}/$number"
		kept=$((kept - 1))
	done
}

# keep_result: the next transaction's words take the place of these as soon as it begins; who watches this one still finds them. The last five.
keep_result() {
	kept=$GENERATIONS/results
	mkdir -p "$kept" && chmod 0700 "$GENERATIONS" && cp "$STATE/result.json" "$kept/.new" && mv -f "$kept/.new" "$kept/$(meta id)" || rm -f "$kept/.new"
	(cd "$kept" && ls -t) 2>/dev/null | tail -n +6 | while IFS= read -r id; do
		rm -f "$kept/$id"
	done
}

finish() {
	rm -f "$APPLY/reserve"
	case $1 in
	committed)
		if [ "$(meta kind)" != remove ]; then
			remember || say 'cannot write the generation down'
		fi
		sweep
		;;
	revert-failed) ;;
	*) sweep directories ;;
	esac
	# Uploads that were cut hours ago; one that is still on its way is younger.
	find "$STATE" -maxdepth 1 -name '.apply.*' -mmin +60 -exec rm -rf {} + 2>/dev/null
	# On a full disk this is the room for the last words.
	rm -rf "$GENERATIONS/.next" "$TMP"
	say "ended: $1"
	publish "$1" "$1"
	keep_result
	lock_drop "$STATE" "$(meta id)" "$$"
	if [ "$1:$(meta kind)" = committed:remove ]; then
		for left in "$STATE"/*; do
			case $left in
			"$APPLY" | "$STATE/result.json" | "$STATE"/kept.*) ;;
			*) rm -rf "$left" ;;
			esac
		done
		rm -rf /Library/Logs/fleetctl
		rmdir "$LIB" "$(meta base)/serve" 2>/dev/null
	fi
	# The payload holds secrets: it goes with the transaction. The definition goes last: where the machine goes down in between, launchd starts the
	# job after the boot, and the job, without a runner, clears the rest away (START in execute/script.rs).
	mv -f "$APPLY" "$STATE/.apply.done.$$"
	rm -rf "$STATE"/.apply.done.*
	rm -f "$DAEMONS/$JOB.plist"
	# As the last act: launchd ends this very process. While it does not, it is asked again.
	tries=0
	while [ "$tries" -lt 30 ]; do
		/bin/launchctl bootout "system/$JOB" 2>/dev/null
		sleep 1
		tries=$((tries + 1))
	done
	exit 0
}

main() {
	at=$(state) || exit 0
	mkdir -p "$TMP" || exit 75
	meta_read
	exec 2>>"$APPLY/log"
	rm -f "$TMP/cookies"
	[ -s "$APPLY/started" ] || date -u +%Y-%m-%dT%H:%M:%SZ >"$APPLY/started"
	[ -e "$APPLY/reserve" ] || dd if=/dev/zero of="$APPLY/reserve" bs=1024 count=64 2>/dev/null
	case $at in
	staged | verified) ;;
	*)
		say "going on from $at"
		# One that has ended needs the lock no more; where it was killed before it dropped it, the lock is taken over to be dropped.
		lock_owner "$STATE"
		if ! terminal "$at" || [ "${OWNER#by.*.}" = "$(meta id)" ]; then
			lock_take
		fi
		;;
	esac
	SAVED=$GENERATIONS/$(sed -n 1p "$APPLY/generation" 2>/dev/null)/snapshot
	while at=$(state); do
		case $at in
		staged) verify ;;
		verified) lock ;;
		locked)
			save
			SAVED=$GENERATIONS/$(sed -n 1p "$APPLY/generation" 2>/dev/null)/snapshot
			;;
		saved) switch ;;
		switched) restart ;;
		restarted) passes ;;
		gated) commit ;;
		reverting) go_back ;;
		*) finish "$at" ;;
		esac
	done
}

main
