#!/usr/bin/env python3
"""What `lyceum plugin new` writes, with an installed Lyceum in an empty folder: both kinds build without a warning, pass their tests, run and
answer from the command line; a test that is broken fails. Arguments: the source folder, the build folder."""
import glob, os, re, shutil, signal, subprocess, sys, tempfile
sys.dont_write_bytecode = True
import console


def run(words, env, folder, is_wrong=False):
    done = subprocess.run(words, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    if (done.returncode != 0) != is_wrong:
        sys.exit('%s\nended with %d in %s:\n%s' % (' '.join(words), done.returncode, folder, done.stdout))
    return done.stdout


def expect(printed, text):
    if text not in printed:
        sys.exit('"%s" is not in\n%s' % (text, printed))


def check_names(env, folder):
    expect(run(['lyceum', 'plugin', 'new', 'Not-Good'], env, folder, True), "'Not-Good' cannot be one")
    expect(run(['lyceum', 'plugin', 'new', '9lives'], env, folder, True), 'a letter first')
    expect(run(['lyceum', 'plugin', 'new', 'status'], env, folder, True), '`lyceum status` is a command already')
    expect(run(['lyceum', 'plugin', 'run'], env, folder, True), 'this folder has no meson.build')
    assert os.listdir(folder) == [], os.listdir(folder)


def check_run(env, folder, calls):
    """`lyceum plugin run` says how to call it; Ctrl-C ends all and leaves nothing."""
    it = subprocess.Popen(['lyceum', 'plugin', 'run'], env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          start_new_session=True)
    try:
        config = None
        for line in it.stdout:
            config = config or re.search(r'LYCEUM_CONFIG=(\S+)', line)
            if 'lyceum' in line and '--help' in line:
                break
        for words, wanted in calls:
            for _ in range(100):
                done = subprocess.run(['lyceum'] + words, env=dict(env, LYCEUM_CONFIG=config.group(1)), stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, timeout=30)
                if done.returncode == 0:
                    break
            expect(done.stdout, wanted)
        it.send_signal(signal.SIGINT)
        assert it.wait(20) == 0, it.returncode
        assert not os.path.exists(os.path.dirname(config.group(1)))
    finally:
        if it.poll() is None:
            os.killpg(it.pid, signal.SIGKILL)


def check_kind(env, folder, name, options, calls):
    run(['lyceum', 'plugin', 'new', name] + options, env, folder)
    expect(run(['lyceum', 'plugin', 'new', name] + options, env, folder, True), 'cannot be made')
    place = os.path.join(folder, name)
    expect(run(['lyceum', 'plugin', 'test'], env, place), 'stands what every plugin should')
    check_run(env, place, calls)
    # The contract as it was, and then one that breaks it.
    shutil.copy(os.path.join(place, 'build', name + '.fds'), os.path.join(place, 'older.fds'))
    run(['lyceum', 'plugin', 'test', '--against', 'older.fds'], env, place)


def main():
    build = os.path.abspath(sys.argv[2])
    for tool in ('protoc-c', 'pkg-config', 'cc', 'meson'):
        if not shutil.which(tool):
            print('skipped: there is no ' + tool)
            sys.exit(77)
    folder = tempfile.mkdtemp(prefix='lyceum-new-', dir='/tmp')
    try:
        root, work = os.path.join(folder, 'root'), os.path.join(folder, 'work')
        os.mkdir(work)
        subprocess.run(['meson', 'install', '-C', build, '--no-rebuild', '--quiet'], env=dict(os.environ, DESTDIR=root), check=True,
                       stdout=subprocess.DEVNULL)
        config, = glob.glob(root + '/**/lyceum.pc', recursive=True)
        command, = glob.glob(root + '/**/bin/lyceum', recursive=True)
        libs = os.path.dirname(os.path.dirname(config))
        env = dict(os.environ, PATH=os.path.dirname(command) + ':' + os.environ['PATH'], PKG_CONFIG_PATH=os.path.dirname(config),
                   PKG_CONFIG_SYSROOT_DIR=root, LD_LIBRARY_PATH=libs, HOME=work, NO_COLOR='1', TERM='dumb', MESON_TESTTHREADS='1')
        check_names(env, work)
        check_kind(env, work, 'letters', [], [(['letters', 'count', 'Ann, 42'], '3 letters.')])
        check_kind(env, work, 'notes2', ['--with-records'],
                   [(['notes2', 'put', 'first', 'what a day'], 'first is kept.'), (['notes2', 'list'], 'what a day')])
        # Red where something is wrong: the code, and the contract.
        place = os.path.join(work, 'letters')
        source = os.path.join(place, 'letters.c')
        good = open(source).read()
        open(source, 'w').write(good.replace('isalpha(', '!isalpha('))
        expect(run(['lyceum', 'plugin', 'test'], env, place, True), 'a test of the plugin "letters" fails')
        open(source, 'w').write(good)
        contract = os.path.join(place, 'letters.proto')
        text = open(contract).read()
        open(contract, 'w').write(text.replace('  // Counts the letters of a text.\n', ''))
        expect(run(['lyceum', 'plugin', 'test'], env, place, True), 'letters.v1.Letters/Count has no comment')
        open(contract, 'w').write(text.replace('string text = 1', 'string text = 2'))
        expect(run(['lyceum', 'plugin', 'test', '--against', 'older.fds'], env, place, True), 'FIELD_')
        print('both kinds build, pass, run and answer')
    finally:
        console.remove(folder)


main()
