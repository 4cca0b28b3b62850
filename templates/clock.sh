# The fleet's wall clock, and which window is open by it. Every script that asks gets the same answer as fleetctl itself.
#
# A wall-clock edge happens when the clock first shows its time or a later one: inside the gap of spring at the first minute after
# it, in the repeated hour of autumn at its first occurrence. So what counts is the latest time that the clock has shown so far.

# zone_known ZONE: an unknown one would silently be UTC.
zone_known() {
	case $1 in
	'' | /* | *..*) return 1 ;;
	esac
	[ -f "/usr/share/zoneinfo/$1" ] || [ -f "/var/db/timezone/zoneinfo/$1" ]
}

# wall_minute ZONE EPOCH: WALL is the wall clock as minutes since 1970-01-01 00:00 of that clock.
wall_minute() {
	WALL=
	wall_text=$(TZ=$1 /bin/date -r "$2" '+%Y 1%m 1%d 1%H 1%M') || return 1
	wall_year=${wall_text%% *}
	wall_text=${wall_text#* }
	wall_month=$((${wall_text%% *} - 100))
	wall_text=${wall_text#* }
	wall_day=$((${wall_text%% *} - 100))
	wall_text=${wall_text#* }
	# The Gregorian calendar counted from March of the year -4800, so that the leap day comes last.
	wall_a=$(((14 - wall_month) / 12))
	wall_y=$((wall_year + 4800 - wall_a))
	wall_m=$((wall_month + 12 * wall_a - 3))
	wall_days=$((wall_day + (153 * wall_m + 2) / 5 + 365 * wall_y + wall_y / 4 - wall_y / 100 + wall_y / 400 - 2472633))
	WALL=$((wall_days * 1440 + (${wall_text%% *} - 100) * 60 + ${wall_text#* } - 100))
}

# shown_minute ZONE EPOCH: SHOWN is the latest wall-clock minute that the zone's clock has shown up to then. No zone turns its clock
# back by more than three hours.
shown_minute() {
	wall_minute "$1" "$2" || return 1
	SHOWN=$WALL
	now_minute=$(($2 / 60))
	wall_minute "$1" "$(((now_minute - 180) * 60))" || return 1
	before=$((WALL - now_minute + 180))
	[ "$before" -gt "$((SHOWN - now_minute))" ] || return 0
	# The clock was turned back within these three hours: the last minute before that.
	low=$((now_minute - 180))
	high=$now_minute
	while [ "$((high - low))" -gt 1 ]; do
		middle=$(((low + high) / 2))
		wall_minute "$1" "$((middle * 60))" || return 1
		if [ "$((WALL - middle))" -eq "$before" ]; then low=$middle; else high=$middle; fi
	done
	[ "$((low + before))" -le "$SHOWN" ] || SHOWN=$((low + before))
}

# open_window MINUTE WINDOWS: windows are lines `NAME START END DAYS`, START and END in minutes of the day, DAYS the digits of the
# weekdays on which it starts (0 is Monday). OPEN is the one that decides, of several open ones the latest started; or nothing.
open_window() {
	OPEN=
	open_since=-1
	while read -r window_name window_start window_end window_days; do
		[ -n "$window_days" ] || continue
		for window_back in 1 0; do
			window_day=$(($1 / 1440 - window_back))
			# 1970-01-01 was a Thursday.
			case $window_days in
			*$(((window_day + 3) % 7))*) ;;
			*) continue ;;
			esac
			window_opens=$((window_day * 1440 + window_start))
			window_closes=$((window_day * 1440 + window_end))
			[ "$window_end" -gt "$window_start" ] || window_closes=$((window_closes + 1440))
			if [ "$window_opens" -le "$1" ] && [ "$1" -lt "$window_closes" ] && [ "$window_opens" -ge "$open_since" ]; then
				open_since=$window_opens
				OPEN=$window_name
			fi
		done
	done <<WINDOWS
$2
WINDOWS
}

# open_windows MINUTE WINDOWS: the names of all open ones, one a line, the latest started last.
open_windows() {
	while read -r window_name window_start window_end window_days; do
		[ -n "$window_days" ] || continue
		open_window "$1" "$window_name $window_start $window_end $window_days"
		[ -z "$OPEN" ] || printf '%s %s\n' "$open_since" "$OPEN"
	done <<ALL | sort -s -n -k 1,1 | cut -d ' ' -f 2
$2
ALL
}
