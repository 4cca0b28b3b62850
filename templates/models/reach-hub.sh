# By which of its addresses the hub can be reached from here. Set before: RSH, KNOWN, the addresses as arguments (USER@HOST).
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
keys=$(/usr/bin/mktemp -d /tmp/fleetctl.XXXXXX) || exit 1
trap '/bin/rm -rf "$keys"' EXIT
printf '%s\n' "$KNOWN" >"$keys/known_hosts"
for to; do
	# RSH is a command line of ours, cut at its blanks.
	if $RSH -o UserKnownHostsFile="$keys/known_hosts" "$to" true </dev/null >&2; then
		printf '%s\n' "$to"
		exit 0
	fi
done
exit 1
