#!/bin/sh
# Installs Lanner on a machine with systemd, or a newer one over it:
#   install.sh [--root DIR] [--remove]
# It lies in the archive lanner-VERSION-ARCH.tar.gz beside what it installs. Nothing is downloaded.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=
remove=
while [ $# -gt 0 ]; do
	case $1 in
	--root) root=${2:?--root needs a directory} && shift 2 ;;
	--remove) remove=yes && shift ;;
	*) echo "usage: install.sh [--root DIR] [--remove]" >&2 && exit 2 ;;
	esac
done
ctl() { [ -n "$root" ] || systemctl "$@"; }

if [ -n "$remove" ]; then
	ctl disable --now lanner.service || true
	rm -rf "$root/opt/lanner" "$root/etc/systemd/system/lanner.service"
	ctl daemon-reload
	echo "left, remove them if you like: $root/etc/lanner (configuration), $root/var/lib/lanner (batches not shipped)"
	exit 0
fi
[ "$(id -u)" = 0 ] || { echo "install.sh: needs root" >&2 && exit 1; }
# whole before it takes the old one's place, which may be running
rm -rf "$root/opt/lanner.new"
mkdir -p "$root/opt/lanner.new" "$root/etc/lanner" "$root/etc/systemd/system" "$root/var/lib/lanner"
cp -R "$here/lanner/." "$root/opt/lanner.new/"
chmod 755 "$root/opt/lanner.new" "$root/etc/lanner"
if ! "$root/opt/lanner.new/lanner-sensor" --probe; then
	echo "install.sh: this machine cannot run it, see above; nothing was changed" >&2
	rm -rf "$root/opt/lanner.new"
	exit 1
fi
rm -rf "$root/opt/lanner.old"
[ ! -e "$root/opt/lanner" ] || mv "$root/opt/lanner" "$root/opt/lanner.old"
mv "$root/opt/lanner.new" "$root/opt/lanner"
rm -rf "$root/opt/lanner.old"
cp "$here/lanner.service" "$root/etc/systemd/system/lanner.service"
if [ ! -e "$root/etc/lanner/agent.yaml" ]; then
	cp "$here/agent.yaml" "$root/etc/lanner/agent.yaml"
	echo "edit $root/etc/lanner/agent.yaml, then: systemctl enable --now lanner"
fi
ctl daemon-reload
ctl try-restart lanner.service
