#!/bin/sh
# gateway PROGRAM HOST PORT: becomes LiteLLM's supervisor (serve.py in STATE/gateway) under the Python that PROGRAM runs under. Installed by
# fleetctl; do not edit.
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
program=$1
host=$2
port=$3
if [ ! -r "$program" ]; then
	printf 'gateway: %s is not there\n' "$program" >&2
	exit 78
fi
# A console script names its Python in the first line; where that would be too long or holds a blank, in the second: '''exec' "PYTHON" "$0" "$@".
python=$(awk 'NR == 1 && /^#!.*python/ { sub(/^#![ \t]*/, ""); split($0, word); if (word[1] == "/usr/bin/env") print word[1], word[2]; else print word[1]; exit }
	NR == 2 && /exec/ { split($0, part, "\""); print part[2]; exit }
	NR == 2 { exit }' "$program")
case $python in
"/usr/bin/env "*) python=$(PATH=/opt/homebrew/bin:/usr/local/bin:$PATH; command -v "${python#/usr/bin/env }") ;;
esac
if [ -z "$python" ] || [ ! -x "$python" ]; then
	printf 'gateway: the Python of %s is not found\n' "$program" >&2
	exit 78
fi
exec "$python" /usr/local/var/fleetctl/gateway/serve.py "$host" "$port"
