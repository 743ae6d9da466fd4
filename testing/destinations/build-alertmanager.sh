#!/bin/bash
# Builds a real Alertmanager for the tests that want one, into ${LANNER_PEERS:-~/.cache/lanner/peers}.
# Needs Go. Its user interface is not part of the module: an empty page stands in for it.
set -euo pipefail
version=${1:-v0.35.0}
peers=${LANNER_PEERS:-$HOME/.cache/lanner/peers}
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
module=$(cd / && GOFLAGS=-mod=mod go mod download -json "github.com/prometheus/alertmanager@$version" |
  sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
cp -r "$module/." "$source"
chmod -R u+w "$source"
mkdir -p "$source/ui/app/dist" "$peers"
echo '<html></html>' >"$source/ui/app/dist/index.html"
cd "$source"
GOFLAGS="-buildvcs=false -p=${JOBS:-1}" go build -o "$peers/alertmanager" ./cmd/alertmanager
echo "$peers/alertmanager"
