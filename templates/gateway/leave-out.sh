# leave-out: tells a machine's gateway to send MACHINE nothing for SECONDS, or (SECONDS is 0) to send it its share again. Run as root on the
# gateway's machine, json.sh before it; LEAVE_MACHINE and LEAVE_SECONDS are set. A line: "none" without a gateway that serves, "done", or "late"
# when the gateway has not taken it within three minutes, as long as its supervisor waits for a new configuration.
ROUTES=/usr/local/var/fleetctl/gateway
LABEL=system/dev.fleetctl.gateway
NOTE=$ROUTES/left-out/$LEAVE_MACHINE

# serves_without: what serves now has left the machine out.
serves_without() {
	json_flatten "$ROUTES/serving.json" 2>/dev/null | WANTED="\"$LEAVE_MACHINE\"" awk -F '\t' '
		$1 ~ /^\/left_out\/[0-9]+$/ && $2 == ENVIRON["WANTED"] { found = 1 }
		END { exit !found }'
}

if [ "$LEAVE_SECONDS" = 0 ]; then
	rm -f "$NOTE"
	rmdir "$ROUTES/left-out" 2>/dev/null
	/bin/launchctl kill SIGHUP "$LABEL" >/dev/null 2>&1
	echo done
	exit 0
fi
if [ ! -s "$ROUTES/serving.json" ] || ! /bin/launchctl print "$LABEL" 2>/dev/null | grep -q '^	pid = '; then
	echo none
	exit 0
fi
umask 022
mkdir -p "$ROUTES/left-out" && printf '%s\n' "$(($(date +%s) + LEAVE_SECONDS))" >"$ROUTES/.left-out.$$" && mv -f "$ROUTES/.left-out.$$" "$NOTE" || exit 1
/bin/launchctl kill SIGHUP "$LABEL" >/dev/null 2>&1
tries=0
until serves_without; do
	tries=$((tries + 1))
	if [ "$tries" -gt 180 ]; then
		echo late
		exit 0
	fi
	sleep 1
done
echo done
