# Root's half of the probe, by the one command under sudo; probe-files.sh stands before it.
s root
s generations
for f in "$STATE"/generations/*; do
	printf '%s\n' "${f##*/}"
done
listeners
every_root_file files
s root-end
