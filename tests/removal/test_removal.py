#!/usr/bin/env python3
"""Removes each folder of plugins/ in turn, then all of them, from a copy of the tree: build, tests and command line stay whole.

Arguments: the source folder, the folder to work in; --whole: run after each removal every test that knows of plugins, not the quick
part of them. Left out are then the simulator, the log under cut power, the fuzz corpora and memory that runs out, whose programs are
the same ones without a plugin, and the page in a browser.
The quick part is what a removal can change without changing a program of another test: the tests of the host with the plugins that
are left, those of the command line, and those of the tree."""
import json, os, re, shutil, subprocess, sys, time

LEFT_OUT = {'.git', 'node_modules', '__pycache__'}
QUICK_SUITES = {'lyceum:plugins', 'lyceum:tree'}
NOT_OF_PLUGINS = ('sim', 'durability', 'fuzz', 'memory', 'page')


def run(*words, **more):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode != 0:
        sys.exit('%s\nended with %d:\n%s' % (' '.join(words), done.returncode, done.stdout[-6000:]))
    return done.stdout


def copy_tree(source, tree):
    """The sources, without what was built from them."""
    shutil.rmtree(tree, ignore_errors=True)

    def leave_out(folder, names):
        return [name for name in names if name in LEFT_OUT or os.path.exists(os.path.join(folder, name, 'build.ninja')) or
                (os.path.realpath(folder) == os.path.realpath(source) and name.startswith('build'))]
    shutil.copytree(source, tree, ignore=leave_out, symlinks=True)


def plugins_of(tree):
    folder = os.path.join(tree, 'plugins')
    return sorted(name for name in os.listdir(folder) if os.path.exists(os.path.join(folder, name, 'meson.build')))


class Daemon:
    """A daemon that stands alone, with the plugins that were built."""

    def __init__(self, build, folder, plugins):
        self.build, self.folder = build, folder
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        config = os.path.join(folder, 'node.yaml')
        with open(config, 'w') as file:
            file.write('name: alone\ndata: data\n')
            if plugins:
                file.write('plugins:\n')
            for name in plugins:
                more = ''
                if name == 'http':
                    # Any free port: the usual one may be in use.
                    with open(os.path.join(folder, 'http.yaml'), 'w') as settings:
                        settings.write('listen: 127.0.0.1:0\n')
                    more = ', config_file: http.yaml'
                file.write('  - {name: %s, path: %s%s}\n' % (name, os.path.join(build, 'plugins', name, name + '.so'), more))
        self.log = open(os.path.join(folder, 'log'), 'w')
        self.process = subprocess.Popen([os.path.join(build, 'broker', 'lyceumd'), config], stdout=self.log, stderr=self.log)
        self.lyceum = [os.path.join(build, 'tools', 'lyceum', 'lyceum'), '--config', config]

    def ask(self, *words):
        return subprocess.run(self.lyceum + list(words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)

    def wait(self, plugins):
        """Until all of them run."""
        for _ in range(400):
            done = self.ask('status')
            if done.returncode == 0 and len(re.findall(r'\brunning\b', done.stdout)) >= len(plugins):
                return
            time.sleep(0.05)
        sys.exit('the daemon in %s does not run %s:\n%s' % (self.folder, ', '.join(plugins), done.stdout))

    def stop(self):
        self.process.terminate()
        code = self.process.wait(20)
        self.log.close()
        assert code == 0, 'the daemon ended with %d, see %s/log' % (code, self.folder)


def verbs(build, folder, plugins):
    """What `lyceum --help` offers of plugins, a line each."""
    daemon = Daemon(build, folder, plugins)
    try:
        daemon.wait(plugins)
        help_text = daemon.ask('--help')
        assert help_text.returncode == 0, help_text.stdout
        part = help_text.stdout.split('Verbs of plugins')[1].split('Options of every command')[0]
        return set(line.rstrip() for line in part.split('\n')[1:] if line.strip())
    finally:
        daemon.stop()


def quick_tests(build):
    tests = json.loads(run('meson', 'introspect', '--tests', build))
    names = [test['name'] for test in tests if QUICK_SUITES & set(test['suite']) or test['name'].startswith('cli_')]
    assert len(names) > 10, 'there are few quick tests: %s' % names
    return names


def build_and_test(tree, build, is_whole, is_last):
    run('meson', 'setup', '--reconfigure', build, tree)
    run('nice', 'ninja', '-C', build)
    words = ['meson', 'test', '-C', build, '--no-rebuild', '--print-errorlogs', '--timeout-multiplier', '3', '--no-suite', 'removal']
    if is_whole:
        words += ['--num-processes', str(os.cpu_count() + 1)]
        for suite in NOT_OF_PLUGINS:
            words += ['--no-suite', suite]
    elif is_last:
        words += ['--suite', 'unit', '--suite', 'tree']
    else:
        words += quick_tests(build)
    output = run(*words, env=dict(os.environ, PYTHONDONTWRITEBYTECODE='1'))
    return int(re.search(r'^Ok:\s+(\d+)', output, re.M).group(1))


def main():
    source, work = map(os.path.abspath, sys.argv[1:3])
    is_whole = '--whole' in sys.argv
    tree, build, data = (os.path.join(work, name) for name in ('tree', 'build', 'data'))
    os.makedirs(work, exist_ok=True)
    copy_tree(source, tree)
    shutil.rmtree(build, ignore_errors=True)
    run('meson', 'setup', '-Doptimization=0', '-Ddebug=false', build, tree)
    run('nice', 'ninja', '-C', build)
    names = plugins_of(tree)
    all_verbs = verbs(build, data, names)
    assert all_verbs, 'no plugin has a verb'
    gone = set()
    for name in names:
        aside = os.path.join(work, name)
        shutil.rmtree(aside, ignore_errors=True)
        shutil.move(os.path.join(tree, 'plugins', name), aside)
        rest = [other for other in names if other != name]
        count = build_and_test(tree, build, is_whole, False)
        left = verbs(build, data, rest)
        assert left <= all_verbs, 'without %s other verbs changed:\n%s' % (name, '\n'.join(sorted(left - all_verbs)))
        gone |= all_verbs - left
        print('without %s: built, %d tests passed, its verbs went: %s' % (
            name, count, ', '.join(sorted(line.split()[0] for line in all_verbs - left)) or 'it has none'), flush=True)
        shutil.move(aside, os.path.join(tree, 'plugins', name))
    assert gone == all_verbs, 'verbs that belong to no plugin: %s' % (all_verbs - gone)
    for name in names:
        shutil.rmtree(os.path.join(tree, 'plugins', name))
    count = build_and_test(tree, build, is_whole, True)
    assert not verbs(build, data, [])
    print('without any: built, %d tests passed, no verb is left' % count)
    shutil.rmtree(work)


main()
