"""Real daemons with a web server, and HTTP as a browser or an attacker speaks it. Everything lies in one temporary folder; ports are free ones."""
import http.client, json, os, re, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.parse

DEADLINE = 15


def wait_for(condition, what):
    ends = time.monotonic() + DEADLINE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > ends:
            sys.exit('%s did not happen within %d s' % (what, DEADLINE))
        time.sleep(0.02)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Node:
    def __init__(self, network, name):
        self.network, self.name = network, name
        self.folder = os.path.join(network.folder, name)
        self.config = self.folder + '.yaml'
        self.log = self.folder + '.log'
        self.process = None
        os.mkdir(self.folder, 0o700)
        network.run_tool('keygen', os.path.join(self.folder, 'daemon.key'))
        text = open(os.path.join(self.folder, 'daemon.key')).read()
        self.public_key = re.search(r'^public-key: *(.*)$', text, re.M).group(1)

    def configure(self, plugins, http=None, hub=None, listen=None, nodes=()):
        self.has_http = any(name.startswith('http') for name in plugins)
        lines = ['name: ' + self.name, 'data: ' + self.folder, 'listen:', '  - endpoint: ipc://%s/sock' % self.folder]
        if listen:
            lines.append('  - endpoint: ' + listen)
        if nodes:
            lines.append('keys:')
            for node in nodes:
                lines.append("  - {name: %s, role: NODE, public_key: '%s'}" % (node.name, node.public_key))
        if hub:
            lines.append("uplink: {name: %s, endpoint: '%s', server_key: '%s'}" % (hub.name, hub.endpoint(), hub.public_key))
        if plugins:
            lines.append('plugins:')
        for name in plugins:
            plugin, _, host = name.partition(':')
            lines.append('  - name: ' + plugin)
            lines.append('    path: %s/plugins/%s/%s.so' % (self.network.build, plugin, plugin))
            if host:
                lines.append('    host: ' + host)
            if plugin == 'http':
                lines.append('    config_file: %s.http.yaml' % self.folder)
        with open(self.config, 'w') as file:
            file.write('\n'.join(lines) + '\n')
        with open(self.folder + '.http.yaml', 'w') as file:
            file.write('listen: 127.0.0.1:0\n' + (http or ''))

    def endpoint(self):
        for line in open(os.path.join(self.folder, 'endpoints')):
            if 'tcp://' in line:
                return line[line.index('tcp://'):].split()[0]
        sys.exit('%s listens at no tcp address' % self.name)

    def start(self):
        address = os.path.join(self.folder, 'plugins', 'http', 'address')
        if os.path.exists(address):
            os.remove(address)
        # A sanitizer's report ends the daemon, which stop() notices.
        self.process = subprocess.Popen([os.path.join(self.network.build, 'broker', 'lyceumd'), '--config', self.config], stderr=open(self.log, 'a'))
        wait_for(lambda: self.try_lyceum('status').returncode == 0, 'an answer of ' + self.name)
        if self.has_http:
            wait_for(lambda: os.path.exists(address), 'a web server at ' + self.name)
            self.port = int(open(address).read().strip().rsplit(':', 1)[1])
            wait_for(lambda: self.get('/healthz').status == 200, 'health of ' + self.name)

    def stop(self, kind=signal.SIGTERM):
        if not self.process:
            return
        self.process.send_signal(kind)
        code = self.process.wait(DEADLINE)
        self.process = None
        if kind == signal.SIGTERM and code != 0:
            sys.exit('%s ended with %d:\n%s' % (self.name, code, open(self.log).read()[-3000:]))

    def try_lyceum(self, *words):
        return subprocess.run([self.network.tool, '--config', self.config, *words], capture_output=True, text=True, timeout=30)

    def lyceum(self, *words):
        done = self.try_lyceum(*words)
        if done.returncode != 0:
            sys.exit('lyceum %s at %s: %s' % (' '.join(words), self.name, done.stderr))
        return done.stdout

    def plugin_pid(self, name='http'):
        """0 while it has no process."""
        status = json.loads(self.lyceum('status', '--json'))
        return int([plugin for plugin in status['plugin'] if plugin['name'] == name][0].get('pid', 0))

    # ---- HTTP ----

    def request(self, method, path, body=None, headers=None, cookie=None):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=DEADLINE)
        headers = dict(headers or {})
        if cookie:
            headers['Cookie'] = 'lyceum_session=' + cookie
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return Answer(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def get(self, path, cookie=None, headers=None):
        return self.request('GET', path, None, headers, cookie)

    def call(self, method, request, cookie=None, headers=None):
        body = request if isinstance(request, (bytes, str)) else json.dumps(request)
        given = {'Content-Type': 'application/json', 'Lyceum-Request': '1'}
        given.update(headers or {})
        return self.request('POST', '/v1/' + method, body, {key: value for key, value in given.items() if value is not None}, cookie)

    def invite(self, name, *words):
        link = self.lyceum('user', 'invite', name, *words).strip()
        assert re.fullmatch(r'http://127\.0\.0\.1:%d/enter\?token=[A-Za-z0-9_-]{43}' % self.port, link), link
        return link.split('token=')[1]

    def use_link(self, token):
        return self.request('POST', '/enter', urllib.parse.urlencode({'token': token}), {'Content-Type': 'application/x-www-form-urlencoded'})

    def enter(self, name, *words):
        """Signed in: the cookie's value."""
        answer = self.use_link(self.invite(name, *words))
        assert answer.status == 303, (answer.status, answer.body)
        return re.match(r'lyceum_session=([A-Za-z0-9_-]{43});', answer.headers['Set-Cookie']).group(1)

    def raw(self, data, seconds=DEADLINE):
        """Send bytes, hear everything until the server ends it."""
        heard = b''
        with socket.create_connection(('127.0.0.1', self.port), seconds) as peer:
            try:
                peer.sendall(data)
                while True:
                    part = peer.recv(65536)
                    if not part:
                        return heard
                    heard += part
            except (ConnectionResetError, BrokenPipeError):
                return heard


class Network:
    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.tool = os.path.join(self.build, 'tools', 'lyceum', 'lyceum')
        self.folder = tempfile.mkdtemp(prefix='lyc-http-')
        self.nodes = []

    def run_tool(self, *words):
        subprocess.run([self.tool, *words], capture_output=True, check=True)

    def add(self, name):
        self.nodes.append(Node(self, name))
        return self.nodes[-1]

    def close(self):
        for node in self.nodes:
            if node.process:
                node.process.kill()
                node.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def run_tests(tests, network):
    """Each in turn; the first that fails ends all."""
    try:
        for test in tests:
            begun = time.monotonic()
            test()
            print('ok  %-66s %5.2f s' % (test.__name__, time.monotonic() - begun), flush=True)
        for node in network.nodes:
            node.stop()
    except BaseException:
        for node in network.nodes:
            if os.path.exists(node.log):
                print('--- %s\n%s' % (node.log, open(node.log).read()[-2500:]), file=sys.stderr)
        raise
    finally:
        network.close()
