#!/bin/sh
# rotate: keeps the logs of fleetctl's daemons small. Installed and started by fleetctl; do not edit.
#
# Copy and truncate: launchd keeps a log open for appending, so after a rename it would go on writing into the renamed file. A log
# above LIMIT bytes becomes LOG.1, LOG.1 becomes LOG.2, up to LOG.KEEP; of a longer one only the last LIMIT bytes are kept, so that
# all logs together stay below (KEEP + 1) x LIMIT a daemon, and what it prints within an hour.
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
umask 022

LOGS=/Library/Logs/fleetctl
LIMIT=10485760
KEEP=5

size() {
	wc -c <"$1" | tr -d ' '
}

# The last bytes of a log, then what was appended meanwhile, then the log is emptied. What is written between the last look and the
# truncation is lost: microseconds.
copy() {
	seen=$(size "$1") || return 1
	tail -c "$LIMIT" "$1" >"$2" || return 1
	for _ in 1 2 3; do
		now=$(size "$1") || return 1
		[ "$now" -gt "$seen" ] || break
		tail -c "+$((seen + 1))" "$1" | head -c "$((now - seen))" >>"$2" || return 1
		seen=$now
	done
	: >"$1"
}

rotate() {
	temporary=$LOGS/.rotate.$$
	# A copy has the owner and the mode of its log before it has any content.
	rm -f "$temporary" && (umask 077 && : >"$temporary") || return 1
	about=$(ls -ln "$1" | awk '
		function bits(triple) { return (substr(triple, 1, 1) == "r") * 4 + (substr(triple, 2, 1) == "w") * 2 + (substr(triple, 3, 1) == "x") }
		{ print $3 ":" $4 " " bits(substr($1, 2, 3)) bits(substr($1, 5, 3)) bits(substr($1, 8, 3)) }')
	chown "${about% *}" "$temporary" 2>/dev/null
	chmod "${about#* }" "$temporary" || return 1
	if ! copy "$1" "$temporary"; then
		# No room for a copy: the log is what fills the disk.
		rm -f "$temporary"
		: >"$1"
		printf 'rotate: no copy of %s could be made, it was emptied\n' "$1" >&2
		return 1
	fi
	number=$KEEP
	while [ "$number" -gt 1 ]; do
		previous=$((number - 1))
		[ ! -f "$1.$previous" ] || mv -f "$1.$previous" "$1.$number" || return 1
		number=$previous
	done
	mv -f "$temporary" "$1.1"
}

status=0
rm -f "$LOGS"/.rotate.*
for log in "$LOGS"/*.log; do
	# Only files of the directory itself: it belongs to root, so nobody else can put a link there.
	[ -f "$log" ] && [ ! -L "$log" ] || continue
	[ "$(size "$log")" -le "$LIMIT" ] || rotate "$log" || status=1
done
exit "$status"
