# job-start.sh: starts a job now. As root, by the one command, behind apply/{base,launchd}.sh. Set before: RUN_JOB, RUN_LABEL, RUN_LOG.
#
# The job's own wrapper runs the command, as at its time: this leaves it a request and asks launchd to start it. It says in the end
# `# started TIME BYTES` (when its record says that it began, and how long its log was before), `# running`, `# missing` or `# failed WHY`.
request=$STATE/jobs/$RUN_JOB.run
record=$STATE/jobs/$RUN_JOB.json

ends() {
	printf '# %s\n' "$1"
	exit 0
}
# by_hand: when the last run by hand began, as its wrapper recorded it.
by_hand() {
	sed -n 's/^    {"started_at": "\([-0-9T:Z]*\)".*"by_hand": true},\{0,1\}$/\1/p' "$record" 2>/dev/null | head -n 1
}

unit_look "$RUN_LABEL"
case $? in
0) ;;
113) ends missing ;;
*) ends 'failed launchd does not say whether it has the job' ;;
esac
[ -z "$(unit_pid)" ] || ends running
before=$(by_hand)
bytes=$(wc -c <"$RUN_LOG" 2>/dev/null | tr -d ' ')
: >"$request" || ends "failed cannot write $request"
said=$(/bin/launchctl kickstart "system/$RUN_LABEL" 2>&1) || {
	rm -f "$request"
	ends "failed launchctl kickstart: $said"
}
# launchd may hold a start back for its ThrottleInterval, 10 s.
tries=0
while [ -e "$request" ] || [ "$(by_hand)" = "$before" ]; do
	tries=$((tries + 1))
	if [ "$tries" -gt 25 ]; then
		rm -f "$request"
		ends 'failed launchd was asked to start it, and no run began'
	fi
	sleep 1
done
ends "started $(by_hand) ${bytes:-0}"
