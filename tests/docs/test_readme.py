#!/usr/bin/env python3
"""README.md's commands against the sample network. Arguments: the source folder, the build folder."""
import os, re, socket, sys, tempfile
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
  for ((i = 0; i < 200; i++)); do lyceum $node experts list --limit 1 --json >/dev/null 2>&1 && break; sleep 0.05; done
  for region in ${regions[$node]}; do
    lyceum $node experts import %(source)s/sample/experts/$region.csv --refused %(run)s/$region.refused.csv >/dev/null &
    imports="$imports $!"
  done
done
for import in $imports; do wait $import; done
for node in $nodes; do
  for ((i = 0; i < 400; i++)); do lyceum $node experts list --limit 1 --json | grep -Eq '"total": ?"?800\b' && break; sleep 0.05; done
  [ $i -lt 400 ] || { echo "$node does not hold 800 experts" >&2; exit 1; }
done
for node in $nodes; do
  for kind in ventures investors; do lyceum $node invest import-$kind %(source)s/sample/investment/$node/$kind.csv >/dev/null; done
done
lyceum medcity event create "Seminar on cell therapy manufacturing" --start $(date -d '+20 days' +%%F)T10:00 --minutes 90 --json >/dev/null
for ((i = 0; i < 400; i++)); do lyceum nhsa event list --json | grep -q Seminar && [ "$(lyceum nhsa invest market --json | jq '.ventures + .investors')" = 82 ] && break; sleep 0.05; done
[ $i -lt 400 ] || { echo "nhsa was not told of the event, or of all ventures and investors" >&2; exit 1; }
set +e
unset -f lyceum
'''


def check_sums(path):
    """The parts that are printed below a hit sum to its score. Returns how many hits the page has whole."""
    hits = []
    for kind, first, lines in console.blocks(open(path).read()):
        is_list = False
        for number, line in enumerate(lines, first):
            if kind != 'console' or line.startswith('$ '):
                is_list = False
            elif re.match(r'NAME\s.*\sSCORE$', line):
                is_list = True
            elif is_list and re.match(r'\S.*\s\d+$', line):
                hits.append([number, int(line.split()[-1]), []])
            elif is_list and hits and re.match(r'\s+\d+\s', line):
                hits[-1][2].append(int(line.split()[0]))
            elif line.strip() == '...' and is_list and hits:
                hits.pop()
    for number, score, parts in hits:
        assert sum(parts) == score, '%s:%d: the parts sum to %d, not to %d' % (path, number, sum(parts), score)
    return len(hits)


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
        assert check_sums(os.path.join(source, 'README.md')) >= 2, 'README.md shows no scores'
        print('%d commands did what README.md says' % count)
    finally:
        if shell:
            shell.close()
        console.remove(folder)


main()
