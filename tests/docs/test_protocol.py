#!/usr/bin/env python3
"""The definitions in docs/protocol.md are those of proto/, and its Python client works with a real daemon. Arguments: the source folder, the build folder."""
import os, re, subprocess, sys, tempfile, time
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
        if proto.package == 'lyceum.v1':
            add('', proto.message_type, proto.enum_type)
    return found


def check_definitions(folder, blocks):
    text = '\n'.join('\n'.join(lines) for kind, _, lines in blocks if kind == 'proto')
    open(os.path.join(folder, 'page.proto'), 'w').write(text)
    protoc(folder, folder, '--descriptor_set_out=page.fds', 'page.proto')
    protoc(os.path.join(SOURCE, 'proto'), folder, '--include_imports', '--descriptor_set_out=tree.fds', *CORE)
    page, tree = shapes(os.path.join(folder, 'page.fds')), shapes(os.path.join(folder, 'tree.fds'))
    own = subprocess.run(['sed', '-nE', 's/^(message|enum) (\\w+) .*/\\2/p'] + [os.path.join(SOURCE, 'proto', path) for path in CORE],
                         capture_output=True, text=True, check=True).stdout.split()
    assert len(own) > 25, own
    for name in own:
        if page.get(name) != tree[name]:
            sys.exit('docs/protocol.md: %s is\n%s\nin proto/ it is\n%s' % (name, page.get(name), tree[name]))
    for name in page:
        if page[name] != tree.get(name):
            sys.exit('docs/protocol.md has %s, which is not so in proto/' % name)
    print('%d definitions are those of proto/' % len(own))


def wait_for(condition, seconds=10):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            sys.exit('the daemon did not come up')
        time.sleep(0.02)


def run_client(folder, blocks):
    kinds = {}
    for kind, _, lines in blocks:
        kinds.setdefault(kind, []).append('\n'.join(lines) + '\n')
    (client,), (yaml,), printed = kinds['python'], kinds['yaml'], kinds['text'][-1]
    assert len(client.split('\n')) <= 101, 'the client has more than 100 lines'
    open(os.path.join(folder, 'client.py'), 'w').write(client)
    yaml = yaml.replace(':7700', ':0').replace('- name: echo', '- name: echo\n    path: %s/plugins/echo/echo.so' % BUILD)
    open(os.path.join(folder, 'demo.yaml'), 'w').write(yaml)
    protoc(os.path.join(SOURCE, 'proto'), folder, '--python_out=.', 'lyceum/echo/v1/echo.proto', 'lyceum/v1/options.proto', *CORE)
    log = open(os.path.join(folder, 'log'), 'w+')
    daemon = subprocess.Popen([BUILD + '/broker/lyceumd', '--config', 'demo.yaml'], cwd=folder, stderr=log)
    try:
        wait_for(lambda: 'plugin running' in open(os.path.join(folder, 'log')).read())
        endpoint = re.search(r'tcp://\S+', open(os.path.join(folder, 'demo/endpoints')).read()).group(0)
        ran = subprocess.run([sys.executable, 'client.py', endpoint], cwd=folder, capture_output=True, text=True, timeout=20)
        if ran.stdout != printed:
            sys.exit('the client printed\n%s%s\nwhere the page has\n%s' % (ran.stdout, ran.stderr, printed))
        print('the client of docs/protocol.md did what the page says')
    finally:
        daemon.terminate()
        daemon.wait(10)


def main():
    folder = tempfile.mkdtemp(prefix='lyceum-protocol-', dir='/tmp')
    try:
        blocks = list(console.blocks(open(PAGE).read()))
        check_definitions(folder, blocks)
        run_client(folder, blocks)
    finally:
        console.remove(folder)


main()
