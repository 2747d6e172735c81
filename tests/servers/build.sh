#!/usr/bin/env bash
# Build the servers that the integration tests start and Debian does not have, into a cache outside
# the checkout: InfluxDB 2.7, InfluxDB 1.13 and its influx_inspect, Telegraf 1.39, and the S3 server
# versitygw 1.8.
# Needs Go 1.26, Rust and gcc. The first time takes about 20 minutes on two cores, then nothing.
# usage: tests/servers/build.sh
# The binaries are then $HOMEIOT_SERVERS/{influxd2,influxd113,influx_inspect,telegraf,versitygw}.
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

# only the plugins that collect/ uses, and output to a file for the tests. All of them need modules
# that are hard to get
PLUGINS=custom,inputs.mqtt_consumer,outputs.file,outputs.health,outputs.influxdb
PLUGINS=$PLUGINS,outputs.influxdb_v2,parsers.value,parsers.xpath,processors.starlark
PLUGINS=$PLUGINS,secretstores.docker,serializers.influx

build_telegraf() { # version
  [ -x "$cache/telegraf" ] && return
  echo "building telegraf ($1)"
  GOBIN=$cache/src-telegraf go install -tags "$PLUGINS" \
    "github.com/influxdata/telegraf/cmd/telegraf@$1"
  mv "$cache/src-telegraf/telegraf" "$cache/telegraf"
}

build_versitygw() { # version
  [ -x "$cache/versitygw" ] && return
  echo "building versitygw ($1)"
  GOBIN=$cache/src-versitygw go install "github.com/versity/versitygw/cmd/versitygw@$1"
  mv "$cache/src-versitygw/versitygw" "$cache/versitygw"
}

build influxd2 github.com/influxdata/influxdb/v2 v2.7.12 cmd/influxd v0.2.14
build influxd113 github.com/influxdata/influxdb v1.13.2 cmd/influxd v0.3.0
build influx_inspect github.com/influxdata/influxdb v1.13.2 cmd/influx_inspect v0.3.0
build_telegraf v1.39.0
build_versitygw v1.8.0
echo "servers: $cache"
