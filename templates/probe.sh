# The probe: one script that asks a machine everything that plan and status need. Sent on standard input; leaves nothing behind.
#
# Set before: N (a word of this run), STATE, BASE, PROGRAM, URL (oMLX as declared), PORTS, LABELS, TAILSCALE (yes or nothing), SECONDS_SLOW, SECONDS_HTTP;
# functions every_file, every_root_file and every_weights, which call their arguments with the paths behind them; `contents PATH`: whether a file's text is
# wanted (`sums` holds what shasum printed). json.sh and probe-files.sh stand before it.
tab='	'

# --- who and what
s identity
/usr/bin/id
printf 'home=%s\nnow=%s\n' "$HOME" "$(/bin/date +%s)"
if [ -x /usr/sbin/sysctl ]; then
	s sysctl
	/usr/sbin/sysctl hw.memsize machdep.cpu.brand_string hw.ncpu hw.model kern.osproductversion kern.boottime vm.swapusage iogpu.wired_limit_mb kern.memorystatus_vm_pressure_level hw.pagesize 2>/dev/null
else
	note "/usr/sbin/sysctl is not there: is this a Mac?"
fi
if [ -x /usr/bin/vm_stat ]; then
	s vm_stat
	/usr/bin/vm_stat 2>/dev/null
fi

# --- processes: ours and oMLX's; whoever else holds our ports is asked for beside them
s processes
/bin/ps -axww -o pid=,ppid=,user=,etime=,command= 2>/dev/null | /usr/bin/awk '/[oO][mM][lL][xX]|[f]mlx|[f]leetctl|[l]itellm/'

# --- launchd
if [ -x /bin/launchctl ]; then
	for f in /Library/LaunchDaemons/dev.fleetctl.*.plist; do
		l=${f##*/}
		l=${l%.plist}
		case " $LABELS $l" in *'*'*) continue ;; esac
		case " $LABELS " in *" $l "*) ;; *) LABELS="$LABELS $l" ;; esac
	done
	for l in $LABELS; do
		s "job $l"
		/bin/launchctl print "system/$l" 2>/dev/null || printf 'exit %s\n' "$?"
	done
	s disabled
	/bin/launchctl print-disabled system 2>/dev/null
	uid=$(/usr/bin/id -u)
	IFS=$newline
	set -f
	for f in $(set +f; /usr/bin/grep -lis omlx /Library/LaunchDaemons/*.plist /Library/LaunchAgents/*.plist "$HOME"/Library/LaunchAgents/*.plist); do
		# launchd knows a job by its Label, which a hand-made definition may name otherwise than its file.
		l=$(/usr/bin/plutil -extract Label raw -o - "$f" 2>/dev/null)
		case $l in
		'' | *[!A-Za-z0-9._-]*)
			l=${f##*/}
			l=${l%.plist}
			;;
		esac
		case $l in dev.fleetctl.*) continue ;; esac
		case $f in
		/Library/LaunchDaemons/*) d=system ;;
		*) d="gui/$uid user/$uid" ;;
		esac
		IFS=' '
		for d in $d; do
			s "foreign $d/$l $f"
			/bin/launchctl print "$d/$l" 2>/dev/null
		done
	done
	set +f
	unset IFS
else
	note "/bin/launchctl is not there: is this a Mac?"
fi

# --- files
serve() {
	for f in "$BASE"/serve/* "$BASE"/serve/*/* "$STATE"/jobs/*.json "$STATE"/lock/*; do
		if [ -e "$f" ] || [ -L "$f" ]; then
			set -- "$@" "$f"
		fi
	done
	if [ -r "$STATE/manifest.json" ]; then
		IFS=$newline
		set -f
		for f in $(/usr/bin/awk '{
			n = split($0, part, "\"")
			for (i = 2; i < n; i++)
				if (part[i] == "path" && part[i + 1] ~ /^[ \t]*:[ \t]*$/ && part[i + 2] ~ /^\//) print part[i + 2]
		}' "$STATE/manifest.json" 2>/dev/null); do
			set -- "$@" "$f"
		done
		set +f
		unset IFS
	fi
	files "$@"
}
every_file serve
s program
[ -x "$PROGRAM" ] && printf 'present\n'
executables() {
	for f; do
		[ -x "$f" ] && printf 'executable %s\n' "$f"
	done
}
every_program executables
d=${PROGRAM%/bin/*}
for f in "$d"/lib/python3*/site-packages/omlx-*.dist-info "$d"/lib/python3*/site-packages/flyto_mlx-*.dist-info "$d"/opt/omlx/libexec/lib/python3*/site-packages/omlx-*.dist-info; do
	[ -e "$f" ] && printf 'release %s\n' "$f"
done

# bounded FUNCTION: what may hang is given up after SECONDS_SLOW; what it has printed by then stands.
bounded() {
	"$1" &
	bounded=$!
	{
		/bin/sleep "$SECONDS_SLOW"
		kill -9 "$bounded"
	} >/dev/null 2>&1 &
	watchdog=$!
	wait "$bounded" 2>/dev/null
	kill "$watchdog" 2>/dev/null
}

# --- what may hang: a dead mount, a wedged resolver, tailscale. Given up together.
slow() {
	if [ -z "$rooted" ]; then
		listeners
	fi
	s df
	set --
	for f in "$WEIGHTS" "$STATE" "$BASE"; do
		while [ -n "$f" ] && [ ! -e "$f" ]; do
			f=${f%/*}
		done
		set -- "$@" "${f:-/}"
	done
	/bin/df -kP "$@" 2>/dev/null
	every_weights weights
	if [ -n "$TAILSCALE" ]; then
		s tailscale
		for f in /usr/local/bin/tailscale /opt/homebrew/bin/tailscale /Applications/Tailscale.app/Contents/MacOS/Tailscale; do
			if [ -x "$f" ]; then
				TAILSCALE_BE_CLI=1 "$f" ip -4 2>&1
				break
			fi
		done
	fi
	s slow-end
}
weights() {
	[ "$#" -gt 0 ] || return 0
	s weights
	n=$#
	for f in "$@"; do
		set -- "$@" "$f"/config.json "$f"/model.safetensors.index.json "$f"/*.safetensors
	done
	/usr/bin/stat -L -f "%p$tab%z$tab%m$tab%N" "$@" 2>&1
	shift "$n"
	for f in "$@"; do
		shift
		case $f in
		*/config.json | */model.safetensors.index.json) [ -f "$f" ] && [ -r "$f" ] && set -- "$@" "$f" ;;
		esac
	done
	[ "$#" -gt 0 ] || return 0
	/usr/bin/awk -v n="$N" '
		FNR == 1 { kind = FILENAME ~ /index\.json$/ ? "shards" : "config"; size = 0; printf "\n@@%s %s %s\n", n, kind, FILENAME }
		kind == "config" { size += length($0) + 1; if (size <= 1048576) print; next }
		{
			count = split($0, part, "\"")
			for (i = 1; i <= count; i++)
				if (part[i] ~ /\.safetensors$/ && !((FILENAME, part[i]) in seen)) { seen[FILENAME, part[i]] = 1; print part[i] }
		}' "$@" 2>/dev/null
}

# --- as root, by the one command: what only root may read. A refusal is an answer too.
rooted=
s sudo
if [ ! -x /usr/bin/sudo ]; then
	printf '/usr/bin/sudo is not there\n'
elif /usr/bin/sudo -n -H /bin/sh -s <<'@ROOT@' 2>&1
@root.sh@
@ROOT@
then
	rooted=1
fi

bounded slow
@checkup.sh@

# --- oMLX's own answers, through the address that it is bound to. The key is the machine's own and goes to curl on standard input.
key=
host=
port=
if [ -r "$BASE/settings.json" ]; then
	flat=$(json_flatten "$BASE/settings.json" 2>/dev/null) || note "$BASE/settings.json is not JSON: oMLX is asked without a key"
	IFS=$newline
	set -f
	for f in $flat; do
		case $f in
		"/auth/api_key$tab\""*) key=${f#*"$tab"} ;;
		"/server/host$tab\""*) host=${f#*"$tab"} ;;
		"/server/port$tab"[0-9]*) port=${f#*"$tab"} ;;
		esac
	done
	set +f
	unset IFS
	case $key in
	*'\u'* | *'\/'*) key=\"$(printf '%s\n' "$key" | json_text | /usr/bin/sed 's/[\\"]/\\&/g')\" ;;
	esac
	key=${key#\"}
	key=${key%\"}
	host=${host#\"}
	host=${host%\"}
	host=${host%%,*}
	case $host in
	0.0.0.0 | :: | '') host=127.0.0.1 ;;
	*:*) host="[$host]" ;;
	esac
elif [ -e "$BASE/settings.json" ]; then
	note "$BASE/settings.json may not be read by the login user: oMLX is asked without a key"
fi
engine() {
	s "engine $1"
	{
		printf 'silent\nnoproxy = "*"\nfail-early\nmax-filesize = 8000000\nconnect-timeout = 2\nmax-time = %s\n' "$SECONDS_HTTP"
		printf 'write-out = "\\n@@%s http %%{http_code} %%{exitcode}\\n"\n' "$N"
		if [ -n "$key" ]; then
			printf 'header = "Authorization: Bearer %s"\n' "$key"
		fi
		printf 'url = "%s/health"\nurl = "%s/api/status"\nurl = "%s/v1/models/status"\n' "$1" "$1" "$1"
	} | /usr/bin/curl -q --config - 2>/dev/null
}
if [ ! -x /usr/bin/curl ]; then
	note "/usr/bin/curl is not there: oMLX was not asked"
elif [ -n "$port" ] && [ "http://$host:$port" != "$URL" ]; then
	# What the file says and what is declared differ: oMLX runs with the one or the other.
	engine "http://$host:$port" || engine "$URL"
else
	engine "$URL"
fi
s end
