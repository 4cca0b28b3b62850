# Files as facts: shared by the probe's two halves, the login user's and root's. Set before: N, PORTS, `contents`.
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
newline='
'
s() {
	printf '\n@@%s %s\n' "$N" "$1"
}
note() {
	s note
	printf '%s\n' "$1"
}
# files PATH...: kind, owner, mode, size and target of each in one call, hashes in one call, wanted texts in one call.
files() {
	[ "$#" -gt 0 ] || return 0
	s stat
	/usr/bin/stat -f '%p	%Su	%Sg	%z	%m	%N	%Y' "$@" 2>&1
	for f in "$@"; do
		shift
		if [ -f "$f" ] && [ ! -L "$f" ] && [ -r "$f" ]; then
			set -- "$@" "$f"
		fi
	done
	[ "$#" -gt 0 ] || return 0
	s sums
	sums=$(/usr/bin/shasum -a 256 "$@" 2>/dev/null)
	printf '%s\n' "$sums"
	for f in "$@"; do
		shift
		if contents "$f"; then
			set -- "$@" "$f"
		fi
	done
	[ "$#" -gt 0 ] || return 0
	/usr/bin/awk -v n="$N" '
		FNR == 1 { size = 0; printf "\n@@%s text %s\n", n, FILENAME }
		{ size += length($0) + 1; if (size <= 1048576) print }' "$@" 2>/dev/null
}
# Who listens on our ports, who is connected to them, and what these processes are.
listeners() {
	if [ ! -x /usr/sbin/lsof ]; then
		note "/usr/sbin/lsof is not there: ports and connections could not be observed"
		return 0
	fi
	s lsof
	held=$(/usr/sbin/lsof -nP -iTCP:"$PORTS" -F pLnT 2>/dev/null)
	printf '%s\n' "$held"
	pids=
	for f in $held; do
		case $f in p[0-9]*) pids=$pids,${f#p} ;; esac
	done
	if [ -n "$pids" ]; then
		s processes
		/bin/ps -ww -o pid=,ppid=,user=,etime=,command= -p "${pids#,}" 2>/dev/null
	fi
}
