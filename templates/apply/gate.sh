# gate.sh: what must be true in the end. One look at everything a second; each condition has its words for the one who waits.

# want FROM-PLAN: the lists that the gate looks at, for the plan or for a snapshot.
want_plan() {
	ops unit | awk -F '\t' -v OFS='\t' '$5 == "start" || $5 == "restart" || $5 == "reload" { print $2, $4, $9 }' >"$TMP/want.units"
	meta release >"$TMP/want.release"
	ops listed >"$TMP/want.listed"
	ops resident >"$TMP/want.resident"
	ops ask >"$TMP/want.ask"
	WANT_ENGINE=$(meta engine)
	if [ "$WANT_ENGINE" = yes ] && ! grep -q "^dev.fleetctl.omlx$TAB" "$TMP/want.units"; then
		printf 'dev.fleetctl.omlx\tomlx\t-\n' >>"$TMP/want.units"
	fi
	[ "$(meta by_clock)" = yes ] && residents_by_clock >>"$TMP/want.resident"
	return 0
}

want_snapshot() {
	awk -F '\t' -v OFS='\t' '$6 == "yes" { print $1, $3, "-" }' "$1/units" >"$TMP/want.units"
	sed -n "s/^release$TAB//p" "$1/engine" >"$TMP/want.release"
	awk -F '\t' '$1 == "model" { print $2 }' "$1/engine" >"$TMP/want.listed"
	# What was loaded on demand comes back on demand.
	: >"$TMP/want.resident"
	: >"$TMP/want.ask"
	WANT_ENGINE=no
	[ -s "$TMP/want.release" ] && grep -q "^dev.fleetctl.omlx$TAB" "$TMP/want.units" && WANT_ENGINE=yes
	return 0
}

# gate SECONDS: 0, or 1 with WHY.
gate() {
	STEADY=
	STEADY_AT=0
	LATE=0
	FATAL=
	TRIED=
	[ "$(meta gate_skip)" = yes ] && { note 'the gate was skipped (--no-gate)'; return 0; }
	waiting_starts
	shown=
	while :; do
		if gate_look; then
			gate_ask && return 0
			[ "$FATAL" ] && return 1
		fi
		[ "$FATAL" ] && return 1
		if [ "$WAITED" -ge "$1" ]; then
			WHY="not healthy within $1 s: $WHY"
			return 1
		fi
		[ "$WHY" = "$shown" ] || step "gate: $WHY"
		shown=$WHY
		waiting_goes_on 1
	done
}

fatal() {
	WHY=$1
	FATAL=yes
	return 1
}

gate_look() {
	present=
	while IFS=$TAB read -r label kind ready; do
		unit_look "$label"
		case $? in
		0) ;;
		113) fatal "launchd does not have $label any more"; return 1 ;;
		*) WHY="launchd does not say how $label is"; return 1 ;;
		esac
		[ "$kind" = timed ] && continue
		exits=$(unit_exits)
		if [ "$exits" -ge 3 ]; then
			fatal "$label has ended $exits times ($(unit_ending))"
			return 1
		fi
		pid=$(unit_pid)
		if [ -z "$pid" ]; then
			[ "$WAITED" -ge 2 ] && unit_nudge "$label"
			WHY="$label has no process ($(unit_ending))"
			return 1
		fi
		present="$present $label $pid $(unit_field runs)"
		gate_ready "$label" "$ready" || return 1
	done <"$TMP/want.units"
	if [ "$present" != "$STEADY" ]; then
		STEADY=$present
		STEADY_AT=$WAITED
	fi
	if [ "$WANT_ENGINE" = yes ]; then
		gate_engine || return 1
	fi
	if [ "$present" ] && [ $((WAITED - STEADY_AT)) -lt 5 ]; then
		WHY='the same process in two looks, 5 s apart'
		return 1
	fi
	return 0
}

# gate_ready LABEL URL: the daemon itself says that it can serve.
gate_ready() {
	if [ "$1" = dev.fleetctl.gateway ]; then
		gate_gateway || return 1
	fi
	[ "$2" = - ] && return 0
	code=$(/usr/bin/curl -q -sS --noproxy '*' --max-time 10 -o /dev/null -w '%{http_code}' "$2" 2>"$TMP/ready.error")
	[ "$code" = 200 ] && return 0
	WHY="$1 is not ready: HTTP $code from $2$(head -n 1 "$TMP/ready.error" | sed 's/^/ /')"
	return 1
}

# gate_gateway: what serves is the configuration that lies there, and not the one before.
gate_gateway() {
	routes=$STATE/gateway
	active=$(cat "$routes/active" 2>/dev/null)
	config=$routes/config.${active:-baseline}.yaml
	[ -f "$config" ] || config=$routes/config.baseline.yaml
	wanted=$(hash "$config")
	json_flatten "$routes/serving.json" >"$TMP/serving" 2>/dev/null || : >"$TMP/serving"
	[ "$(json_get "$TMP/serving" /config)" = "\"$wanted\"" ] && return 0
	if [ "$(json_get "$TMP/serving" /refused)" = "\"$wanted\"" ]; then
		fatal "the gateway does not start with ${config##*/}: see /Library/Logs/fleetctl/gateway.log"
		return 1
	fi
	WHY="the gateway takes ${config##*/}"
	return 1
}

# unit_ending: how the daemon of the last report ended.
unit_ending() {
	ending=$(unit_field 'last exit code')
	signal=$(unit_field 'last terminating signal')
	cause=$(unit_field 'last exit reason')
	printf '%s' "${signal:-${ending:+exit $ending}}${cause:+, $cause}"
}

gate_engine() {
	engine_at
	if ! engine_release; then
		WHY="oMLX does not answer: $(answered)"
		case $HTTP in
		401 | 403)
			LATE=$((LATE + 1))
			[ "$LATE" -ge 5 ] && fatal "oMLX does not accept its own key: HTTP $HTTP"
			;;
		esac
		return 1
	fi
	release=$(sed 's/^flyto-//' "$TMP/want.release")
	if [ "$release" ] && [ "$RELEASE" != "$release" ]; then
		fatal "oMLX is release $RELEASE, not $release"
		return 1
	fi
	engine_models || { WHY="oMLX does not list its models: $(answered)"; return 1; }
	missing=
	while IFS= read -r name; do
		[ "$(model "$name")" = missing ] && missing="$missing $name"
	done <"$TMP/want.listed"
	if [ "$missing" ]; then
		WHY="oMLX does not list:$missing"
		LATE=$((LATE + 1))
		# Its list is complete when it answers; a few more looks for a scan that is still going on.
		[ "$LATE" -ge 10 ] && fatal "$WHY"
		return 1
	fi
	while IFS= read -r name; do
		case $(model "$name") in
		loaded) ;;
		loading)
			WHY="$name is loading"
			return 1
			;;
		*)
			# Pinned models are loaded before the port opens, and a failure there is only logged: asked once, it says why.
			case " $TRIED " in
			*" $name "*) fatal "$name is not loaded"; return 1 ;;
			esac
			TRIED="$TRIED $name"
			step "gate: loading $name"
			admin POST "/admin/api/models/$name/load" '' "$(meta gate)" || [ "$HTTP" = 409 ] || { fatal "$name does not load: $(answered)"; return 1; }
			WHY="$name is loading"
			return 1
			;;
		esac
	done <"$TMP/want.resident"
	return 0
}

# gate_ask: changed names answer one token, or one embedding.
gate_ask() {
	while IFS=$TAB read -r name kind need; do
		case " ${ASKED-} " in
		*" $name "*) continue ;;
		esac
		if [ "$need" = optional ] && ! room_for "$name"; then
			note "$name was not asked: it does not fit beside what is loaded"
			continue
		fi
		step "gate: asking $name"
		if ask "$name" "$kind"; then
			ASKED="${ASKED-} $name"
		elif [ "$need" = optional ]; then
			note "$name did not answer: $(answered)"
			ASKED="${ASKED-} $name"
		else
			# Once more after a while: a connection that was cut is no verdict; an answer that refuses is one.
			case $HTTP in
			000 | 409 | 503)
				WHY="$name does not answer: $(answered)"
				return 1
				;;
			esac
			fatal "$name does not answer: $(answered)"
			return 1
		fi
	done <"$TMP/want.ask"
	return 0
}

ask() {
	if [ "$2" = embedding ]; then
		printf '{"model": "%s", "input": "fleetctl"}' "$1" >"$TMP/question"
		api POST /v1/embeddings "$TMP/question" "$(meta gate)" && grep -q '"embedding"' "$TMP/answer"
		return
	fi
	printf '{"model": "%s", "messages": [{"role": "user", "content": "fleetctl"}], "max_tokens": 1, "stream": false}' "$1" >"$TMP/question"
	api POST /v1/chat/completions "$TMP/question" "$(meta gate)"
	# A late failure cannot change the status: the body decides.
	[ "$HTTP" = 200 ] && grep -q '"choices"' "$TMP/answer" && return 0
	[ "$HTTP" = 400 ] || return 1
	# A model without a chat template.
	printf '{"model": "%s", "prompt": "fleetctl", "max_tokens": 1, "stream": false}' "$1" >"$TMP/question"
	api POST /v1/completions "$TMP/question" "$(meta gate)" && grep -q '"choices"' "$TMP/answer"
}

# room_for NAME: by oMLX's own sizes.
room_for() {
	[ "$(model "$1")" = loaded ] && return 0
	engine_models || return 1
	limit=$(json_get "$TMP/answer.flat" /max_model_memory)
	used=$(json_get "$TMP/answer.flat" /current_model_memory)
	size=$(awk -F '\t' -v "name=\"$1\"" '
		$1 ~ /\/id$/ && $2 == name { at = $1; sub(/id$/, "estimated_size", at) }
		at != "" && $1 == at { print $2; exit }' "$TMP/answer.flat")
	case "$limit:$used:$size" in
	null:* | *[!0-9:]* | *::* | :* | *:) return 0 ;;
	esac
	awk -v "l=$limit" -v "u=$used" -v "s=$size" 'BEGIN { exit !(u + s <= l) }'
}

tail_logs() {
	for log in /Library/Logs/fleetctl/omlx.log "$(meta base)/logs/server.log"; do
		[ -f "$log" ] || continue
		printf '%s:\n' "$log"
		tail -n 20 "$log"
	done
}
