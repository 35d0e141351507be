#!/usr/bin/env python3
"""What README.md and bench/RESULTS.md say of speed is what bench/results.json comes to, and nothing is said by hand. Argument: the source folder."""
import os, re, shutil, subprocess, sys, tempfile


def check(source, folder):
    done = subprocess.run([sys.executable, '-B', os.path.join(source, 'bench/report.py'), '--check', folder], capture_output=True, text=True)
    return done.returncode, done.stderr.strip()


def copy_to(source, folder):
    os.mkdir(os.path.join(folder, 'bench'))
    shutil.copy(os.path.join(source, 'README.md'), folder)
    for name in ('RESULTS.md', 'results.json', 'chart.svg', 'flat.svg', 'memory.svg'):
        if os.path.exists(os.path.join(source, 'bench', name)):
            shutil.copy(os.path.join(source, 'bench', name), os.path.join(folder, 'bench'))


def spoil(source, path, old, new):
    """The check sees a figure that was changed by hand."""
    with tempfile.TemporaryDirectory() as folder:
        copy_to(source, folder)
        with open(os.path.join(folder, path)) as file:
            text = file.read()
        with open(os.path.join(folder, path), 'w') as file:
            file.write(text.replace(old, new))
        code, said = check(source, folder)
        if code == 0 or path not in said:
            sys.exit('a change by hand in %s is not seen: %s' % (path, said or 'all is well, it says'))


def main():
    source = os.path.abspath(sys.argv[1])
    code, said = check(source, source)
    if code:
        sys.exit(said)
    with open(os.path.join(source, 'README.md')) as file:
        readme = file.read()
    section = re.search(r'^## How fast\n(.*?)^## ', readme, re.M | re.S)
    by_hand = re.sub(r'<!-- What stands here.*?<!-- Until here\. -->', '', section.group(1), flags=re.S)
    if re.search(r'\d', by_hand):
        sys.exit('README.md, How fast: there is a figure outside the marks: %s' % re.search(r'.*\d.*', by_hand).group(0))
    spoil(source, 'README.md', '<!-- Until here. -->', 'Ten times as fast.\n<!-- Until here. -->')
    spoil(source, 'bench/RESULTS.md', '<!-- What follows is written by `./dev bench --record`. -->\n',
          '<!-- What follows is written by `./dev bench --record`. -->\nTen times as fast.\n')
    print('no figure that the record does not have')


main()
