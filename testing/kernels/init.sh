#!/busybox sh
# First process of the guest: starts the agent as its container would be, lets the probes happen, and prints
# what the agent said and saw. guest.ts reads the lines.
/busybox mkdir -p /bin
/busybox --install -s /bin
export PATH=/bin
# the initial root can be no container's old root: go on in a mount of it
if [ ! -e /new ]; then
	mkdir /new
	mount --bind / /new
	exec chroot /new /init
fi
mkdir -p /usr/local/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs tmp /tmp
mount -t tmpfs var /var/lib/lanner
chmod 1777 /tmp
ifconfig lo up
[ -e /overlay.ko ] && insmod /overlay.ko
echo
echo "GUEST kernel $(uname -r)"
echo "GUEST uptime $(cut -d' ' -f1 /proc/uptime) booted"

/probes older /tmp/probe-go &
LANNER_BUILD=/lanner/ /lanner/node /lanner/doctor.mjs --json > /tmp/doctor 2>&1
echo "DOCTOR $(cat /tmp/doctor)"
echo "GUEST uptime $(cut -d' ' -f1 /proc/uptime) examined"
eval "$(cat /lanner-environment) $(cat /lanner-command) > /tmp/alerts 2> /tmp/log &"
sensor=$!
while kill -0 $sensor 2>/dev/null && ! grep -q watching /tmp/log; do sleep 0.2; done
echo "GUEST uptime $(cut -d' ' -f1 /proc/uptime) watching"
if grep -q watching /tmp/log; then
	sleep 1
	agent=$(pidof node || pidof lanner-agent)
	echo "AGENT $(grep -E '^(Uid|CapEff|NoNewPrivs)' /proc/$agent/status | tr '\n\t' '; ')"
	echo "SENSOR $(grep -E '^(CapEff|CapBnd)' /proc/$sensor/status | tr '\n\t' '; ')"
	touch /tmp/probe-go
	/probes
	touch /etc/probe-uring /etc/probe-compat /etc/probe-container
	/actor open-uring /etc/probe-uring || echo "UNMADE open by io_uring"
	/actor connect-uring 127.0.0.1 4716 || echo "UNMADE connect by io_uring"
	if [ -e /compat ]; then /compat || echo "UNMADE open by a 32-bit call"
	else /actor open-int80 /etc/probe-compat || echo "UNMADE open by a 32-bit call"; fi
	/actor container -- open /etc/probe-container r || echo "UNMADE container"
	/actor container -- drop /dropped || echo "UNMADE upper layer of an overlay"
	# the last of them is the last to be seen; the machine may be slow
	for i in $(seq 300); do
		grep -q '"upper layer of an overlay"' /tmp/alerts && break
		sleep 0.1
	done
	echo "GUEST uptime $(cut -d' ' -f1 /proc/uptime) seen"
	# a second agent takes over where the first was killed
	kill -9 $agent
	sleep 0.3
	while [ "$(grep -c watching /tmp/log)" -lt 2 ] && kill -0 $sensor 2>/dev/null; do sleep 0.2; done
	sleep 2
	kill -TERM $sensor
	wait $sensor
	echo "GUEST exit $?"
fi
sed 's/^/LOG /' /tmp/log
sed 's/^/ALERT /' /tmp/alerts
echo "GUEST uptime $(cut -d' ' -f1 /proc/uptime) done"
poweroff -f
