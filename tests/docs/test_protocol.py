#!/usr/bin/env python3
"""The definitions in docs/protocol.md are those of proto/, and its Python client, with only these, works with a real daemon that ends and comes back. Arguments: the source folder, the build folder."""
import os, re, signal, socket, subprocess, sys, tempfile, threading, time
sys.dont_write_bytecode = True
import console

try:
    import zmq  # noqa: F401
    from google.protobuf import descriptor_pb2
except ImportError as missing:
    print('skipped: %s; install python3-zmq and python3-protobuf' % missing)
    sys.exit(77)

SOURCE, BUILD = map(os.path.abspath, sys.argv[1:3])
PAGE = os.path.join(SOURCE, 'docs/protocol.md')
ECHO = 'lyceum/echo/v1/echo.proto'
CORE = ['lyceum/v1/%s.proto' % name for name in ('wire', 'record', 'label', 'status')]


def protoc(root, out, *arguments):
    subprocess.run(['protoc', '-I', root, *arguments], cwd=out, check=True)


def shapes(path):
    """Of each message and enum: its fields' or values' names, numbers and types."""
    found = {}

    def add(prefix, messages, enums):
        for one in enums:
            found[prefix + one.name] = sorted((value.name, value.number) for value in one.value)
        for one in messages:
            found[prefix + one.name] = sorted((f.name, f.number, f.type, f.label, f.type_name) for f in one.field)
            add(prefix + one.name + '.', one.nested_type, one.enum_type)

    for proto in descriptor_pb2.FileDescriptorSet.FromString(open(path, 'rb').read()).file:
        if proto.package.startswith('lyceum.'):
            add(proto.package + '.', proto.message_type, proto.enum_type)
    return found


def definitions(blocks):
    """The page's files: all blocks together are lyceum.proto, but for those that name theirs in the first line."""
    files = {'lyceum.proto': []}
    for kind, _, lines in blocks:
        named = kind == 'proto' and re.match(r'// file: (\S+)', lines[0])
        if kind == 'proto':
            files.setdefault(named.group(1) if named else 'lyceum.proto', []).extend(lines)
    return {name: '\n'.join(lines) + '\n' for name, lines in files.items()}


def check_definitions(folder, blocks):
    for name, text in definitions(blocks).items():
        open(os.path.join(folder, name), 'w').write(text)
    protoc(folder, folder, '--descriptor_set_out=page.fds', 'lyceum.proto', 'echo.proto')
    protoc(os.path.join(SOURCE, 'proto'), folder, '--include_imports', '--descriptor_set_out=tree.fds', *CORE, ECHO)
    page, tree = shapes(os.path.join(folder, 'page.fds')), shapes(os.path.join(folder, 'tree.fds'))
    own = subprocess.run(['sed', '-nE', 's/^(message|enum) (\\w+) .*/\\2/p'] + [os.path.join(SOURCE, 'proto', path) for path in CORE],
                         capture_output=True, text=True, check=True).stdout.split()
    assert len(own) > 25, own
    for name in own:
        if page.get('lyceum.v1.' + name) != tree['lyceum.v1.' + name]:
            sys.exit('docs/protocol.md: %s is\n%s\nin proto/ it is\n%s' % (name, page.get('lyceum.v1.' + name), tree['lyceum.v1.' + name]))
    for name in page:
        if page[name] != tree.get(name):
            sys.exit('docs/protocol.md has %s, which is not so in proto/' % name)
    print('%d definitions are those of proto/' % len(page))


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wait_for(condition, what, seconds=20):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            sys.exit('%s in %d seconds' % (what, seconds))
        time.sleep(0.02)


class Daemon:
    """A real one, outside of the client's folder."""

    def __init__(self, folder, yaml):
        self.folder, self.lives = folder, 0
        open(os.path.join(folder, 'demo.yaml'), 'w').write(yaml)
        self.start()

    def log(self):
        return open(os.path.join(self.folder, 'log')).read()

    def start(self):
        self.lives += 1
        with open(os.path.join(self.folder, 'log'), 'a') as log:
            self.process = subprocess.Popen([BUILD + '/broker/lyceumd', '--config', 'demo.yaml'], cwd=self.folder, stderr=log)
        wait_for(lambda: self.log().count('plugin running') == self.lives, 'the daemon did not come up')

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait(20)


def follow(stream, printed):
    for line in stream:
        printed.append(line)


def run_client(work, folder, blocks):
    """In a folder that has only what the page has, and what protoc makes of it."""
    kinds = {}
    for kind, _, lines in blocks:
        kinds.setdefault(kind, []).append('\n'.join(lines) + '\n')
    (client,), (yaml,), expected = kinds['python'], kinds['yaml'], kinds['text'][-1]
    assert len(client.split('\n')) <= 151, 'the client has more than 150 lines'
    for name, text in dict(definitions(blocks), **{'client.py': client}).items():
        open(os.path.join(work, name), 'w').write(text)
    # As the page says it; -I and PYTHONPATH lead nowhere else.
    command, = [line.strip() for line in open(PAGE) if line.startswith('    protoc ')]
    subprocess.run(command.split(), cwd=work, check=True)
    port = str(free_port())
    daemon = Daemon(folder, yaml.replace(':7700', ':' + port).replace('- name: echo', '- name: echo\n    path: %s/plugins/echo/echo.so' % BUILD))
    ran = subprocess.Popen([sys.executable, '-s', 'client.py', 'tcp://127.0.0.1:' + port], cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, env={'PATH': os.environ['PATH'], 'HOME': work})
    printed = []
    reader = threading.Thread(target=follow, args=(ran.stdout, printed))
    reader.start()
    try:
        for life, number in enumerate((signal.SIGTERM, signal.SIGKILL), 1):
            wait_for(lambda: ''.join(printed).count('waiting') == life or ran.poll() is not None, 'the client did not go on')
            daemon.end(number)
            daemon.start()
        ran.wait(40)
        reader.join(5)
        if ''.join(printed) != expected:
            sys.exit('the client printed\n%s\nwhere the page has\n%s' % (''.join(printed), expected))
        print('the client of docs/protocol.md did what the page says, over %d lives of the daemon' % daemon.lives)
    finally:
        ran.kill()
        daemon.end(signal.SIGTERM)


def main():
    folder = tempfile.mkdtemp(prefix='lyceum-protocol-', dir='/tmp')
    try:
        blocks = list(console.blocks(open(PAGE).read()))
        check_definitions(folder, blocks)
        work, daemon = os.path.join(folder, 'work'), os.path.join(folder, 'daemon')
        os.mkdir(work)
        os.mkdir(daemon)
        run_client(work, daemon, blocks)
    finally:
        console.remove(folder)


main()
