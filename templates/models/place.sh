# A verified copy gets its name. Set before: FINAL, PARTIAL.
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
if [ -e "$FINAL" ] || [ -L "$FINAL" ]; then
	printf '%s came into being meanwhile: it is left alone, the copy stays in %s\n' "$FINAL" "$PARTIAL" >&2
	exit 1
fi
/bin/mv "$PARTIAL" "$FINAL" || exit 1
/bin/rmdir "${PARTIAL%/*}" 2>/dev/null
exit 0
