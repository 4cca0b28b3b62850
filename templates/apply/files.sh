# files.sh: what is compared, kept, replaced and restored. Every replacement is a rename in the same directory; owner and mode
# are set before the content is there.

hash() {
	digest=$(/usr/bin/shasum -a 256 <"$1") || return 1
	printf '%s\n' "${digest%% *}"
}

owner_and_mode() {
	/usr/bin/stat -f "%Su${TAB}%Sg${TAB}%Lp" "$1"
}

# second FILE FIRST: the second field of the line that begins with FIRST.
second() {
	WANTED=$2 awk -F '\t' '$1 == ENVIRON["WANTED"] { print $2; exit }' "$1"
}

# print_of PATH: what is there, in one line that changes when it does.
print_of() {
	if [ -L "$1" ]; then
		printf 'link %s' "$(readlink "$1")"
	elif [ -f "$1" ]; then
		printf 'file %s' "$(hash "$1")"
	elif [ -e "$1" ]; then
		printf 'other'
	else
		printf 'nothing'
	fi
}

# PATH...: owners and modes by path, for look_up; by one process.
owners_and_modes() {
	[ "$#" -gt 0 ] && OWNERS=$NL$(/usr/bin/stat -f "%N${TAB}%Su${TAB}%Sg${TAB}%Lp" "$@")$NL || OWNERS=$NL
}

# look_at PATH...: what is there at each, for print_at; one process for the contents of all files. In memory, because it is asked on a full disk too.
look_at() {
	PRINTS=$NL
	left=$#
	while [ "$left" -gt 0 ]; do
		left=$((left - 1))
		if [ -f "$1" ] && [ ! -L "$1" ]; then
			set -- "$@" "$1"
		else
			PRINTS=$PRINTS$1$TAB$(print_of "$1")$NL
		fi
		shift
	done
	[ "$#" -gt 0 ] || return 0
	digests=$(/usr/bin/shasum -a 256 "$@" 2>/dev/null)
	for path; do
		line=${digests%%"$NL"*}
		case $line in
		*"  $path")
			digests=${digests#*"$NL"}
			PRINTS="$PRINTS$path${TAB}file ${line%% *}$NL"
			;;
		# It went meanwhile, or its name is told otherwise: shasum doubles a backslash.
		*) PRINTS=$PRINTS$path$TAB$(print_of "$path")$NL ;;
		esac
	done
}

# print_at PATH: PRINT, what look_at saw there; empty where it did not look.
print_at() {
	look_up "$PRINTS" "$1"
	PRINT=$FOUND
}

# fresh_beside PATH SUFFIX USER GROUP MODE SOURCE: a finished file beside PATH, ready to be renamed.
fresh_beside() {
	beside=${1%/*}/.fleetctl.${1##*/}.$2
	clear_away "$beside"
	# The umask makes it nobody else's before there is anything in it.
	: >"$beside" 2>/dev/null && chown "$3:$4" "$beside" && chmod "$5" "$beside" &&
		cat "$6" >"$beside" 2>/dev/null && cmp -s "$6" "$beside" && return 0
	rm -f "$beside"
	return 1
}

# clear_away PATH: no process where there is nothing.
clear_away() {
	if [ -e "$1" ] || [ -L "$1" ]; then
		rm -f "$1"
	fi
}

# place PATH USER GROUP MODE SOURCE: PATH becomes SOURCE in one step.
place() {
	fresh_beside "$1" now "$2" "$3" "$4" "$5" && mv -f "$beside" "$1"
}

# place_link PATH TARGET USER GROUP
place_link() {
	beside=${1%/*}/.fleetctl.${1##*/}.link
	rm -f "$beside"
	ln -s "$2" "$beside" && chown -h "$3:$4" "$beside" && mv -fh "$beside" "$1"
}

# make_directory PATH USER GROUP MODE: makes it if it is missing, and remembers that it did.
make_directory() {
	if [ -d "$1" ]; then
		return 0
	fi
	# Directories of the system that are missing on the way (/usr/local/libexec on a new Mac) are made as the system makes them.
	[ -d "${1%/*}" ] || make_directory "${1%/*}" root wheel 0755 || return 1
	printf '%s\n' "$1" >>"$APPLY/made" || return 1
	mkdir "$1" && chown "$2:$3" "$1" && chmod "$4" "$1"
}

# set_rights PATH USER GROUP MODE: a directory that is there; remembers what it was. What is a link meanwhile is left alone.
set_rights() {
	[ -d "$1" ] && [ ! -L "$1" ] || return 1
	[ "$(second "$APPLY/righted" "$1" 2>/dev/null)" ] || printf '%s\t%s\n' "$1" "$(owner_and_mode "$1")" >>"$APPLY/righted" || return 1
	chown "$2:$3" "$1" && chmod "$4" "$1"
}

# --- does what the plan saw still hold?

# picked FLAT POINTERS: the leaves of FLAT at or below any of the pointers, sorted.
picked() {
	POINTERS=$2 awk -F '\t' '
		BEGIN { while ((getline line < ENVIRON["POINTERS"]) > 0) wanted[++n] = line }
		{
			for (i = 1; i <= n; i++)
				if ($1 == wanted[i] || index($1, wanted[i] "/") == 1) { print; next }
		}' "$1" | sort
}

# same_keys SEEN PRESENT POINTERS: whether both files hold the same there. The answer's words go to standard output.
same_keys() {
	json_flatten "$1" >"$TMP/seen.flat" 2>/dev/null || { : >"$TMP/seen.flat"; }
	if ! json_flatten "$2" >"$TMP/present.flat" 2>/dev/null; then
		cmp -s "$1" "$2" && return 0
		printf 'is malformed now'
		return 1
	fi
	picked "$TMP/seen.flat" "$3" >"$TMP/seen.keys"
	picked "$TMP/present.flat" "$3" >"$TMP/present.keys"
	cmp -s "$TMP/seen.keys" "$TMP/present.keys" && return 0
	# Names only: a value may be a secret.
	names=$({ comm -3 "$TMP/seen.keys" "$TMP/present.keys"; } | sed "s/^$TAB//" | cut -f 1 | sort -u | tr '\n' ' ')
	printf 'has other values at %s' "$names"
	return 1
}

# still_as_planned: every `found` line holds; else the words for it are in $CHANGED.
still_as_planned() {
	CHANGED=
	set --
	while IFS=$TAB read -r kind path _; do
		case $kind in
		bytes | link) set -- "$@" "$path" ;;
		esac
	done <"$APPLY/lists/found"
	look_at "$@"
	while IFS=$TAB read -r kind path one two; do
		case $kind in
		missing)
			[ -e "$path" ] || [ -L "$path" ] || continue
			CHANGED="$CHANGED; $path is there now"
			;;
		bytes)
			print_at "$path"
			[ "$PRINT" = "file $one" ] && continue
			CHANGED="$CHANGED; $path has other bytes now"
			;;
		link)
			print_at "$path"
			[ "$PRINT" = "link $one" ] && continue
			CHANGED="$CHANGED; $path points elsewhere now"
			;;
		keys)
			if [ ! -f "$path" ]; then
				CHANGED="$CHANGED; $path is gone"
			else
				what=$(same_keys "$(blob "$one")" "$path" "$(blob "$two")") || CHANGED="$CHANGED; $path $what"
			fi
			;;
		esac
	done <"$APPLY/lists/found"
	CHANGED=${CHANGED#; }
	[ -z "$CHANGED" ]
}

# --- the generation that is kept: everything that fleetctl ever touched here, as it is now

# touched: `kind<TAB>path` of all paths of the plan and of the last generation's list, once each.
touched() {
	{
		[ -f "$1/touched" ] && cat "$1/touched"
		for verb in put remove link merge; do
			kind=file
			[ "$verb" != merge ] || kind=keys
			while IFS=$TAB read -r path _; do
				printf '%s\t%s\n' "$kind" "$path"
			done <"$APPLY/lists/$verb"
		done
		printf 'file\t%s/manifest.json\nfile\t%s/record.json\n' "$STATE" "$STATE"
	} | awk -F '\t' '{ if ($1 == "keys") keys[$2] = 1; if (!($2 in seen)) { seen[$2] = 1; order[++n] = $2 } }
		END { for (i = 1; i <= n; i++) print (order[i] in keys ? "keys" : "file") "\t" order[i] }'
}

# owned: `path<TAB>pointer` of all keys of oMLX's files that fleetctl ever set or removed.
owned() {
	{
		[ -f "$1/owned" ] && cat "$1/owned"
		ops owned
		while IFS=$TAB read -r path _ _ changes _; do
			WANTED=$path awk -F '\t' -v OFS='\t' '{ print ENVIRON["WANTED"], $2 }' "$(blob "$changes")"
		done <"$APPLY/lists/merge"
	} | sort -u
}

units_known() {
	{
		[ -f "$1/units" ] && cut -f 1-5 "$1/units"
		ops unit | awk -F '\t' -v OFS='\t' '{ print $2, $3, $4, $6, $7 ":" $8 }'
	} | awk -F '\t' '!($1 in seen) { seen[$1] = 1; print }'
}

# snapshot TO LAST: writes what is there now to TO; LAST is the snapshot before it, for its lists.
snapshot() {
	snapshot_to=$1
	snapshot_last=$2
	rm -rf "$snapshot_to"
	mkdir -p "$snapshot_to/blobs" || return 1
	touched "$snapshot_last" >"$snapshot_to/touched" && owned "$snapshot_last" >"$snapshot_to/owned" || return 1
	count=0
	set --
	while IFS=$TAB read -r _ path; do
		count=$((count + 1))
		if [ -f "$path" ] && [ ! -L "$path" ]; then
			cp "$path" "$snapshot_to/blobs/$count" 2>/dev/null || return 1
			set -- "$@" "$path" "$snapshot_to/blobs/$count"
		fi
	done <"$snapshot_to/touched"
	look_at "$@"
	set --
	while IFS=$TAB read -r _ path; do
		if [ -L "$path" ] || [ -f "$path" ]; then
			set -- "$@" "$path"
		fi
	done <"$snapshot_to/touched"
	owners_and_modes "$@"
	count=0
	while IFS=$TAB read -r kind path; do
		count=$((count + 1))
		look_up "$OWNERS" "$path"
		owner=$FOUND
		if [ -L "$path" ]; then
			printf 'link\t%s\t%s\t%s\n' "$path" "$(readlink "$path")" "${owner%"$TAB"*}"
		elif [ -f "$path" ]; then
			print_at "$path"
			seen=$PRINT
			print_at "$snapshot_to/blobs/$count"
			[ "$owner" ] && [ "$seen" ] && [ "$PRINT" = "$seen" ] || return 1
			printf '%s\t%s\t%s\t%s\t%s\n' "$kind" "$path" "$owner" "$count" "${seen#file }"
		elif [ ! -e "$path" ]; then
			printf 'absent\t%s\n' "$path"
		else
			say "$path is neither a file nor a link"
			return 1
		fi || return 1
	done <"$snapshot_to/touched" >"$snapshot_to/entries" || return 1
	snapshot_units "$snapshot_last" >"$snapshot_to/units" || return 1
	engine_print >"$snapshot_to/engine" || return 1
	(cd "$snapshot_to" && find . -type f ! -name sums -exec /usr/bin/shasum -a 256 {} +) >"$TMP/sums" &&
		cat "$TMP/sums" >"$snapshot_to/sums" && [ -s "$snapshot_to/sums" ]
}

whole() {
	[ -s "$1/sums" ] && (cd "$1" && /usr/bin/shasum -a 256 -c sums >/dev/null 2>&1)
}

# --- preparing: everything that needs room on the disk happens before anything is touched

# fill_secret_key: oMLX's signing key is made here, once, and never leaves: the one that its settings.json has, else a new one.
fill_secret_key() {
	[ -s "$APPLY/lists/secretkey" ] || return 0
	if [ ! -s "$APPLY/secret-key" ]; then
		json_flatten "$(meta base)/settings.json" 2>/dev/null >"$TMP/settings.flat"
		key=$(json_get "$TMP/settings.flat" /auth/secret_key)
		case $key in
		'"'?*'"')
			key=${key#?}
			key=${key%?}
			;;
		*) key=$(od -An -N 32 -tx1 /dev/urandom | tr -d ' \n') ;;
		esac
		[ "$key" ] && printf '%s\n' "$key" >"$APPLY/secret-key" && printf '%s\n' "$key" >>"$APPLY/secrets" || return 1
	fi
	while IFS= read -r number; do
		[ -f "$APPLY/blobs/$number.filled" ] && continue
		KEY_FILE=$APPLY/secret-key awk '
			BEGIN { getline key < ENVIRON["KEY_FILE"] }
			{
				while ((at = index($0, "{{secret-key}}")) > 0)
					$0 = substr($0, 1, at - 1) key substr($0, at + 14)
				printf "%s%s", (NR > 1 ? "\n" : ""), $0
			}' "$APPLY/blobs/$number" >"$TMP/filled" || return 1
		# awk has dropped a newline at the end, if there was one.
		[ -z "$(tail -c 1 "$APPLY/blobs/$number")" ] && printf '\n' >>"$TMP/filled"
		mv -f "$TMP/filled" "$APPLY/blobs/$number.filled" || return 1
	done <"$APPLY/lists/secretkey"
}

prepare() {
	fill_secret_key || { say 'cannot make the signing key'; return 1; }
	while IFS=$TAB read -r path user group mode; do
		make_directory "$path" "$user" "$group" "$mode" || { say "cannot make $path"; return 1; }
	done <"$APPLY/lists/dir"
	while IFS=$TAB read -r path user group mode; do
		set_rights "$path" "$user" "$group" "$mode" || { say "cannot set the owner and mode of $path"; return 1; }
	done <"$APPLY/lists/rights"
	: >"$APPLY/expected" || return 1
	look_at_what_changes
	while IFS=$TAB read -r path user group mode content; do
		make_directory "${path%/*}" root wheel 0755 || return 1
		fresh_beside "$path" new "$user" "$group" "$mode" "$(blob "$content")" || { say "cannot write beside $path"; return 1; }
		expect "$path" || return 1
	done <"$APPLY/lists/put"
	while IFS= read -r path; do
		expect "$path" || return 1
	done <"$APPLY/lists/remove"
	while IFS=$TAB read -r path _ user group; do
		make_directory "${path%/*}" "$user" "$group" 0755 || return 1
		expect "$path" || return 1
	done <"$APPLY/lists/link"
	while IFS=$TAB read -r path user group changes fresh aside; do
		make_directory "${path%/*}" "$user" "$group" 0700 || return 1
		merged "$path" "$changes" "$fresh" "$aside" || { say "cannot work out the new $path"; return 1; }
		fresh_beside "$path" new "$user" "$group" 0600 "$TMP/merged" || { say "cannot write beside $path"; return 1; }
		keep_old "$path" || return 1
	done <"$APPLY/lists/merge"
}

# look_at_what_changes: at the places of files, links and removals, and at the new contents.
look_at_what_changes() {
	set --
	while IFS=$TAB read -r path _ _ _ content; do
		set -- "$@" "$path" "$(blob "$content")"
	done <"$APPLY/lists/put"
	while IFS=$TAB read -r path _; do
		set -- "$@" "$path"
	done <"$APPLY/lists/link"
	while IFS= read -r path; do
		set -- "$@" "$path"
	done <"$APPLY/lists/remove"
	look_at "$@"
}

# expect PATH: what must still be there when its turn comes; and a copy beside it, so that going back needs no room either.
expect() {
	print_at "$1"
	printf '%s\t%s\n' "$1" "$PRINT" >>"$APPLY/expected" || return 1
	keep_old "$1"
}

keep_old() {
	old=${1%/*}/.fleetctl.${1##*/}.old
	clear_away "$old"
	if [ -f "$1" ] && [ ! -L "$1" ]; then
		cp -p "$1" "$old" 2>/dev/null && cmp -s "$1" "$old" || { rm -f "$old"; say "no room beside $1"; return 1; }
	fi
}

# sweep: nothing of ours is left beside the files.
sweep() {
	for verb in put remove link merge; do
		# A damaged payload has no lists.
		[ -f "$APPLY/lists/$verb" ] || continue
		while IFS=$TAB read -r path _; do
			sweep_beside "$path"
		done <"$APPLY/lists/$verb"
	done
	sweep_beside "$STATE/record.json"
	if [ "${1-}" = directories ] && [ -s "$APPLY/made" ]; then
		# Children first; one that is not empty any more stays.
		sort -r "$APPLY/made" | while IFS= read -r path; do
			rmdir "$path" 2>/dev/null
		done
	fi
	if [ "${1-}" = directories ] && [ -s "$APPLY/righted" ]; then
		while IFS=$TAB read -r path user group mode; do
			chown "$user:$group" "$path" && chmod "$mode" "$path"
		done <"$APPLY/righted"
	fi
	return 0
}

sweep_beside() {
	beside=${1%/*}/.fleetctl.${1##*/}
	rm -f "$beside.new" "$beside.old" "$beside.now" "$beside.link"
}

# merged FILE CHANGES FRESH ASIDE: what FILE becomes, in $TMP/merged.
merged() {
	if [ ! -f "$1" ] || [ "$4" = yes ]; then
		cat "$(blob "$3")" >"$TMP/merged"
	elif [ ! -s "$(blob "$2")" ]; then
		cat "$1" >"$TMP/merged"
	else
		# What a full disk cut short is no JSON any more.
		json_merge "$1" "$(blob "$2")" >"$TMP/merged" 2>>"$APPLY/log" && json_flatten "$TMP/merged" >/dev/null 2>&1
	fi
}

# --- the switch

# switch_files: renames, one a file. Done again after a kill it finds its own work and goes on.
switch_files() {
	look_at_what_changes
	EXPECTED=$NL$(cat "$APPLY/expected")$NL
	while IFS=$TAB read -r path user group mode content; do
		print_at "$(blob "$content")"
		wanted=$PRINT
		print_at "$path"
		if [ "$PRINT" = "$wanted" ] && [ ! -e "${path%/*}/.fleetctl.${path##*/}.new" ]; then
			continue
		fi
		expected "$path" "$PRINT" "$wanted" || return 1
		beside=${path%/*}/.fleetctl.${path##*/}.new
		[ -f "$beside" ] && cmp -s "$beside" "$(blob "$content")" ||
			fresh_beside "$path" new "$user" "$group" "$mode" "$(blob "$content")" || { WHY="cannot write beside $path"; return 1; }
		mv -f "$beside" "$path" || { WHY="cannot replace $path"; return 1; }
	done <"$APPLY/lists/put"
	while IFS=$TAB read -r path target user group; do
		print_at "$path"
		[ "$PRINT" = "link $target" ] && continue
		expected "$path" "$PRINT" "link $target" || return 1
		place_link "$path" "$target" "$user" "$group" || { WHY="cannot link $path"; return 1; }
	done <"$APPLY/lists/link"
	while IFS= read -r path; do
		print_at "$path"
		[ "$PRINT" = nothing ] && continue
		expected "$path" "$PRINT" nothing || return 1
		rm -f "$path" || { WHY="cannot remove $path"; return 1; }
		forget_folder "$path"
	done <"$APPLY/lists/remove"
	return 0
}

# forget_folder LINK: a directory of links that is empty goes with its last link.
forget_folder() {
	case $1 in
	*/serve/*/*) rmdir "${1%/*}" 2>/dev/null ;;
	esac
	return 0
}

# expected PATH NOW NEW: nobody else has been here since the generation was saved.
expected() {
	case $EXPECTED in
	*"$NL$1$TAB$2$NL"*) return 0 ;;
	esac
	[ "$2" = "$3" ] && return 0
	WHY="$1 was changed by somebody else while this apply ran"
	return 1
}

# switch_merges: oMLX's files by key, from what they hold at this moment.
switch_merges() {
	while IFS=$TAB read -r path user group changes fresh aside; do
		if [ "$aside" = yes ] && [ -f "$path" ] && ! json_flatten "$path" >/dev/null 2>&1; then
			kept=$path.broken-$(date +%Y%m%d-%H%M%S)
			cp -p "$path" "$kept" || { WHY="cannot keep the malformed $path aside"; return 1; }
			note "$path was malformed: kept as $kept"
		elif [ "$aside" = yes ] && [ -f "$path" ]; then
			aside=no
		fi
		merged "$path" "$changes" "$fresh" "$aside" || { WHY="cannot work out the new $path"; return 1; }
		beside=${path%/*}/.fleetctl.${path##*/}.new
		[ -f "$beside" ] && cmp -s "$beside" "$TMP/merged" ||
			fresh_beside "$path" new "$user" "$group" 0600 "$TMP/merged" || { WHY="cannot write beside $path"; return 1; }
		hash "$beside" >"$TMP/wrote" && mv -f "$beside" "$path" || { WHY="cannot replace $path"; return 1; }
		printf '%s\t%s\n' "$path" "$(cat "$TMP/wrote")" >>"$APPLY/wrote"
	done <"$APPLY/lists/merge"
	return 0
}

# --- the way back

# restore FROM: every entry of a snapshot; in oMLX's files the owned keys.
restore() {
	bad=
	while IFS=$TAB read -r kind path one two three four five; do
		case $kind in
		absent)
			if [ -f "$path" ] || [ -L "$path" ]; then
				keep_if_foreign "$path"
				rm -f "$path" || bad="$bad $path"
				forget_folder "$path"
			fi
			;;
		link)
			[ "$(print_of "$path")" = "link $one" ] && continue
			make_directory "${path%/*}" "$two" "$three" 0755
			place_link "$path" "$one" "$two" "$three" || bad="$bad $path"
			;;
		file)
			restore_mode "$path" "$one" "$two" "$three"
			[ "$(print_of "$path")" = "file $five" ] && continue
			keep_if_foreign "$path"
			restore_file "$path" "$one" "$two" "$three" "$1/blobs/$four" || bad="$bad $path"
			;;
		keys)
			[ "$(print_of "$path")" = "file $five" ] && { restore_mode "$path" "$one" "$two" "$three"; continue; }
			restore_keys "$path" "$one" "$two" "$three" "$1/blobs/$four" "$1/owned" || bad="$bad $path"
			;;
		esac
	done <"$1/entries"
	[ -z "$bad" ] || { WHY="could not be put back:$bad"; return 1; }
}

restore_mode() {
	[ -f "$1" ] || return 0
	[ "$(owner_and_mode "$1")" = "$2$TAB$3$TAB$4" ] && return 0
	chown "$2:$3" "$1" && chmod "$4" "$1"
}

restore_file() {
	old=${1%/*}/.fleetctl.${1##*/}.old
	if [ -f "$old" ] && cmp -s "$old" "$5"; then
		chown "$2:$3" "$old" && chmod "$4" "$old" && mv -f "$old" "$1"
	else
		make_directory "${1%/*}" "$2" "$3" 0755
		place "$1" "$2" "$3" "$4" "$5"
	fi
}

# keep_if_foreign PATH: what is neither the saved nor the new content was written by somebody else meanwhile: it is not lost.
keep_if_foreign() {
	[ -f "$1" ] && [ ! -L "$1" ] || return 0
	now=$(print_of "$1")
	content=$(WANTED=$1 awk -F '\t' '$1 == ENVIRON["WANTED"] { print $5; exit }' "$APPLY/lists/put")
	[ "$content" ] && [ "$now" = "file $(hash "$(blob "$content")")" ] && return 0
	[ "$now" = "$(second "$APPLY/expected" "$1" 2>/dev/null)" ] && return 0
	grep -qxF -e "$1$TAB${now#file }" "$APPLY/wrote" 2>/dev/null && return 0
	kept=$1.kept-$(date +%Y%m%d-%H%M%S)
	case $1 in
	# launchd loads whatever ends in .plist at boot.
	"$DAEMONS"/*) kept=$STATE/kept.${1##*/}.$(date +%Y%m%d-%H%M%S) ;;
	esac
	[ "$(meta kind)" = rollback ] && return 0
	cp -p "$1" "$kept" && note "$1 was changed by somebody else meanwhile: that version is kept as $kept"
}

# restore_keys PATH USER GROUP MODE SAVED OWNED: as it was if nobody wrote to it since; else the owned keys alone.
restore_keys() {
	if [ -f "$1" ] && ! grep -qxF -e "$1$TAB$(hash "$1")" "$APPLY/wrote" 2>/dev/null; then
		WANTED=$1 awk -F '\t' '$1 == ENVIRON["WANTED"] { print $2 }' "$6" >"$TMP/pointers"
		if json_flatten "$1" >/dev/null 2>&1 && json_values "$5" "$TMP/pointers" >"$TMP/values" 2>/dev/null && whole_profiles <"$TMP/values" >"$TMP/changes" &&
			json_merge "$1" "$TMP/changes" >"$TMP/restored" 2>/dev/null && json_flatten "$TMP/restored" >/dev/null 2>&1; then
			place "$1" "$2" "$3" "$4" "$TMP/restored"
			return
		fi
	fi
	restore_file "$1" "$2" "$3" "$4" "$5"
}

# whole_profiles: a profile that loses its name goes whole, with what oMLX's API put beside our keys: the rest would be a profile without a name.
whole_profiles() {
	awk -F '\t' '
		{ print }
		$1 == "remove" && sub(/\/name$/, "", $2) && split($2, part, "/") == 4 && part[2] == "profiles" { print "remove\t" $2 }'
}
