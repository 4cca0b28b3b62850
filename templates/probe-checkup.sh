# What only doctor asks, behind the probe. No root. Given up after SECONDS_SLOW: a dead mount or tailscale may hang.
checkup() {
	s 'checkup power'
	/usr/bin/pmset -g 2>/dev/null
	s 'checkup filevault'
	/usr/bin/fdesetup status 2>/dev/null
	s 'checkup updates'
	/usr/sbin/softwareupdate --schedule 2>/dev/null
	s 'checkup homebrew'
	for d in /opt/homebrew /usr/local; do
		[ -x "$d/bin/brew" ] && printf 'brew %s\n' "$d/bin/brew"
		for f in "$d"/Cellar/omlx/*; do
			[ -d "$f" ] && printf 'keg %s\n' "${f##*/}"
		done
	done
	s 'checkup tailscale'
	for f in /usr/local/bin/tailscale /opt/homebrew/bin/tailscale /Applications/Tailscale.app/Contents/MacOS/Tailscale; do
		if [ -x "$f" ]; then
			TAILSCALE_BE_CLI=1 "$f" status --json --peers=false 2>&1
			break
		fi
	done
	s 'checkup weights'
	if [ -d "$WEIGHTS" ]; then
		/bin/ls "$WEIGHTS" 2>&1 >/dev/null
	elif [ -e "$WEIGHTS" ]; then
		printf '%s is no directory\n' "$WEIGHTS"
	else
		printf '%s is not there\n' "$WEIGHTS"
	fi
	s checkup-end
}
bounded checkup
