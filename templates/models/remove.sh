# Takes named weights away. Set before: ROOT, SERVE, the directories below ROOT as arguments. What one of oMLX's links points to stays.
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
code=0
for d; do
	served=
	for f in "$SERVE"/* "$SERVE"/*/*; do
		[ -L "$f" ] && [ "$(/usr/bin/readlink "$f")" = "$ROOT/$d" ] && served=$f
	done
	if [ -n "$served" ]; then
		printf 'kept\t%s\t%s points to it\n' "$d" "$served"
		code=1
	elif [ -L "$ROOT/$d" ]; then
		/bin/rm "$ROOT/$d" && printf 'removed\t%s\n' "$d" || code=1
	elif /bin/rm -rf "${ROOT:?}/$d"; then
		printf 'removed\t%s\n' "$d"
	else
		code=1
	fi
done
exit "$code"
