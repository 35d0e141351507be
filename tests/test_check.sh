#!/usr/bin/env bash
# What fails within a row must fail the row, whatever succeeds behind it. Argument: the script `check`.
set -euo pipefail
check=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; cat "$work/said" >&2; exit 1; }

mkdir -p "$work/include/lyceum"
echo 'struct unknown a;' >"$work/include/lyceum/a.h"
echo 'struct known { int b; };' >"$work/include/lyceum/b.h"
"$check" "$work" headers >"$work/said" 2>&1 && fail "a header that does not compile is let pass"
grep -q '^public headers alone .* FAILED, see ' "$work/said" || fail "the row does not say that it failed"
rm "$work/include/lyceum/a.h"
"$check" "$work" headers >"$work/said" 2>&1 || fail "a good header is refused"
grep -Eq '^public headers alone +[0-9]+ s  ok$' "$work/said" || fail "the row does not say that it went well"
exit 0
