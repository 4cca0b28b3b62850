#!/bin/sh
# with-env UNIT PROGRAM [ARGUMENT...]: becomes the command, with the variables of STATE/env/UNIT in its environment. Installed by
# fleetctl; do not edit. Secrets are in that file (0600), because a plist is readable by everybody.
environment=/usr/local/var/fleetctl/env/$1
shift
if [ ! -r "$environment" ]; then
	printf 'with-env: %s cannot be read\n' "$environment" >&2
	exit 78
fi
set -a
. "$environment"
set +a
exec "$@"
