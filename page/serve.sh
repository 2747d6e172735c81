#!/bin/sh
# Starts Caddy on the report: sh serve.sh CADDYFILE. Without a password it refuses.
# The password is in no command line, and Caddy gets its hash only.
set -eu

refuse() {
  echo "error: $1" >&2
  exit 1
}

password=${PAGE_PASSWORD:-}
if [ -z "$password" ] && [ -n "${PAGE_PASSWORD_FILE:-}" ]; then
  password=$(cat "$PAGE_PASSWORD_FILE") ||
    refuse "PAGE_PASSWORD_FILE cannot be read; let the user UID of .env read it"
fi
unset PAGE_PASSWORD
[ -n "$password" ] || refuse "the page has no password; write PAGE_PASSWORD=... into .env"
case $password in *"
"*) refuse "the page's password has several lines; give one line" ;; esac
[ ${#password} -ge 8 ] || refuse "the page's password is too short; give at least 8 characters"
[ "$(printf %s "$password" | wc -c)" -le 72 ] ||
  refuse "the page's password is too long; give at most 72 bytes"

# printf is a part of the shell: no other process sees what it prints
PAGE_HASH=$(printf '%s\n' "$password" | caddy hash-password)
export PAGE_HASH
unset password
exec caddy run --adapter caddyfile --config "$1"
