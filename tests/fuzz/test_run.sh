#!/usr/bin/env bash
# A target that crashes must not pass unnoticed: its input and what it said are kept, the other targets still run, the end is 1.
# Argument: the script `run`.
set -euo pipefail
run=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; cat "$work/said" >&2; exit 1; }

# A target that crashes as libFuzzer does: writes the input behind the prefix, says so, ends with 77.
cat >"$work/fuzz_a" <<'END'
#!/bin/sh
for argument; do case $argument in -artifact_prefix=*) echo bad >"${argument#*=}crash-1" ;; esac; done
echo 'SUMMARY: libFuzzer: deadly signal'
exit 77
END
printf '#!/bin/sh\necho stat::number_of_executed_units: 12\n' >"$work/fuzz_b"
chmod +x "$work"/fuzz_*

"$run" "$work" 1 >"$work/said" 2>&1 && fail "a crash ended with 0"
[ "$(cat "$work/crashes/fuzz_a-crash-1")" = bad ] || fail "the input is not kept"
grep -q 'deadly signal' "$work/crashes/fuzz_a.log" || fail "what the target said is not kept"
grep -q 'number_of_executed_units: 12' "$work/said" || fail "the target behind the crash did not run"

rm "$work/fuzz_a"
"$run" "$work" 1 >"$work/said" 2>&1 || fail "a good run did not end with 0"
rm "$work/fuzz_b"
"$run" "$work" 1 >"$work/said" 2>&1 && fail "nothing at all ended with 0"
exit 0
