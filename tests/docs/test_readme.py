#!/usr/bin/env python3
"""README.md's commands against the sample network. Arguments: the source folder, the build folder."""
import os, socket, sys, tempfile
sys.dont_write_bytecode = True
import console

SETUP = r'''
build=%(build)s run=%(run)s port=%(port)d
. %(source)s/sample/network
set -e
network_make
for node in hub $nodes; do daemon_start $node; done
imports=
for node in $nodes; do
  files=()
  for region in ${regions[$node]}; do files+=(%(source)s/sample/experts/$region.csv); done
  for ((i = 0; i < 200; i++)); do lyceum $node experts list --limit 1 --json >/dev/null 2>&1 && break; sleep 0.05; done
  lyceum $node experts import "${files[@]}" >/dev/null &
  imports="$imports $!"
done
wait $imports
for node in $nodes; do
  for ((i = 0; i < 200; i++)); do lyceum $node experts list --limit 1 --json | grep -Eq '"total": ?"?800\b' && break; sleep 0.05; done
done
set +e
unset -f lyceum
'''


def main():
    source, build = map(os.path.abspath, sys.argv[1:3])
    folder = tempfile.mkdtemp(prefix='lyceum-readme-', dir='/tmp')
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    shell = None
    try:
        shell = console.Shell(folder, SETUP % dict(build=build, run=folder, port=port, source=source))
        count = console.run_page(os.path.join(source, 'README.md'), folder, shell, [('/tmp/lyceum-$(id -u)', folder)])
        assert count >= 3, 'README.md has no commands to run'
        print('%d commands did what README.md says' % count)
    finally:
        if shell:
            shell.close()
        console.remove(folder)


main()
