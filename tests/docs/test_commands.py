#!/usr/bin/env python3
"""Every command that a page names, `lyceum NOUN VERB ... --flag`, exists and takes that flag: a daemon with all plugins that were built is
asked for the help of each. Arguments: the source folder, the build folder."""
import glob, os, re, shlex, subprocess, sys, tempfile, time
sys.dont_write_bytecode = True
import console

# Of every command, before and behind its name.
GLOBAL = {'--config', '--at', '--as', '--json', '--timeout', '--after', '--trace', '--idempotency-key', '--no-color', '--help', '--version'}
# Words of a page that stand for something: `lyceum VERB`, `lyceum NOUN VERB --help`.
STANDS_FOR = re.compile(r'[A-Z]+$|\.\.\.$')


def named_commands(text):
    """Each command on its own: lines of console blocks, whole spans of code."""
    text = re.sub(r'\\\n\s*', ' ', text)
    for line in text.split('\n'):
        if re.match(r'\$ lyceum |lyceum ', line):
            yield line.removeprefix('$ ')
    for span in re.findall(r'(?<!`)`(lyceum [^`\n]+)`(?!`)', text):
        yield span


def words_of(command):
    command = re.split(r'\s+[|<>&;]|\s#', command)[0]
    try:
        words = shlex.split(command)[1:]
    except ValueError:
        words = command.replace("'", '').replace('"', '').split()[1:]
    # Options that stand before the command.
    while words and words[0].startswith('--'):
        words = words[1 if '=' in words[0] else 2:]
    return words


class Daemon:
    def __init__(self, build, folder):
        self.lyceum = os.path.join(build, 'tools/lyceum/lyceum')
        self.config = os.path.join(folder, 'wales.yaml')
        self.plugins = [(os.path.basename(path)[:-3], path) for path in sorted(glob.glob(build + '/plugins/*/*.so'))
                        if os.path.basename(path)[:-3] == os.path.basename(os.path.dirname(path))]
        open(os.path.join(folder, 'http.yaml'), 'w').write('listen: 127.0.0.1:0\n')
        lines = ['name: wales', 'data: data', 'plugins:']
        for name, path in self.plugins:
            lines += ['  - name: ' + name, '    path: ' + path] + (['    config_file: http.yaml'] if name == 'http' else [])
        open(self.config, 'w').write('\n'.join(lines) + '\n')
        self.process = subprocess.Popen([os.path.join(build, 'broker/lyceumd'), self.config], stderr=open(os.path.join(folder, 'log'), 'w'))

    def run(self, *words):
        return subprocess.run([self.lyceum, '--config', self.config, *words], capture_output=True, text=True, timeout=30)

    def wait(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            out = self.run('plugins').stdout
            if len(re.findall(r'\brunning\b', out)) == len(self.plugins):
                return
            time.sleep(0.1)
        sys.exit('the plugins do not all run:\n' + out)


def fault_of(daemon, command, helps):
    words = words_of(command)
    if not words or STANDS_FOR.match(words[0]) or words[0] == '=':
        return None
    name = []
    for word in words[:2]:
        if word.startswith('-') or STANDS_FOR.match(word):
            break
        name.append(word)
    # A command of its own, or else a noun and its verb; `lyceum ask "..."` has no noun.
    for count in (2, 1):
        key = tuple(name[:count])
        if key and key not in helps:
            reply = daemon.run(*key, '--help')
            usage = re.search(r'Usage: lyceum (.*)', reply.stdout)
            helps[key] = reply.stdout if reply.returncode == 0 and usage and usage.group(1).split()[:len(key)] == list(key) else None
        if key and helps[key]:
            break
    else:
        return 'there is no such command'
    for word in words:
        flag = word.split('=')[0]
        if flag.startswith('--') and flag not in GLOBAL and not re.search(re.escape(flag) + r'(?![\w-])', helps[key]):
            return 'it takes no %s' % flag
    return None


def main():
    source, build = map(os.path.abspath, sys.argv[1:3])
    pages = [os.path.join(source, 'README.md')] + sorted(
        path for folders in ('docs', 'docs/decisions', 'plugins/*') for path in glob.glob(os.path.join(source, folders, '*.md')))
    folder = tempfile.mkdtemp(prefix='lyceum-commands-', dir='/tmp')
    daemon, helps, count, faults = Daemon(build, folder), {}, 0, []
    try:
        daemon.wait()
        for page in pages:
            for command in named_commands(open(page).read()):
                # The guestbook is what that page teaches to write.
                if page.endswith('docs/plugins.md') and ' guestbook ' in command:
                    continue
                count += 1
                fault = fault_of(daemon, command, helps)
                if fault:
                    faults.append('%s: `%s`: %s' % (os.path.relpath(page, source), command, fault))
        # The test sees what is wrong.
        assert fault_of(daemon, 'lyceum nothing of-the-kind', helps) and fault_of(daemon, 'lyceum status --nonsense', helps)
    finally:
        daemon.process.terminate()
        daemon.process.wait(20)
        console.remove(folder)
    assert count > 50, 'only %d commands were found' % count
    if faults:
        sys.exit('\n'.join(faults))
    print('%d commands of %d pages exist' % (count, len(pages)))


main()
