#!/usr/bin/env bash
# Builds what is not JavaScript: the sensor, its BPF object and the agent's addon, and the agent's
# bundle. Installs the tools for it when it may; otherwise says what to install and goes on, as
# everything but live detection works without. Quiet when there is nothing to do.
set -u
cd "$(dirname "$0")/.." || exit 1
packages="clang gcc make libc6-dev linux-libc-dev libbpf-dev libelf-dev zlib1g-dev"

say() { echo "lanner: $*" >&2; }

have_tools() {
	for tool in clang gcc make; do
		command -v "$tool" >/dev/null || return 1
	done
	echo '#include <bpf/libbpf.h>
#include <gelf.h>
#include <zlib.h>' | gcc -E -x c - >/dev/null 2>&1
}

install_tools() {
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
	grep -qiE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release || return 1
	say "installing $packages (apt-get)"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086 # one word a package
	{ apt-get install -y --no-install-recommends $packages ||
		{ apt-get update && apt-get install -y --no-install-recommends $packages; }; } \
		>build/apt.log 2>&1 || { say "apt-get failed, see build/apt.log"; return 1; }
}

mkdir -p build || exit 1
if [ "$(uname -s)" != Linux ]; then
	say "live detection needs Linux; running on the recorded trace"
elif have_tools || { install_tools && have_tools; }; then
	for part in collector/sensor cli/simulations; do
		make -s -C $part OUT="$PWD/build" >build/make.log 2>&1 ||
			{ say "building $part failed:"; tail -20 build/make.log >&2; }
	done
else
	say "live detection needs a few tools. On Debian or Ubuntu, as root:"
	say "    apt-get install $packages"
	say "going on without; everything else works"
fi
node_modules/node/bin/node --disable-warning=ExperimentalWarning cli/bundle.ts
