# lock.sh: one directory, HOME/lock, which only one process has at a time. The machine's own stands in STATE: an apply, a tick of the
# reconciler and a deed by hand take it in the same way.
#
# It comes into its place whole, by one rename. `who`, `id`, `since`, `boot` and `pid` in it are words for people and for status; whose it is
# says the name of one file, `by.PID.ID`. A lock whose process is gone is taken over where it stands, by renaming that one file: of
# several that found the same owner gone, one succeeds; and a lock that was dropped and taken anew meanwhile holds another name.

# lock_owner HOME: OWNER, the name of that file; empty when there is none, or no lock.
lock_owner() {
	OWNER=
	for lock_by in "$1"/lock/by.*; do
		[ -e "$lock_by" ] || continue
		OWNER=${lock_by##*/}
		[ "$OWNER" = by.0.nobody ] || return 0
	done
}

# lock_is_dead HOME [PID]: gone for certain: no process of ours has its owner's number, or it is that of PID, who has no lock yet. Never
# because of its age.
lock_is_dead() {
	lock_owner "$1"
	case $OWNER in
	'' | by.0.nobody)
		# Made or edited by a person: what it says.
		lock_pid=$(cat "$1/lock/pid" 2>/dev/null)
		;;
	*)
		lock_pid=${OWNER#by.}
		lock_pid=${lock_pid%%.*}
		;;
	esac
	[ "$lock_pid" = "${2-}" ] || ! lock_process_is_ours "$lock_pid"
}

# lock_process_is_ours PID: it runs, and it is one of fleetctl's.
lock_process_is_ours() {
	case $1 in
	'' | *[!0-9]*) return 1 ;;
	esac
	case $(ps -p "$1" -o command= 2>/dev/null) in
	*fleetctl*) return 0 ;;
	esac
	return 1
}

# lock_words HOME WHO ID PID: a whole lock in HOME/.lock.PID.
lock_words() {
	rm -rf "$1/.lock.$4"
	mkdir "$1/.lock.$4" && printf '%s\n' "$2" >"$1/.lock.$4/who" && printf '%s\n' "$3" >"$1/.lock.$4/id" && date +%s >"$1/.lock.$4/since" &&
		printf '%s\n' "$4" >"$1/.lock.$4/pid" && : >"$1/.lock.$4/by.$4.$3" || return 1
	/usr/sbin/sysctl -n kern.boottime 2>/dev/null | sed 's/^{ sec = \([0-9]*\),.*/\1/' >"$1/.lock.$4/boot"
	chmod 0755 "$1/.lock.$4" && chmod 0644 "$1/.lock.$4"/*
}

# lock_try HOME WHO ID PID: 0: it is ours now; 1: it is somebody's; 2: nothing can be written there. Nothing of a try that failed is left. A
# lock of the same ID is our own, of a process that is gone: an apply goes on after a boot.
lock_try() {
	lock_owner "$1"
	[ "$OWNER" != "by.$4.$3" ] || return 0
	if [ ! -e "$1/lock" ]; then
		lock_words "$@" || { rm -rf "$1/.lock.$4"; return 2; }
		mv "$1/.lock.$4" "$1/lock" 2>/dev/null
		[ ! -e "$1/lock/by.$4.$3" ] || return 0
		# Another was faster: mv went inside.
		rm -rf "$1/.lock.$4" "$1/lock/.lock.$4"
		return 1
	fi
	[ "${OWNER#by.*.}" = "$3" ] || lock_is_dead "$1" "$4" || return 1
	if [ -z "$OWNER" ]; then
		OWNER=by.0.nobody
		{ : >"$1/lock/$OWNER"; } 2>/dev/null || return 2
		lock_owner "$1"
		if [ "$OWNER" != by.0.nobody ]; then
			# Another was faster, and its name stands there now.
			rm -f "$1/lock/by.0.nobody"
			return 1
		fi
	fi
	mv "$1/lock/$OWNER" "$1/lock/by.$4.$3" 2>/dev/null || return 1
	# The words follow; on a full disk they stay those of the owner before.
	if lock_words "$@"; then
		rm -f "$1/.lock.$4"/by.*
		mv -f "$1/.lock.$4"/* "$1/lock/"
		chmod 0755 "$1/lock"
	fi
	rm -rf "$1/.lock.$4"
	return 0
}

# lock_drop HOME ID PID: where it is ours; and what tries that were killed left there.
lock_drop() {
	if [ -e "$1/lock/by.$3.$2" ]; then
		rm -rf "$1/.lock.done.$3"
		mv -f "$1/lock" "$1/.lock.done.$3"
	fi
	for lock_left in "$1"/.lock.*; do
		[ -e "$lock_left" ] || continue
		[ "${lock_left##*.}" != "$3" ] && lock_process_is_ours "${lock_left##*.}" || rm -rf "$lock_left"
	done
}
