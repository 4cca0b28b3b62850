# alone.sh: only one sync at a time works at one copy. The lock of lock.sh, behind which this stands, in PARTIAL.lock, with another rule for who lives: a
# sync has no name of its own in `ps`.
#
# Set before: RUN (a word of this sync, the same for each of its attempts), WHO (words for people), PARTIAL (absolute).

# This very process: a script that comes through a connection runs in a subshell, and $$ is the shell around it, which has none of our traps.
ME=$(exec /bin/sh -c 'printf %s "$PPID"')

# lock_process_is_ours PID: it runs, and is a shell started as a connection, or a machine that is its own laptop, starts one.
lock_process_is_ours() {
	case $(ps -ww -p "${1:-none}" -o command= 2>/dev/null) in
	'/bin/sh '*) return 0 ;;
	esac
	return 1
}

# it_copies PID: an rsync into PARTIAL. As ps shows it, PARTIAL in full.
it_copies() {
	case $(ps -ww -p "${1:-none}" -o command= 2>/dev/null) in
	*rsync*" $PARTIAL/") return 0 ;;
	esac
	return 1
}

# end_of IS PID: ends it where `IS PID` holds, and waits for at most ten seconds until it does not.
end_of() {
	"$1" "$2" || return 0
	kill "$2" 2>/dev/null
	n=0
	while "$1" "$2"; do
		[ "$n" -lt 10 ] || return 1
		sleep 1
		n=$((n + 1))
	done
}

# alone: PARTIAL is ours from here on, or the script ends with 76: another sync has it.
alone() {
	lock_owner "$PARTIAL.lock"
	if [ "${OWNER#by.*.}" = "$RUN" ]; then
		# An attempt of the same run whose connection is gone and which does not know it yet.
		other=${OWNER#by.}
		end_of lock_process_is_ours "${other%%.*}" || somebody_else
	fi
	mkdir -p "$PARTIAL.lock" || exit 1
	lock_try "$PARTIAL.lock" "$WHO" "$RUN" "$ME"
	case $? in
	1) somebody_else ;;
	2)
		printf 'cannot write in %s\n' "$PARTIAL.lock" >&2
		exit 1
		;;
	esac
	# What an owner that was killed left running.
	end_of it_copies "$(cat "$PARTIAL.lock/lock/rsync" 2>/dev/null)" && return 0
	alone_no_more
	somebody_else
}
somebody_else() {
	printf '%s, process %s\n' "$(cat "$PARTIAL.lock/lock/who" 2>/dev/null)" "$(cat "$PARTIAL.lock/lock/pid" 2>/dev/null)" >&2
	exit 76
}

# copies PID: the rsync that works for us.
copies() {
	printf '%s\n' "$1" >"$PARTIAL.lock/lock/rsync"
}
alone_no_more() {
	lock_drop "$PARTIAL.lock" "$RUN" "$ME"
	rmdir "$PARTIAL.lock" 2>/dev/null
}
