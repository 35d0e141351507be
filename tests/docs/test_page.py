#!/usr/bin/env python3
"""A page that begins in an empty folder with an installed Lyceum: its files are written, its commands run. Arguments: the source folder, the
build folder, the page."""
import glob, os, shutil, socket, subprocess, sys, tempfile
sys.dont_write_bytecode = True
import console

SETUP = '''
export PATH=%(installed)s/bin:$PATH PKG_CONFIG_PATH=%(config)s PKG_CONFIG_SYSROOT_DIR=%(root)s LD_LIBRARY_PATH=%(libs)s
'''


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])


def main():
    source, build = map(os.path.abspath, sys.argv[1:3])
    page = os.path.join(source, sys.argv[3])
    for tool in ('protoc-c', 'pkg-config', 'cc', 'meson'):
        if not shutil.which(tool):
            print('skipped: there is no ' + tool)
            sys.exit(77)
    folder = tempfile.mkdtemp(prefix='lyceum-page-', dir='/tmp')
    shell = None
    try:
        root, work = os.path.join(folder, 'root'), os.path.join(folder, 'work')
        os.mkdir(work)
        subprocess.run(['meson', 'install', '-C', build, '--no-rebuild', '--quiet'], env=dict(os.environ, DESTDIR=root), check=True,
                       stdout=subprocess.DEVNULL)
        config, = glob.glob(root + '/**/lyceum.pc', recursive=True)
        command, = glob.glob(root + '/**/bin/lyceum', recursive=True)
        shell = console.Shell(work, SETUP % dict(installed=os.path.dirname(os.path.dirname(command)), root=root,
                                                config=os.path.dirname(config), libs=os.path.dirname(os.path.dirname(config))))
        plugins = glob.glob(root + '/**/lyceum/plugins', recursive=True)[0]
        count = console.run_page(page, work, shell, [('@PLUGINS@', plugins), ('7700', free_port()), ('7701', free_port())])
        assert count >= 5, 'the page has no commands to run'
        print('%d commands did what %s says' % (count, sys.argv[3]))
    finally:
        if shell:
            shell.close()
        console.remove(folder)


main()
