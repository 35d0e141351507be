#!/usr/bin/env bash
# Given a machine with nothing running, when the story is played without a terminal, it ends well; when it is played on a terminal, it stays up, and
# the five commands that it prints work from any folder; a second run and a busy port get one sentence.
set -euo pipefail
top=$1 build=$2
folder=$(mktemp -d /tmp/lyceum-story.XXXXXX)
pid=""
finish() {
  if [ -n "$pid" ]; then press_ctrl_c; fi
  rm -rf "$folder"
}
# What a person would do; the story then stops its daemons and ends.
press_ctrl_c() {
  printf '\003' >&7
  wait "$pid" || true
  exec 7>&-
  pid=""
}
trap finish EXIT
fail() { echo "FAILED: $*" >&2; [ ! -s "$folder/terminal" ] || tail -n 30 "$folder/terminal" >&2; exit 1; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

port=$(free_port)
"$top/sample/story" "$build" --port "$port" --folder "$folder/run" </dev/null >"$folder/story" 2>&1 || { cat "$folder/story"; fail "the story did not end well"; }
grep -q 'newcomer appears everywhere' "$folder/story" || fail "the story did not come to its end"
newcomer=$(grep -o 'Newcomer [A-Z][a-z]*' "$folder/story" | head -n 1)
[ -n "$newcomer" ] || fail "nobody was added"
is_answering() { "$build/tools/lyceum/lyceum" --config "$folder/run/$1.yaml" status >/dev/null 2>&1; }
for node in hub nhsa medcity wales; do if is_answering "$node"; then fail "$node was left behind"; fi; done
echo "without a terminal: the story ends with status 0"

python3 -c 'import socket, sys, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(); time.sleep(20)' "$port" &
blocker=$!
for _ in $(seq 200); do if (exec 8<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi; sleep 0.02; done
code=0
"$top/sample/story" "$build" --port "$port" --folder "$folder/run" </dev/null >"$folder/busy" 2>&1 || code=$?
kill "$blocker"; wait "$blocker" 2>/dev/null || true
[ "$code" -ne 0 ] && [ "$(wc -l <"$folder/busy")" -eq 1 ] && grep -q "port $port is in use" "$folder/busy" || fail "a busy port: $(cat "$folder/busy")"
echo "a busy port: $(cat "$folder/busy")"

mkfifo "$folder/keyboard"
script -qfec "'$top/sample/story' '$build' --port $port --folder '$folder/run'" /dev/null <"$folder/keyboard" >"$folder/terminal" 2>&1 &
pid=$!
exec 7>"$folder/keyboard"
for _ in $(seq 1200); do
  if grep -q 'Ctrl-C ends it' "$folder/terminal"; then break; fi
  kill -0 "$pid" 2>/dev/null || fail "the story ended on a terminal"
  sleep 0.05
done
grep -q 'Ctrl-C ends it' "$folder/terminal" || fail "the story did not come to its end on a terminal"
code=0
"$top/sample/story" "$build" --port "$port" --folder "$folder/run" </dev/null >"$folder/second" 2>&1 || code=$?
[ "$code" -ne 0 ] && [ "$(wc -l <"$folder/second")" -eq 1 ] && grep -q 'running already' "$folder/second" || fail "a second run: $(cat "$folder/second")"
echo "a second run: $(cat "$folder/second")"

tr -d '\r' <"$folder/terminal" | sed -n "s#^  \($folder/run/.*\)#\1#p" >"$folder/commands"
[ "$(wc -l <"$folder/commands")" -eq 5 ] || fail "there are not five commands: $(cat "$folder/commands")"
cd /
while IFS= read -r command; do
  bash -c "$command" >"$folder/output" 2>&1 </dev/null || { cat "$folder/output"; fail "$command"; }
  [ "$(wc -c <"$folder/output")" -gt 20 ] || fail "no output: $command"
  echo "works: $command"
done <"$folder/commands"

press_ctrl_c
for node in hub nhsa medcity wales; do if is_answering "$node"; then fail "$node was left behind after Ctrl-C"; fi; done
echo "Ctrl-C: everything has ended"
