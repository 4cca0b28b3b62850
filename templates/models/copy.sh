# One copy of one weights directory into a directory that nobody serves, by rsync; says how far it is every second. Only options that rsync 2.6.9, rsync 3 and
# openrsync share (rsync(1) of each).
#
# Behind lock.sh and alone.sh. Set before, beside what alone.sh needs: FINAL (absolute), FROM (a directory here, or USER@HOST:DIRECTORY), RSH (for the latter), KNOWN (the hub's host keys),
# MARGIN (bytes that must stay free). The files of an incomplete directory that stands there already are taken over, not copied again.
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
umask 022
job=
keys=
over() {
	trap '' HUP INT TERM PIPE
	if [ -n "$job" ]; then
		kill "$job" 2>/dev/null
		wait "$job" 2>/dev/null
	fi
	[ -z "$keys" ] || /bin/rm -rf "$keys"
	alone_no_more
	exit "$1"
}
fail() {
	printf '%s\n' "$2" >&2
	over "$1"
}
available() {
	/bin/df -kP "$PARTIAL" 2>/dev/null | /usr/bin/awk 'NR == 2 { for (i = NF; i > 1; i--) if ($i ~ /%$/) { printf "%.0f", $(i - 1) * 1024; exit } }'
}
copied() {
	/usr/bin/find "$PARTIAL" -type f -exec /usr/bin/stat -f %z '{}' + 2>/dev/null | /usr/bin/awk '{ sum += $1 } END { printf "%.0f", sum }'
}
/bin/mkdir -p "${PARTIAL%/*}" "${FINAL%/*}" || exit 1
trap 'over 74' HUP INT TERM PIPE
alone
if [ ! -e "$PARTIAL" ] && [ -d "$FINAL" ] && [ ! -L "$FINAL" ]; then
	/bin/mv "$FINAL" "$PARTIAL" || fail 1 "cannot take over $FINAL"
fi
/bin/mkdir -p "$PARTIAL" || over 1
# What another sync has verified is not that copy any more.
printf '%s\n' "$RUN" >"$PARTIAL.by" || over 1
set -- -rtL --inplace --delete --timeout=60 --exclude '.?*'
if [ -n "$RSH" ]; then
	keys=$(/usr/bin/mktemp -d /tmp/fleetctl.XXXXXX) || over 1
	printf '%s\n' "$KNOWN" >"$keys/known_hosts"
	set -- "$@" -e "$RSH -o UserKnownHostsFile=$keys/known_hosts"
fi
/usr/bin/rsync "$@" "$FROM/" "$PARTIAL/" >/dev/null </dev/null &
job=$!
copies "$job"
while kill -0 "$job" 2>/dev/null; do
	printf 'bytes %s\n' "$(copied)" || over 74
	left=$(available)
	if [ -n "$left" ] && [ "$left" -lt "$MARGIN" ]; then
		printf 'free %s\n' "$left" >&2
		over 75
	fi
	/bin/sleep 1
done
wait "$job"
code=$?
job=
printf 'bytes %s\n' "$(copied)"
over "$code"
