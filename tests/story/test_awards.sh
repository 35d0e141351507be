#!/usr/bin/env bash
# Given the UK's research awards as their publisher lists them, when they are imported at one node, every row goes in or is named with its reason, one
# person per identifier; a second import changes nothing; a refused row that somebody mends goes in. Skipped (77) where the list is not at hand.
set -euo pipefail
top=$1 build=$2
data=${LYCEUM_DATA:-$top/../shared/data}/gtr_uk/dev/awards.tsv.gz
if [ ! -r "$data" ]; then
  echo "skipped: there is no list of awards (LYCEUM_DATA/gtr_uk/dev/awards.tsv.gz)"
  exit 77
fi
run=$(mktemp -d /tmp/lyceum-awards.XXXXXX)
port=1
. "$top/sample/network"
trap 'network_stop; rm -rf "$run"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
is() { [ "$2" = "$3" ] || fail "$1: $2, not $3"; }

mkdir -p "$run/work"
cd "$run/work"
network_make
daemon_start nhsa
for _ in $(seq 200); do if lyceum nhsa experts list --limit 1 >/dev/null 2>&1; then break; fi; sleep 0.05; done

code=0
summary=$(lyceum nhsa experts import "$data" --refused refused.tsv --json) || code=$?
is "exit status when rows were refused" "$code" 1
is "rows read" "$(jq -r '.rows' <<<"$summary")" 9101
is "people added" "$(jq -r '.added' <<<"$summary")" 5436
is "rows refused" "$(($(wc -l <refused.tsv) - 1))" 2294
is "people listed" "$(lyceum nhsa experts list --limit 1 --json | jq -r .total)" 5436
is "rows of the placeholder" "$(grep -c 'Unknown Unknown Unknown' refused.tsv)" 40
echo "9,101 rows: 5,436 people, 2,294 rows refused with their reasons"

code=0
summary=$(lyceum nhsa experts import "$data" --refused refused2.tsv --json) || code=$?
is "added the second time" "$(jq -r '.added + .updated' <<<"$summary")" 0
is "unchanged the second time" "$(jq -r '.unchanged' <<<"$summary")" 5436
echo "a second import changes nothing"

# A person mends one row of the placeholder: a name and an identifier instead.
{ head -n 1 refused.tsv; grep -m 1 'Unknown Unknown Unknown' refused.tsv | sed 's/Unknown Unknown Unknown/Mended Person/'; } >mended.tsv
summary=$(lyceum nhsa experts import mended.tsv --json)
is "mended rows added" "$(jq -r '.added' <<<"$summary")" 1
echo "a mended row goes in"
