# engine.sh: oMLX as the runner needs it, by omlx-api.sh. The key is read anew before each part, so that during a change of the key
# each call uses the one that is in effect.

# engine_at: where it listens and with which key; a key is remembered, so that no log of the runner holds it.
engine_at() {
	api_at "$(meta base)"
	[ "$KEY" ] || return 0
	sed 's/^Authorization: Bearer //' "$TMP/auth" >"$TMP/key"
	grep -qxF -f "$TMP/key" "$APPLY/secrets" 2>/dev/null || cat "$TMP/key" >>"$APPLY/secrets"
}

# engine_models: `name<TAB>loaded<TAB>loading` a line in $TMP/models. An exposed profile (0.5.0) is told with the state of its engine: it is listed, and never
# loaded or unloaded by itself.
engine_models() {
	api GET /v1/models/status '' 10 || return 1
	json_flatten "$TMP/answer" >"$TMP/answer.flat" 2>/dev/null || { HTTP="200, no JSON"; return 1; }
	awk -F '\t' '
		$1 ~ /^\/models\/[0-9]+\/(id|loaded|is_loading|source_model_id)$/ {
			split($1, part, "/")
			if (!(part[3] in seen)) { seen[part[3]] = 1; order[++n] = part[3] }
			value[part[3], part[4]] = $2
		}
		END {
			for (i = 1; i <= n; i++) {
				id = value[order[i], "id"]
				if ((order[i], "source_model_id") in value) value[order[i], "loaded"] = value[order[i], "is_loading"] = "false"
				print substr(id, 2, length(id) - 2) "\t" value[order[i], "loaded"] "\t" value[order[i], "is_loading"]
			}
		}' "$TMP/answer.flat" >"$TMP/models"
}

# model NAME: listed, loaded, loading, or nothing.
model() {
	awk -F '\t' -v "name=$1" '
		$1 == name { print ($2 == "true" ? "loaded" : ($3 == "true" ? "loading" : "listed")); found = 1; exit }
		END { if (!found) print "missing" }' "$TMP/models"
}

# engine_release: as it says itself.
engine_release() {
	api GET /api/status '' 10 || return 1
	json_flatten "$TMP/answer" >"$TMP/status.flat" 2>/dev/null || { HTTP="200, no JSON"; return 1; }
	RELEASE=$(json_get "$TMP/status.flat" /version | json_text)
	[ "$RELEASE" ] || { HTTP="200, no release in it"; return 1; }
}

# engine_print: how oMLX runs now, for the generation that is kept.
engine_print() {
	engine_at
	if engine_release; then
		printf 'release\t%s\n' "$RELEASE"
		engine_models && sed "s/^/model$TAB/" "$TMP/models"
	fi
	return 0
}

# --- draining

# busy: 0 while something runs; BUSY says what. Connections decide where the counters are blind (DFlash, embeddings, audio).
busy() {
	BUSY=
	while IFS= read -r label; do
		unit_look "$label" && [ "$(unit_pid)" ] && BUSY="$BUSY, ${label#dev.fleetctl.} is running"
	done <"$APPLY/lists/idle"
	if [ "$(meta drains)" = yes ]; then
		unit_look dev.fleetctl.omlx
		[ "$?" = 113 ] || engine_busy
	fi
	BUSY=${BUSY#, }
	[ "$BUSY" ]
}

engine_busy() {
	if engine_release; then
		for counter in active_requests waiting_requests; do
			number=$(json_get "$TMP/status.flat" "/$counter")
			case $number in
			'' | 0 | *[!0-9]*) ;;
			*) BUSY="$BUSY, $number ${counter%_requests}" ;;
			esac
		done
	elif [ "$HTTP" != 000 ]; then
		note "oMLX's counters could not be read ($(answered)): only its connections were watched"
	fi
	if /usr/sbin/lsof -nP -a "-iTCP:$PORT" -sTCP:ESTABLISHED -Fn >"$TMP/lsof" 2>"$TMP/lsof.error" || [ ! -s "$TMP/lsof.error" ]; then
		number=$(grep -c "^n[^>]*:$PORT->" "$TMP/lsof")
		[ "$number" = 0 ] || BUSY="$BUSY, $number connected"
	else
		note "connections to oMLX could not be seen: $(head -n 1 "$TMP/lsof.error")"
	fi
}

# drain: waits until oMLX is idle in two looks. Not idle in time: 1, with BUSY.
drain() {
	[ "$(meta drains)" = yes ] || [ -s "$APPLY/lists/idle" ] || return 0
	engine_at
	limit=$(meta drain)
	idle=0
	last=
	waiting_starts
	while :; do
		if busy; then
			idle=0
			[ "$BUSY" = "$last" ] || step "waiting until idle: $BUSY"
			last=$BUSY
		else
			idle=$((idle + 1))
			[ "$idle" -ge 2 ] && return 0
		fi
		[ "$WAITED" -ge "$limit" ] && [ "$idle" = 0 ] && return 1
		waiting_goes_on 1
	done
}

# engine_unload_all: before a stop, so that hundreds of GB are given back in order.
engine_unload_all() {
	engine_at
	engine_models || return 0
	awk -F '\t' '$2 == "true" { print $1 }' "$TMP/models" >"$TMP/loaded"
	while IFS= read -r name; do
		api POST "/v1/models/$name/unload" '' 120 || say "unloading $name: $(answered)"
	done <"$TMP/loaded"
}

# --- steps through the API

# Steps done so far are counted in $APPLY/live, so that a revert undoes what was done and no more.
live_steps() {
	[ -s "$APPLY/lists/live" ] || return 0
	engine_wait 120 || { WHY="oMLX does not answer: $(answered)"; return 1; }
	count=0
	while IFS=$TAB read -r what one two three four; do
		count=$((count + 1))
		printf '%s\n' "$count" >"$APPLY/live" || { WHY="cannot write in $APPLY"; return 1; }
		live_step "$what" "$one" "$two" "$three" "$four" || return 1
	done <"$APPLY/lists/live"
}

engine_wait() {
	waiting_starts
	while :; do
		engine_at
		engine_release && return 0
		[ "$WAITED" -ge "$1" ] && return 1
		waiting_goes_on 1
	done
}

live_step() {
	case $1 in
	rescan) live_rescan ;;
	settings)
		step "setting $2"
		admin PUT "/admin/api/models/$2/settings" "$(blob "$3")" 60 || { WHY="setting $2: $(answered)"; return 1; }
		;;
	profile)
		step "setting $2's profile $3"
		live_profile "$2" "$3" "$4"
		;;
	global)
		step "setting oMLX's global settings"
		admin POST /admin/api/global-settings "$(blob "$2")" 120 || { WHY="global settings: $(answered)"; return 1; }
		engine_at
		;;
	applyprofile)
		step "applying $2's profile $3"
		admin POST "/admin/api/models/$2/profiles/$3/apply" '' 60 || { WHY="applying profile $3 of $2: $(answered)"; return 1; }
		;;
	reload)
		engine_models || { WHY="$(answered)"; return 1; }
		if [ "$(model "$2")" != listed ]; then
			step "unloading $2"
			api POST "/v1/models/$2/unload" '' 300 || [ "$HTTP" = 400 ] || { WHY="unloading $2: $(answered)"; return 1; }
		fi
		[ "$3" = no ] || live_load "$2"
		;;
	load) live_load "$2" ;;
	unload)
		step "unloading $2"
		api POST "/v1/models/$2/unload" '' 300 || [ "$HTTP" = 400 ] || [ "$HTTP" = 404 ] || { WHY="unloading $2: $(answered)"; return 1; }
		;;
	esac
}

live_load() {
	step "loading $1"
	admin POST "/admin/api/models/$1/load" '' "$(meta gate)" && return 0
	WHY="$1 does not load: $(answered)"
	return 1
}

# An empty model directory that oMLX is asked to delete makes it look again, and nothing is unloaded (0.3.8).
live_rescan() {
	step 'looking for models again'
	probe=$(meta base)/serve/zz-rescan
	mkdir -p "$probe" && printf '{}' >"$probe/config.json" && chown -R "$(meta user):staff" "$probe" || { WHY="cannot make $probe"; return 1; }
	admin DELETE /admin/api/hf/models/zz-rescan '' 60
	done=$?
	rm -rf "$probe"
	[ "$done" = 0 ] || { WHY="looking for models again: $(answered)"; return 1; }
}

live_profile() {
	if [ "$3" = - ]; then
		admin DELETE "/admin/api/models/$1/profiles/$2" '' 60 || [ "$HTTP" = 404 ] || { WHY="profile $2 of $1: $(answered)"; return 1; }
		return 0
	fi
	admin PUT "/admin/api/models/$1/profiles/$2" "$(blob "$3")" 60 && return 0
	[ "$HTTP" = 404 ] && admin POST "/admin/api/models/$1/profiles" "$(blob "$3")" 60 && return 0
	WHY="profile $2 of $1: $(answered)"
	return 1
}

# live_undo: what was begun, backwards.
live_undo() {
	begun=$(cat "$APPLY/live" 2>/dev/null)
	case $begun in
	'' | *[!0-9]*) return 0 ;;
	esac
	engine_wait 60 || { WHY="oMLX does not answer: $(answered)"; return 1; }
	ops live | head -n "$begun" | awk '{ line[NR] = $0 } END { for (i = NR; i > 0; i--) print line[i] }' >"$TMP/undo"
	while IFS=$TAB read -r what one two three four; do
		case $what in
		# Its links are not back yet: afterwards.
		rescan) ;;
		applyprofile) live_reapply "$one" ;;
		settings) admin PUT "/admin/api/models/$one/settings" "$(blob "$three")" 60 || [ "$HTTP" = 404 ] ;;
		profile) live_profile "$one" "$two" "$four" ;;
		global) live_global_back "$two" "$three" ;;
		reload | load | unload) live_put_back "$one" ;;
		esac || return 1
	done <"$TMP/undo"
	keys_are_back
}

# keys_are_back: whether oMLX's files say again what they said, where the keys are ours.
keys_are_back() {
	awk -F '\t' '$1 == "keys" { print $2 "\t" $6 }' "$SAVED/entries" >"$TMP/back"
	while IFS=$TAB read -r path content; do
		WANTED=$path awk -F '\t' '$1 == ENVIRON["WANTED"] { print $2 }' "$SAVED/owned" >"$TMP/back.pointers"
		what=$(same_keys "$SAVED/blobs/$content" "$path" "$TMP/back.pointers") || { WHY="$path $what"; return 1; }
	done <"$TMP/back"
}

# live_global_back BODY KEY: where the API key was among the changes, it comes from the saved settings.json: no plan holds it.
live_global_back() {
	cat "$(blob "$1")" >"$TMP/global"
	if [ "$2" = yes ]; then
		saved=$(WANTED=$(meta base)/settings.json awk -F '\t' '$1 == "keys" && $2 == ENVIRON["WANTED"] { print $6 }' "$SAVED/entries")
		json_flatten "$SAVED/blobs/$saved" >"$TMP/saved.flat" 2>/dev/null
		json_get "$TMP/saved.flat" /auth/api_key >"$TMP/saved.key" || printf 'null\n' >"$TMP/saved.key"
		KEY_FILE=$TMP/saved.key awk '
			BEGIN { getline key < ENVIRON["KEY_FILE"] }
			{ sub(/^\{/, ""); printf "{\"api_key\": %s%s%s", key, ($0 == "}" ? "" : ", "), $0 }' "$TMP/global" >"$TMP/global.key" || return 1
		mv -f "$TMP/global.key" "$TMP/global"
	fi
	admin POST /admin/api/global-settings "$TMP/global" 120 && engine_at
}

# live_reapply NAME: the profile that was the active one.
live_reapply() {
	saved=$(WANTED=$(meta base)/model_settings.json awk -F '\t' '$1 == "keys" && $2 == ENVIRON["WANTED"] { print $6 }' "$SAVED/entries")
	[ "$saved" ] && json_flatten "$SAVED/blobs/$saved" >"$TMP/saved.flat" 2>/dev/null || return 0
	active=$(json_get "$TMP/saved.flat" "/models/$1/active_profile_name" | json_text 2>/dev/null)
	[ "$active" ] || return 0
	admin POST "/admin/api/models/$1/profiles/$active/apply" '' 60 || [ "$HTTP" = 404 ]
}

# live_put_back NAME: loaded again, with its old settings, if it was loaded when the generation was saved.
live_put_back() {
	engine_models || return 1
	if [ "$(model "$1")" = loaded ]; then
		api POST "/v1/models/$1/unload" '' 300
	fi
	grep -q "^model$TAB$1${TAB}true" "$SAVED/engine" || return 0
	admin POST "/admin/api/models/$1/load" '' "$(meta gate)" || [ "$HTTP" = 404 ]
}
