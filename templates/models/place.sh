# A verified copy gets its name. Behind lock.sh and alone.sh. Set before, beside what alone.sh needs: FINAL.
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
trap 'alone_no_more; exit 74' HUP INT TERM PIPE
alone
trap alone_no_more EXIT
if [ -e "$FINAL" ] || [ -L "$FINAL" ]; then
	printf '%s came into being meanwhile: it is left alone, the copy stays in %s\n' "$FINAL" "$PARTIAL" >&2
	exit 1
fi
if [ "$(cat "$PARTIAL.by" 2>/dev/null)" != "$RUN" ]; then
	printf 'another sync has worked at the copy since it was verified: it stays in %s, and the next sync verifies it\n' "$PARTIAL" >&2
	exit 1
fi
/bin/mv "$PARTIAL" "$FINAL" || exit 1
/bin/rm -f "$PARTIAL.by"
alone_no_more
/bin/rmdir "${PARTIAL%/*}" 2>/dev/null
exit 0
