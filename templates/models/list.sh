# Weights below a directory: every file with its size and time, the shards that an index names, what is free. Links are followed.
#
# Set before: ROOT, SERVE (oMLX's links, or nothing), DIRECTORIES (the function that calls its arguments with the directories below ROOT to look at; none: all).
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
tab='	'
free() {
	f=$1
	while [ -n "$f" ] && [ ! -e "$f" ]; do
		f=${f%/*}
	done
	/bin/df -kP "${f:-/}" 2>/dev/null | /usr/bin/awk 'NR > 1 { print "df " $0 }'
}
# one DIRECTORY: its lines; nothing when it holds no weights, `loop` when it is a link that leads nowhere.
one() {
	d=$ROOT/$1
	if [ ! -e "$d" ]; then
		[ ! -L "$d" ] || printf 'broken%s%s\n' "$tab" "$1"
		return 0
	fi
	[ -d "$d" ] || return 0
	printf 'directory%s%s\n' "$tab" "$1"
	[ -r "$d" ] && [ -x "$d" ] || printf 'unreadable%s%s\n' "$tab" "$1"
	/usr/bin/find -L "$d/." -name '.?*' -prune -o -type f -exec /usr/bin/stat -L -f "%z$tab%m$tab%N" '{}' + 2>/dev/null |
		/usr/bin/awk -v d="$d/./" -v at="$1" '{
			i = index($0, d)
			if (i > 0) printf "file\t%s\t%s%s\n", at, substr($0, 1, i - 1), substr($0, i + length(d))
		}'
	i=$d/model.safetensors.index.json
	[ -f "$i" ] && [ -r "$i" ] || return 0
	printf 'index%s%s\n' "$tab" "$1"
	/usr/bin/awk -v at="$1" '{
		n = split($0, part, "\"")
		for (k = 1; k <= n; k++)
			if (part[k] ~ /\.safetensors$/ && !(part[k] in seen)) { seen[part[k]] = 1; printf "shard\t%s\t%s\n", at, part[k] }
	}' "$i"
}
each() {
	for x; do
		one "$x"
	done
}
all() {
	for f in "$ROOT"/* "$ROOT"/*/*; do
		x=${f#"$ROOT"/}
		if [ -L "$f" ] && [ ! -e "$f" ]; then
			one "$x"
		elif [ -d "$f" ] && { [ -f "$f/config.json" ] || holds_tensors "$f"; }; then
			one "$x"
		fi
	done
}
holds_tensors() {
	for t in "$1"/*.safetensors; do
		[ -e "$t" ] && return 0
	done
	return 1
}
free "$ROOT"
if [ -d "$ROOT" ]; then
	printf 'root\n'
	DIRECTORIES
fi
if [ -n "$SERVE" ]; then
	for f in "$SERVE"/* "$SERVE"/*/*; do
		[ -L "$f" ] && printf 'served%s%s\n' "$tab" "$(/usr/bin/readlink "$f")"
	done
fi
printf 'end\n'
