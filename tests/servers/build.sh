#!/usr/bin/env bash
# Build the servers that the integration tests start and Debian does not have, into a cache outside
# the checkout: InfluxDB 2.7, InfluxDB 1.13 and its influx_inspect.
# Needs Go 1.26, Rust and gcc. The first time takes about 20 minutes on two cores, then nothing.
# usage: tests/servers/build.sh
# The binaries are then $HOMEIOT_SERVERS/{influxd2,influxd113,influx_inspect}.
set -euo pipefail
cache=${HOMEIOT_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/homeiot-servers}
mkdir -p "$cache"

build() { # binary, module of influxdb, version, package in it, version of its pkg-config wrapper
  local binary=$1 module=$2 version=$3 package=$4 wrapper=$5 dir=$cache/src-$1
  [ -x "$cache/$binary" ] && return
  echo "building $binary ($module@$version)"
  mkdir -p "$dir"
  cd "$dir"
  [ -f go.mod ] || printf 'module servers\n\ngo 1.26\n' >go.mod
  go get -tool "$module/$package@$version"
  GOBIN=$dir/bin go install "github.com/influxdata/pkg-config@$wrapper"
  # flux denies lints that newer compilers added, and pins a toolchain that need not be installed
  printf '#!/bin/sh\nexec "$@" --cap-lints warn\n' >rustc-quiet
  chmod +x rustc-quiet
  PKG_CONFIG=$dir/bin/pkg-config RUSTC_WRAPPER=$dir/rustc-quiet RUSTUP_TOOLCHAIN=stable \
    go build -o "$cache/$binary.part" "$module/$package"
  mv "$cache/$binary.part" "$cache/$binary"
}

build influxd2 github.com/influxdata/influxdb/v2 v2.7.12 cmd/influxd v0.2.14
build influxd113 github.com/influxdata/influxdb v1.13.2 cmd/influxd v0.3.0
build influx_inspect github.com/influxdata/influxdb v1.13.2 cmd/influx_inspect v0.3.0
echo "servers: $cache"
