# How a machine is powered and how hot it is, for a measurement. No root.
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
/usr/bin/pmset -g 2>/dev/null
printf '@therm\n'
/usr/bin/pmset -g therm 2>/dev/null
# The level that powermetrics shows to root only; pmset says nothing of the kind on Apple silicon.
[ ! -x /usr/bin/notifyutil ] || /usr/bin/notifyutil -g com.apple.system.thermalpressurelevel 2>/dev/null
