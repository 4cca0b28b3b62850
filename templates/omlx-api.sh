# omlx-api.sh: oMLX's own interfaces, for every script of ours that asks it. Needs json.sh and $TMP, a directory of root's alone. The
# key is read from oMLX's settings.json on the machine; it travels in files of $TMP, never in an argument.

# api_at BASE: where oMLX listens (URL, PORT) and with which key (KEY, a JSON string or empty), by BASE/settings.json.
api_at() {
	json_flatten "$1/settings.json" >"$TMP/settings.flat" 2>/dev/null || : >"$TMP/settings.flat"
	host=$(json_get "$TMP/settings.flat" /server/host | json_text 2>/dev/null)
	PORT=$(json_get "$TMP/settings.flat" /server/port)
	KEY=$(json_get "$TMP/settings.flat" /auth/api_key)
	case $host in
	'' | 0.0.0.0 | localhost | ::) host=127.0.0.1 ;;
	*:*) host="[$host]" ;;
	esac
	case $PORT in
	'' | *[!0-9]*) PORT=8000 ;;
	esac
	URL=http://$host:$PORT
	[ "$KEY" != null ] || KEY=
	: >"$TMP/auth"
	[ -z "$KEY" ] || { printf 'Authorization: Bearer ' && printf '%s\n' "$KEY" | json_text; } >"$TMP/auth" 2>/dev/null
}

# call METHOD PATH BODY-FILE SECONDS [curl's own...]: HTTP is the status (000: none), the body of the answer is in $TMP/answer.
call() {
	call_method=$1
	call_path=$2
	call_body=$3
	call_limit=$4
	shift 4
	[ -z "$call_body" ] || set -- "$@" -H 'Content-Type: application/json' --data-binary "@$call_body"
	: >"$TMP/answer"
	HTTP=$(/usr/bin/curl -q -sS --noproxy '*' --connect-timeout 5 --max-time "$call_limit" -H 'Connection: close' \
		-o "$TMP/answer" -w '%{http_code}' -X "$call_method" "$@" "$URL$call_path" 2>"$TMP/curl")
	case $HTTP in
	2??) return 0 ;;
	'') HTTP=000 ;;
	esac
	return 1
}

# api_body TEXT: prints the name of a file with that text, for call.
api_body() {
	printf '%s' "$1" >"$TMP/body"
	printf '%s' "$TMP/body"
}

# api: with the key.
api() {
	call "$@" -H "@$TMP/auth"
}

# admin: /admin takes nothing but the cookie of a login (0.3.8); a server that has restarted may want another one.
admin() {
	[ -z "$KEY" ] || [ -s "$TMP/cookies" ] || api_login || return 1
	[ -f "$TMP/cookies" ] || : >"$TMP/cookies"
	call "$@" -b "$TMP/cookies" && return 0
	[ "$HTTP" = 401 ] && [ "$KEY" ] && api_login && call "$@" -b "$TMP/cookies"
}

api_login() {
	rm -f "$TMP/cookies"
	printf '{"api_key": %s, "remember": false}' "$KEY" >"$TMP/login"
	call POST /admin/api/login "$TMP/login" 20 -c "$TMP/cookies" || rm -f "$TMP/cookies"
	rm -f "$TMP/login"
	[ -f "$TMP/cookies" ]
}

# answered: what came back, in one line for people.
answered() {
	if [ "$HTTP" = 000 ]; then
		head -n 1 "$TMP/curl"
	else
		printf 'HTTP %s %s' "$HTTP" "$(head -c 300 "$TMP/answer" | tr '\n' ' ')"
	fi
}
