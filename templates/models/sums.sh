# SHA-256 of every file below a directory, links followed. Set before: WHERE.
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
cd "$WHERE" || exit 1
/usr/bin/find -L . -name '.?*' -prune -o -type f -exec /usr/bin/shasum -a 256 '{}' +
