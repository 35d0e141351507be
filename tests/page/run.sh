#!/usr/bin/env bash
# Runs a test of the page. `run.sh texts SOURCE BUILD` needs node only. `run.sh browser SOURCE BUILD` needs Chromium and aiosmtpd, fetches playwright-core and axe-core
# with npm into the build folder (once), starts a hub and two nodes with sample data, and hands over to test_page.mjs. Skips where a program is missing. PAGE_KEEP=1 leaves the network's folder behind.
set -euo pipefail
kind=$1 top=$(cd "$2" && pwd) build=$(cd "$3" && pwd)
here=$top/tests/page
need() {
  command -v "$1" >/dev/null || { echo "skipped: there is no $1 here; ./dev test installs it"; exit 77; }
}
need node
if [ "$kind" = texts ]; then exec node "$here/test_texts.mjs" "$top"; fi
need npm
chromium=$(command -v chromium || command -v chromium-browser || true)
[ -n "$chromium" ] || { echo "skipped: there is no chromium here; ./dev test installs it"; exit 77; }

out=$build/tests/page
modules=$out/modules
mkdir -p "$modules"
if ! cmp -s "$here/package.json" "$modules/package.json" || [ ! -f "$modules/installed" ]; then
  rm -f "$modules/installed"
  cp "$here/package.json" "$modules/package.json"
  (cd "$modules" && npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error) >"$out/npm.log" 2>&1 ||
    { tail -n 5 "$out/npm.log"; echo "npm could not fetch what tests/page/package.json names; see $out/npm.log"; exit 1; }
  touch "$modules/installed"
fi

run=$(mktemp -d /tmp/lyceum-page.XXXXXX)
free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }
port=$(free_port)
. "$top/sample/network"
nodes="nhsa wales"
plugins="experts ask investment convening http"
declare -A at=([nhsa]=$(free_port) [wales]=$(free_port))
configure_http() { printf 'listen: 127.0.0.1:%s\nlimits:\n  rate_per_address: 2000\n  rate_per_session: 2000\n' "${at[$1]}"; }
configure_convening() {
  printf 'web_address: http://127.0.0.1:%s\nrelay:\n  url: smtp://127.0.0.1:%s\n  from: events@%s.example\n' "${at[$1]}" "$(cat "$run/mail/port")" "$1"
}
mkdir "$run/mail"
/usr/bin/python3 "$here/relay.py" "$run/mail" &
relay=$!
trap 'network_stop; kill "$relay" 2>/dev/null || true; if [ -z "${PAGE_KEEP:-}" ]; then rm -rf "$run"; fi' EXIT
fail() { echo "FAILED: $*"; for log in "$run"/*.log; do echo "== $log"; tail -n 5 "$log"; done; exit 1; }
# until_ok SECONDS COMMAND ...: until it succeeds.
until_ok() {
  local ends=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $ends ] || fail "in vain: $*"; sleep 0.05; done
}

until_ok 10 test -f "$run/mail/port"
network_make
for node in hub $nodes; do daemon_start "$node" || fail "$node did not start"; done
for node in $nodes; do until_ok 20 lyceum "$node" experts list --limit 1; done
lyceum nhsa experts import "$top/sample/experts/north-west.csv" >/dev/null
lyceum wales experts import "$top/sample/experts/wales.csv" >/dev/null

day=$(date -d '+30 days' +%Y-%m-%d)
if has_plugin convening; then
  until_ok 20 lyceum nhsa event list
  lyceum nhsa event create "Seminar on cell therapy manufacturing" --start "${day}T10:00" --minutes 90 --zone Europe/London --place "Assembly Rooms, Manchester" \
    --cap 40 --topic "cell therapy" --description "Who can make what, where, and from when on." >/dev/null
fi
if has_plugin investment; then
  until_ok 20 lyceum nhsa invest list
  until_ok 20 lyceum wales invest list
  lyceum nhsa invest add-investor "Harbour Lane Angels" --ticket-min 100000 --ticket-max 1000000 --stage seed --sector therapeutics --certification sophisticated \
    --certified-until "$(date -d '+1 year' +%Y-%m-%d)T00:00:00Z" --contact desk@harbour-lane.example >/dev/null
  lyceum wales invest add-venture "Ceirios Therapeutics" --stage seed --sector therapeutics --region Wales --ask-min 250000 --ask-max 500000 --instrument equity \
    --contact post@ceirios.example --summary "Potency assays for cell therapies." >/dev/null
fi
holds() { [ "$(lyceum "$1" experts list --limit 1 --json | jq -r .total)" = 200 ]; }
for node in $nodes; do until_ok 30 holds "$node"; done
until_ok 20 lyceum nhsa user list
until_ok 20 lyceum wales user list
PAGE_LINK_NHSA=$(lyceum nhsa user invite ann --json | jq -r .link)
PAGE_LINK_WALES=$(lyceum wales user invite bleddyn --language cy --json | jq -r .link)
export PAGE_LINK_NHSA PAGE_LINK_WALES PAGE_DAY=$day PAGE_HUB=${pids[hub]} PAGE_MAIL=$run/mail PAGE_MODULES=$modules PAGE_SHOTS=$out/shots PAGE_CHROMIUM=$chromium
node "$here/test_page.mjs" || fail "see above, and the screenshots in $out/shots"
