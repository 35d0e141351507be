#!/usr/bin/env python3
"""The web server of a node, as people and programs use it: sign-in, methods, streams, labels, OpenAPI, metrics. Arguments: the build folder, process|thread."""
import base64, gzip, json, os, re, signal, sys, threading, time
sys.dont_write_bytecode = True
from google.protobuf import descriptor_pb2
from web_network import Network, run_tests, wait_for

network = Network(sys.argv[1])
HOST = sys.argv[2]
SAY, COUNT = 'lyceum.echo.v1.Echo/Say', 'lyceum.echo.v1.Echo/Count'
hub, wales, cork = network.add('hub'), network.add('wales'), network.add('cork')
people = {}
HAS_CONVENING = os.path.exists(os.path.join(sys.argv[1], 'plugins/convening/convening.so'))


def test_network_starts():
    hub.configure([], listen='tcp://127.0.0.1:0', nodes=[wales, cork])
    hub.start()
    wales.configure(['experts', 'http' if HOST == 'process' else 'http:THREAD'] + ['convening'] * HAS_CONVENING, hub=hub,
                    http='limits: {body: 65536, rate_per_address: 5000, rate_per_session: 5000, request_seconds: 3}\nhosts: [lyceum.example]\n')
    cork.configure(['echo', 'experts', 'http'], hub=hub)
    wales.start()
    cork.start()
    people['ann'] = wales.enter('ann', '--groups', 'policy', '--language', 'cy')
    people['bob'] = wales.enter('bob')
    # The echo plugin runs at the other node.
    wait_for(lambda: wales.call(SAY, {'text': 'x'}, people['ann']).status == 200, 'a method of another node')


def test_without_session_only_the_open_answers():
    for path in ['/me', '/openapi.json', '/metrics']:
        answer = wales.get(path)
        assert answer.status == 401, (path, answer.status)
        assert answer.json['status'] == 'UNAUTHENTICATED' and 'signed in' in answer.json['text']
    for method in [SAY, 'lyceum.v1.Node/Status', 'lyceum.http.v1.Users/List', 'no.Such/Method']:
        assert wales.call(method, {}).status == 401
        assert wales.call(method, {}, cookie='A' * 43).status == 401
        assert wales.call(method, {}, cookie='x').status == 401
    assert wales.get('/healthz').json == {'status': 'OK', 'node': 'wales'}
    assert wales.get('/').status == 200


def test_person_is_the_principal_at_the_other_node():
    answer = wales.call(SAY, {'text': 'hello'}, people['ann'])
    assert answer.json == {'text': 'hello', 'servedBy': 'cork', 'principal': 'ann@wales'}, answer.body
    assert answer.headers['Lyceum-Served-By'] == 'cork'
    as_of = json.loads(answer.headers['Lyceum-As-Of'])
    assert {'cork'} <= {position['origin'] for position in as_of}, as_of
    me = wales.get('/me', people['ann']).json
    assert me == {'principal': 'ann@wales', 'node': 'wales', 'language': 'cy', 'groups': ['wales/policy']}, me
    assert wales.call(SAY, {'text': 'hello'}, people['ann'], {'Lyceum-At': 'cork'}).status == 200
    nowhere = wales.call(SAY, {'text': 'hello'}, people['ann'], {'Lyceum-At': 'wales'})
    assert nowhere.status >= 400, nowhere.body


def test_refusals_name_the_field():
    broken = wales.call(SAY, '{"text": "x"', people['ann'])
    assert broken.status == 400 and 'line 1, column' in broken.json['text']
    unknown = wales.call(SAY, {'txt': 'x'}, people['ann'])
    assert unknown.status == 400 and unknown.json['field'] == 'txt', unknown.body
    rule = wales.call('lyceum.experts.v1.ExpertSearch/Find', {'limit': 100000}, people['ann'])
    assert rule.status == 400 and rule.json['field'] == 'limit', rule.body
    assert wales.call('no.Such/Method', {}, people['ann']).status == 404
    assert wales.call('Say', {}, people['ann']).status == 404
    assert wales.request('GET', '/v1/' + SAY, cookie=people['ann']).status == 405
    assert wales.request('PUT', '/v1/' + SAY, '{}').status == 405
    assert wales.get('/nothing/here', people['ann']).status == 404
    for header, value in [('Lyceum-Timeout-Ms', '0'), ('Lyceum-Timeout-Ms', 'x'), ('Lyceum-After', 'wales'), ('Lyceum-After', 'a:1:x')]:
        assert wales.call(SAY, {'text': 'x'}, people['ann'], {header: value}).status == 400, header


def test_trace_comes_back():
    trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    assert wales.call(SAY, {'text': 'x'}, people['ann'], {'traceparent': trace}).headers['traceparent'] == trace
    refused = wales.call('lyceum.experts.v1.ExpertSearch/Find', {'limit': 100000}, people['ann'], {'traceparent': trace})
    assert refused.status == 400 and refused.headers['traceparent'] == trace
    for bad in ['00-nothing', trace.upper(), trace + '-more']:
        answer = wales.call(SAY, {'text': 'x'}, people['ann'], {'traceparent': bad})
        assert answer.status == 200 and 'traceparent' not in answer.headers, bad


def test_other_sites_get_nothing_done():
    ours = 'http://127.0.0.1:%d' % wales.port
    assert wales.call(SAY, {'text': 'x'}, people['ann'], {'Lyceum-Request': None}).status == 403
    assert wales.call(SAY, {'text': 'x'}, people['ann'], {'Content-Type': 'text/plain'}).status == 415
    assert wales.call(SAY, {'text': 'x'}, people['ann'], {'Content-Type': None}).status == 415
    assert wales.call(SAY, {'text': 'x'}, people['ann'], {'Origin': ours}).status == 200
    for origin in ['http://evil.example', 'null', 'file://', ours + '.evil.example', 'http://evil.example:%d' % wales.port]:
        answer = wales.call(SAY, {'text': 'x'}, people['ann'], {'Origin': origin})
        assert answer.status == 403 and 'another site' in answer.json['text'], (origin, answer.status)
    assert wales.call(SAY, {'text': 'x'}, people['ann'], {'Sec-Fetch-Site': 'cross-site'}).status == 403
    assert wales.request('POST', '/leave', headers={'Origin': 'http://evil.example'}, cookie=people['ann']).status == 403
    assert wales.request('POST', '/leave', cookie=people['ann']).status == 403
    for host in ['evil.example', '127.0.0.1', 'localhost:1', 'lyceum.example.evil']:
        assert wales.get('/', headers={'Host': host}).status == 421, host
    for host in ['lyceum.example', 'LOCALHOST:%d' % wales.port]:
        assert wales.get('/', headers={'Host': host}).status == 200, host


def test_every_answer_protects_itself():
    paths = ['/', '/nothing', '/me', '/enter?token=x', '/healthz']
    for answer in [wales.get(path) for path in paths] + [wales.call(SAY, {}, people['ann'])]:
        policy = answer.headers['Content-Security-Policy']
        assert "default-src 'none'" in policy and "script-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert 'unsafe' not in policy and 'http' not in policy
        assert answer.headers['X-Content-Type-Options'] == 'nosniff'
        assert answer.headers['Referrer-Policy'] == 'same-origin'
        assert answer.headers['Cache-Control'] in ('no-store', 'no-cache')
        assert 'Access-Control-Allow-Origin' not in answer.headers


def test_files_are_sent_once():
    whole = wales.get('/')
    small = wales.get('/index.html', headers={'Accept-Encoding': 'gzip'})
    assert gzip.decompress(small.body) == whole.body if small.headers['Content-Encoding'] == 'gzip' else small.body == whole.body
    again = wales.get('/', headers={'If-None-Match': whole.headers['ETag']})
    assert again.status == 304 and again.body == b''
    assert wales.get('/', headers={'If-None-Match': '"other"'}).status == 200
    for path in ['/../config.yaml', '/%2e%2e/%2e%2e/etc/passwd', '/page.css/', '//index.html', '/.git']:
        assert wales.get(path).status == 404, path
    head = wales.request('HEAD', '/')
    assert head.status == 200 and head.body == b'' and int(head.headers['Content-Length']) == len(whole.body)


def test_link_works_once_and_not_by_being_looked_at():
    token = wales.invite('carol')
    for _ in range(3):
        page = wales.get('/enter?token=' + token)
        assert page.status == 200 and b'<form method="post"' in page.body and 'Set-Cookie' not in page.headers
    assert wales.request('HEAD', '/enter?token=' + token).status == 200
    assert b'lang="cy"' in wales.get('/enter?token=' + wales.invite('dai', '--language', 'cy')).body
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(wales.use_link(token).status)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303] + [410] * 7, answers
    assert wales.get('/enter?token=' + token).status == 410
    for bad in ['', 'A' * 43, '<script>', token[:-1], token + 'x']:
        page = wales.get('/enter?token=' + bad)
        assert page.status == 410 and b'script' not in page.body, bad
        assert wales.use_link(bad).status == 410
    cookie = wales.use_link(wales.invite('erin')).headers['Set-Cookie']
    for part in ['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=2592000']:
        assert part in cookie, cookie


def test_only_the_operator_lets_people_in():
    for method, request in [('Invite', {'name': 'eve'}), ('List', {}), ('Remove', {'name': 'ann'})]:
        answer = wales.call('lyceum.http.v1.Users/' + method, request, people['ann'])
        assert answer.status == 403 and 'operator' in answer.json['text'], answer.body
        # Nor another node, nor the operator in another's name.
        assert 'PERMISSION_DENIED' in cork.try_lyceum('call', 'lyceum.http.v1.Users/' + method, json.dumps(request), '--at', 'wales').stderr
        assert 'PERMISSION_DENIED' in wales.try_lyceum('call', 'lyceum.http.v1.Users/' + method, json.dumps(request), '--as', 'ann@wales').stderr
    assert [user['name'] for user in json.loads(wales.lyceum('call', 'lyceum.http.v1.Users/List'))['user']] == ['ann', 'bob', 'carol', 'dai', 'erin']


def test_leaving_ends_the_session():
    cookie = wales.enter('carol')
    assert wales.get('/me', cookie).status == 200
    answer = wales.request('POST', '/leave', headers={'Lyceum-Request': '1'}, cookie=cookie)
    assert answer.status == 200 and 'Max-Age=0' in answer.headers['Set-Cookie']
    assert wales.get('/me', cookie).status == 401


def test_removal_ends_sessions_at_once():
    first, second, token = wales.enter('carol'), wales.enter('carol'), wales.invite('carol')
    assert wales.get('/me', first).status == wales.get('/me', second).status == 200
    assert 'sessions ended: 3' in wales.lyceum('user', 'remove', 'carol')
    assert wales.get('/me', first).status == wales.get('/me', second).status == 401
    assert wales.use_link(token).status == 410
    # Known again, she needs a new link: the old ones stay dead.
    cookie = wales.enter('carol')
    assert wales.get('/me', first).status == 401 and wales.use_link(token).status == 410
    assert wales.get('/me', cookie).status == 200
    assert 'NOT_FOUND' in wales.try_lyceum('user', 'remove', 'nobody').stderr


def test_records_of_another_group_are_not_shown():
    # Of another home: what is a node's own is seen by all of its people.
    for name, label in [('Private Person', ('--visibility', 'private')), ('Policy Person', ('--audience', 'wales/policy')),
                        ('Bobs Person', ('--audience', 'bob@wales')), ('Public Person', ())]:
        cork.lyceum('experts', 'add', name, '--organisation', 'Testing House', '--topic', 'vaccines', '--kind', 'practitioner', *label)

    def seen_by(cookie):
        answer = wales.call('lyceum.experts.v1.ExpertSearch/Find', {'text': 'vaccines'}, cookie)
        assert answer.status == 200, answer.body
        return {hit['expert']['name'] for hit in answer.json.get('hits', [])}
    wait_for(lambda: 'Public Person' in seen_by(people['ann']), 'the records of the other node')
    assert seen_by(people['ann']) == {'Public Person', 'Policy Person'}, seen_by(people['ann'])
    assert seen_by(people['bob']) == {'Public Person', 'Bobs Person'}, seen_by(people['bob'])


def test_methods_stream_as_events():
    answer = wales.call(COUNT, {'to': 3}, people['ann'])
    assert answer.headers['Content-Type'] == 'text/event-stream'
    assert answer.body.decode() == 'data: {"number":1}\n\ndata: {"number":2}\n\ndata: {"number":3}\n\nevent: end\ndata: {"status":"OK"}\n\n', answer.body
    many = wales.call(COUNT, {'to': 5000}, people['ann'])
    numbers = [json.loads(line[6:])['number'] for line in many.body.decode().split('\n') if line.startswith('data: {"n')]
    assert numbers == list(range(1, 5001)) and many.body.endswith(b'event: end\ndata: {"status":"OK"}\n\n')
    refused = wales.call(COUNT, {'too': 3}, people['ann'])
    assert refused.status == 400 and refused.json['field'] == 'too'


def refs(value):
    if isinstance(value, dict):
        if '$ref' in value:
            yield value['$ref']
        for part in value.values():
            yield from refs(part)
    elif isinstance(value, list):
        for part in value:
            yield from refs(part)


def test_openapi_describes_every_method():
    page = wales.get('/openapi.json', people['ann']).json
    assert page['openapi'] == '3.1.0' and page['info']['title'] == 'Lyceum at wales'
    services = json.loads(wales.lyceum('services', '--json'))
    services = services.get('service', services) if isinstance(services, dict) else services
    listed = {'/v1/%s/%s' % (service['name'], method) for service in services for method in service.get('method', [])}
    assert listed <= set(page['paths']), listed - set(page['paths'])
    assert '/v1/' + SAY in page['paths']
    found = list(refs(page))
    assert len(found) > 100
    for ref in found:
        at = page
        for part in ref[2:].split('/'):
            assert part in at, ref
            at = at[part]
    ids = [operation['operationId'] for path in page['paths'].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
    invite = page['components']['schemas']['lyceum.http.v1.InviteRequest']
    assert invite['required'] == ['name']
    name = invite['properties']['name']
    assert (name['type'], name['maxLength'], name['pattern']) == ('string', 60, '^(?:[a-z][a-z0-9._-]*)$'), name
    assert name['description'].startswith("The person's name"), name
    stream = page['paths']['/v1/' + COUNT]['post']['responses']['200']['content']
    assert list(stream) == ['text/event-stream']


def test_metrics_are_what_prometheus_reads():
    answer = wales.get('/metrics', people['ann'])
    assert answer.headers['Content-Type'] == 'text/plain; version=0.0.4; charset=utf-8'
    types, samples = {}, {}
    for line in answer.body.decode().splitlines():
        if line.startswith('# TYPE '):
            _, _, name, kind = line.split(' ')
            assert name not in types and kind in ('counter', 'gauge')
            types[name] = kind
        elif not line.startswith('# HELP '):
            name, labels, value = re.fullmatch(r'([a-z_:][a-z0-9_:]*)(\{[a-z_]+="[^"]*"\})? (\S+)', line).groups()
            assert name in types, line
            samples[name + (labels or '')] = float(value)
    assert types['lyceum_calls_total'] == 'counter' and samples['lyceum_calls_total'] > 10
    assert types['lyceum_http_sessions'] == 'gauge' and samples['lyceum_http_sessions'] >= 3
    assert samples['lyceum_http_requests_total{class="2xx"}'] > 10 and samples['lyceum_http_entered_total'] >= 4


def test_web_routes_lead_to_methods():
    if not HAS_CONVENING:
        return
    # Open: the token is the right. The method is reached without a session, and says itself that it does not know this one.
    unknown = wales.get('/calendar/%s.ics' % ('A' * 43))
    assert unknown.status in (403, 404) and unknown.json['status'] != 'UNAUTHENTICATED', unknown.body
    url = wales.call('lyceum.convening.v1.Calendar/Subscribe', {}, people['ann'])
    assert url.status == 200, url.body
    path = re.search(r'/calendar/[^/]+\.ics$', url.json['url']).group(0)
    feed = wales.get(path)
    assert feed.status == 200 and feed.headers['Content-Type'] == 'text/calendar; charset=utf-8', (feed.status, feed.body)
    assert feed.body.startswith(b'BEGIN:VCALENDAR\r\n') and feed.body.endswith(b'END:VCALENDAR\r\n')
    assert "default-src 'none'" in feed.headers['Content-Security-Policy']
    for other in [path + '/', path[:-4], '/calendar/a/b.ics', '/calendar/.ics']:
        assert wales.get(other).status == 404, other
    # A form, and what it may not be.
    form = {'Content-Type': 'application/x-www-form-urlencoded'}
    reached = wales.request('POST', '/r/' + 'A' * 43, 'choice=YES', form)
    assert reached.status != 401 and b'nobody is signed in' not in reached.body, reached.body
    wrong = wales.request('POST', '/r/' + 'A' * 43, 'nothing=1', form)
    assert wrong.status == 400 and wrong.json['field'] == 'nothing', wrong.body
    assert wales.request('POST', '/r/' + 'A' * 43, '{}', {'Content-Type': 'application/json'}).status == 400
    assert wales.request('POST', '/r/' + 'A' * 43, 'choice=%', form).status == 400
    assert wales.request('POST', '/r/' + 'A' * 43, 'choice=YES', dict(form, Origin='http://evil.example')).status == 403
    assert wales.request('POST', path, '', form).status == 404
    page = wales.get('/openapi.json', people['ann']).json
    assert page['paths']['/calendar/{token}.ics']['get']['security'] == []


def test_what_is_open_elsewhere_is_not_open_here():
    if not HAS_CONVENING:
        return
    feed, path = 'lyceum.convening.v1.Calendar/Feed', '/calendar/%s.ics' % ('A' * 43)
    cookie = cork.enter('cai')
    # It is known here, and the other node answers those who are signed in.
    wait_for(lambda: '/v1/' + feed in cork.get('/openapi.json', cookie).json['paths'], 'the methods of the other node')
    assert wait_for(lambda: cork.call(feed, {'token': 'A' * 43}, cookie), 'an answer').status != 401
    assert cork.call(feed, {'token': 'A' * 43}).status == 401
    for asked in [cork.get(path), cork.get(path, cookie)]:
        assert asked.status == 404 and 'Lyceum-Served-By' not in asked.headers, (asked.status, asked.body)
    assert path not in cork.get('/openapi.json', cookie).json['paths']
    # Nor does a stranger say where something runs.
    assert wales.call(feed, {'token': 'A' * 43}).json['status'] != 'UNAUTHENTICATED'
    for refused in [wales.call(feed, {'token': 'A' * 43}, headers={'Lyceum-At': 'cork'}), wales.get(path, headers={'Lyceum-At': 'cork'}),
                    wales.get(path, people['ann'], {'Lyceum-At': 'cork'})]:
        assert refused.status == 403 and 'Lyceum-At' in refused.json['text'], refused.body


def forge(schema, name):
    """The same set with all methods of a service open at a path, and one method more."""
    forged = descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(schema))
    for file in forged.file:
        file.ClearField('source_code_info')
    service = [service for file in forged.file for service in file.service if service.name == name][0]
    service.method.add().CopyFrom(service.method[0])
    service.method[-1].name = 'Take'
    for method in service.method:
        path = b'/forged/' + method.name.encode()
        route = b'\x0a' + bytes([len(path)]) + path + b'\x28\x01'
        # Option 51312: (lyceum.v1.web) = {get: path, open: true}.
        method.options.MergeFromString(b'\x82\x87\x19' + bytes([len(route)]) + route)
    return base64.b64encode(forged.SerializeToString()).decode()


def test_another_node_does_not_redefine_a_method():
    find, take = 'lyceum.experts.v1.ExpertSearch/Find', 'lyceum.experts.v1.ExpertSearch/Take'
    versions = [json.loads(line)['body'] for line in wales.lyceum('log', 'lyceum.v1.SchemaVersion.wales.>').splitlines()]
    ours = [version for version in versions if 'lyceum.experts.v1.ExpertSearch' in version.get('service', [])][-1]
    forged = dict(ours, home='cork', id='f0f0', descriptorSet=forge(ours['descriptorSet'], 'ExpertSearch'))
    cork.lyceum('publish', '--durable', 'lyceum.v1.SchemaVersion', json.dumps(forged))
    wait_for(lambda: wales.lyceum('log', 'lyceum.v1.SchemaVersion.cork.f0f0'), 'the forged schema')
    # A method that is not known makes the server ask for types.
    for _ in range(10):
        assert wales.call(take, {}, people['ann']).status == 404
        time.sleep(0.05)
    assert wales.call(find, {}, people['ann']).status == 200
    assert wales.call(find, {}).status == 401
    assert wales.get('/forged/Find').status == 404
    assert '/forged/Find' not in wales.get('/openapi.json', people['ann']).json['paths']


def test_person_calls_only_what_the_operator_says():
    find, status = 'lyceum.experts.v1.ExpertSearch/Find', 'lyceum.v1.Node/Status'
    cookie = wales.enter('gwen', '--call', 'lyceum.experts.v1.ExpertSearch/*', '--call', 'lyceum.convening.v1.Calendar/Subscribe')
    assert wales.call(find, {}, cookie).status == 200
    for method in [status, SAY, COUNT, 'lyceum.v1.Node/Services']:
        refused = wales.call(method, {}, cookie)
        assert refused.status == 403 and 'you may not call ' + method in refused.json['text'], refused.body
    if HAS_CONVENING:
        # What is open to strangers is open to her.
        assert 'you may not call' not in wales.get('/calendar/%s.ics' % ('A' * 43), cookie).json['text']
    assert wales.get('/me', cookie).status == 200
    assert 'ExpertSearch/*' in wales.lyceum('user', 'list')
    # Who is invited again keeps it, unless something else is said; that counts at once.
    wales.invite('gwen', '--language', 'cy')
    assert wales.call(status, {}, cookie).status == 403
    wales.invite('gwen', '--call', status)
    assert wales.call(status, {}, cookie).status == 200 and wales.call(find, {}, cookie).status == 403
    wales.invite('gwen', '--every-call')
    assert wales.call(status, {}, cookie).status == 200 and wales.call(find, {}, cookie).status == 200


def test_people_do_not_report_metrics():
    refused = wales.call('lyceum.v1.Node/Report', {'metric': [{'name': 'forged', 'value': 1}]}, people['ann'])
    assert refused.status == 403 and 'ann@wales' in refused.json['text'], refused.body


def test_sign_in_outlives_a_restart():
    if HOST == 'process':
        os.kill(wales.plugin_pid(), signal.SIGKILL)
        wait_for(lambda: 'running' in wales.lyceum('plugins').split('http', 1)[1].split('\n')[0] and wales.plugin_pid(), 'the plugin again')
    wales.stop()
    wales.start()
    assert wales.get('/me', people['ann']).json['principal'] == 'ann@wales'
    assert wales.get('/me', people['bob']).status == 200


def test_no_request_is_lost_while_the_server_is_replaced():
    failures, answered, has_ended = [], [0], threading.Event()

    def ask(number):
        while not has_ended.is_set():
            try:
                answer = wales.call(SAY, {'text': 'x', 'delayMs': number * 30}, people['ann'])
                answered[0] += 1
                if answer.status != 200:
                    failures.append((answer.status, answer.body))
            except OSError as error:
                failures.append(error)
    wait_for(lambda: wales.call(SAY, {'text': 'x'}, people['ann']).status == 200, 'the other node')
    askers = [threading.Thread(target=ask, args=[number]) for number in range(4)]
    for asker in askers:
        asker.start()
    try:
        for _ in range(3):
            before = answered[0]
            wales.lyceum('plugin', 'restart', 'http')
            wait_for(lambda: answered[0] > before + 20, 'answers after a replacement')
    finally:
        has_ended.set()
        for asker in askers:
            asker.join()
    assert not failures, (len(failures), answered, failures[:3])
    assert wales.get('/me', people['ann']).status == 200


def records(kind):
    return [json.loads(line) for line in wales.lyceum('log', 'lyceum.http.v1.%s.>' % kind).splitlines()]


def test_session_in_use_is_prolonged():
    day = 24 * 60 * 60 * 1000
    cookie = wales.enter('dai')
    assert 'Set-Cookie' not in wales.get('/me', cookie).headers
    body = [record for record in records('Session') if not record.get('removed') and record['body']['user'] == 'dai'][-1]['body']
    soon = int(time.time() * 1000) + 10 * day
    wales.lyceum('publish', '--durable', 'lyceum.http.v1.Session', json.dumps(dict(body, expiresMs=str(soon))))
    renewed = wait_for(lambda: wales.get('/me', cookie).headers['Set-Cookie'], 'a new cookie')
    assert renewed.startswith('lyceum_session=%s;' % cookie) and 'Max-Age=2592000' in renewed, renewed

    def last():
        return [record for record in records('Session') if record['subject'].endswith(body['id'])][-1]['body']
    wait_for(lambda: int(last()['expiresMs']) > soon + 15 * day, 'a longer session')
    assert last()['createdMs'] == body['createdMs'] and last()['label']['visibility'] == 'PRIVATE'
    assert wales.get('/me', cookie).status == 200


def test_expired_sessions_and_links_are_refused():
    # Records of a time long past, as the log would hold them then.
    session = [record for record in records('Session') if not record.get('removed') and record['body']['user'] == 'bob'][-1]
    body = dict(session['body'], createdMs='1000', expiresMs='2000')
    cookie, token = people.pop('bob'), wales.invite('bob')
    assert wales.get('/me', cookie).status == 200
    wales.lyceum('publish', '--durable', 'lyceum.http.v1.Session', json.dumps(body))
    wait_for(lambda: wales.get('/me', cookie).status == 401, 'the end of an old session')
    invitation = [record for record in records('Invitation') if not record.get('removed') and record['body']['user'] == 'bob'][-1]
    wales.lyceum('publish', '--durable', 'lyceum.http.v1.Invitation', json.dumps(dict(invitation['body'], expiresMs='2000')))
    wait_for(lambda: wales.use_link(token).status == 410, 'the end of an old link')


def test_people_stay_in_their_node():
    private = [json.loads(line) for line in wales.lyceum('log', 'lyceum.http.v1.>').splitlines()]
    assert len(private) > 10
    assert hub.lyceum('log', 'lyceum.http.v1.>') == ''
    assert '.wales.' not in cork.lyceum('log', 'lyceum.http.v1.>')
    everything = wales.lyceum('log', '>') + open(wales.log).read()
    assert people['ann'] not in everything
    assert 'ann' not in open(wales.log).read()


run_tests([value for name, value in list(globals().items()) if name.startswith('test_')], network)
