#!/usr/bin/env bash
# Runs a test of the page. `run.sh texts SOURCE BUILD` needs node only. `run.sh browser SOURCE BUILD` needs Chromium, fetches playwright-core and axe-core
# with npm into the build folder (once), starts a hub and two nodes with sample data, and hands over to test_page.mjs. Skips where a program is missing.
set -euo pipefail
kind=$1 top=$(cd "$2" && pwd) build=$(cd "$3" && pwd)
here=$top/tests/page
need() {
  command -v "$1" >/dev/null || { echo "skipped: there is no $1 here; ./dev test installs it"; exit 77; }
}
need node
if [ "$kind" = texts ]; then exec node "$here/test_texts.mjs" "$top"; fi
