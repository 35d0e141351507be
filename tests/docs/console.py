"""Runs the console blocks of a page: each line that begins with `$ ` is a command for one shell, the lines below are what it prints.

In the page, `...` alone on a line stands for any lines, at the end of a line for its rest; the next step after a failure, `lyceum why ID`,
may be left out. Ages, durations, sizes, epochs, process numbers, ports, keys, traces and widths of columns may differ; counts, sequences and scores may not. A block of another kind whose first line is `# file: NAME` (or behind // or /*) is written to that
file first; `<public key of NAME>` in it is taken from NAME/daemon.key or NAME.key."""
import os, re, shutil, signal, subprocess, time

VOLATILE = [
    (r'(?:now|\d+ (?:ms|s|min|h|d)(?: \d+ (?:min|h))?(?: ago)?)(?![\w-])', r'(?:now|\d+ (?:ms|s|min|h|d)(?: \d+ (?:min|h))?(?: ago)?)'),
    (r'\d+ microseconds', r'\d+ microseconds'),
    (r'process \d+', r'process \d+'),
    (r'\d+(?:\.\d)? (?:B|KiB|MiB|GiB|TiB)\b', r'\d+(?:\.\d)? (?:B|KiB|MiB|GiB|TiB)'),
    (r'127\.0\.0\.1:\d+', r'127\.0\.0\.1:\d+'),
    (r'\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+Z)?', r'\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+Z)?'),
    (r'(?<=")[!#-~]{40}(?=")|(?<=Public key: )[!#-~]{40}', r'[!#-~]{40}'),
    # Epochs, which are drawn by lot. Counts, sequences and scores are not.
    (r'(?<![\w(-])\d{11,}(?![\w)-])', r'\d+'),
    (r'\b[0-9a-f]{32}\b', r'[0-9a-f]{32}'),
    (r'\br\d{4,}\b', r'r\d+'),
    (r'\.\.\.$', r'.*'),
    (r'\s+', r'\s+'),
]
SPLIT = re.compile('|'.join('(%s)' % volatile for volatile, _ in VOLATILE))
NEXT_STEP = re.compile(r'^ *lyceum (?:--config \S+ )?why (?:r\d+|[0-9a-f]{32})\n', re.M)
READS = re.compile(r'\b(status|plugins|services|find|list|log|show|describe|metrics|say|call|why)\b')


def line_pattern(line):
    line = line.strip()
    if line.startswith('from: '):
        return r'from: ' + re.escape(line.split()[1]) + ' .*'
    out, at = '', 0
    for hit in SPLIT.finditer(line):
        out += re.escape(line[at:hit.start()]) + VOLATILE[hit.lastindex - 1][1]
        at = hit.end()
    return out + re.escape(line[at:])


def matches_unordered(expected, printed):
    """The rows of a status come in the order in which the daemon met them."""
    lines = [line.strip() for line in printed.split('\n') if line.strip()]
    for pattern in [line_pattern(line) for line in expected if line.strip() and line.strip() != '...']:
        hits = [line for line in lines if re.fullmatch(pattern, line)]
        if not hits:
            return False
        lines.remove(hits[0])
    return not lines or any(line.strip() == '...' for line in expected)


def matches(expected, printed, is_ordered=True):
    if not is_ordered:
        return matches_unordered(expected, printed)
    if not any(' why ' in line for line in expected):
        printed = NEXT_STEP.sub('', printed)
    parts = [r'(?:[^\n]*\n)*?' if line.strip() == '...' else r'\s*' + line_pattern(line) + r'\s*\n' for line in expected if line.strip()]
    printed = [line for line in printed.split('\n') if line.strip()]
    return re.fullmatch(''.join(parts), ''.join(line.strip() + '\n' for line in printed)) is not None


def blocks(text):
    """(kind, first line's number, lines) of each fenced block."""
    kind, lines, first = None, [], 0
    for number, line in enumerate(text.split('\n'), 1):
        fence = re.match(r'\s*```(\w*)', line)
        if fence and kind is None:
            kind, lines, first = fence.group(1), [], number + 1
        elif fence:
            yield kind, first, lines
            kind = None
        elif kind is not None:
            lines.append(line)


class Shell:
    def __init__(self, folder, setup):
        env = dict(os.environ, HOME=folder, NO_COLOR='1', TERM='dumb')
        self.process = subprocess.Popen(['bash'], cwd=folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.serial = 0
        self.setup = self.run(setup)

    def run(self, command):
        self.serial += 1
        mark = 'end-of-command-%d' % self.serial
        self.process.stdin.write(command + '\necho %s\n' % mark)
        self.process.stdin.flush()
        printed = []
        for line in self.process.stdout:
            if line.strip() == mark:
                return ''.join(printed)
            if line.rstrip().endswith(mark):
                return ''.join(printed) + line.rstrip()[:-len(mark)]
            printed.append(line)
        raise SystemExit('the shell ended during: %s\n%s' % (command, ''.join(printed)))

    def close(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)


def remove(folder):
    """Daemons that are about to end may still write a last file."""
    for _ in range(100):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(0.05)


def public_key(folder, name):
    for path in (os.path.join(folder, name, 'daemon.key'), os.path.join(folder, name + '.key')):
        if os.path.exists(path):
            return re.search(r'public-key:\s*(\S{40})', open(path).read()).group(1)
    raise SystemExit('there is no key of %s' % name)


def run_page(path, folder, shell, replace):
    """Returns how many commands did what the page says; prints the others and exits."""
    count = 0
    for kind, first, lines in blocks(open(path).read()):
        named = re.match(r'(?:#|//|/\*) file: (\S+)', lines[0]) if lines else None
        if named:
            text = '\n'.join(lines[1:]) + '\n'
            text = re.sub(r'<public key of (\w+)>', lambda hit: public_key(folder, hit.group(1)), text)
            for old, new in replace:
                text = text.replace(old, new)
            place = os.path.join(folder, named.group(1))
            os.makedirs(os.path.dirname(place), exist_ok=True)
            open(place, 'w').write(text)
        if kind != 'console':
            continue
        steps = []
        for number, line in enumerate(lines, first):
            if line.startswith('$ '):
                steps.append((number, line[2:], []))
            elif steps:
                steps[-1][2].append(line)
        for number, command, expected in steps:
            for old, new in replace:
                command = command.replace(old, new)
                expected = [line.replace(old, new) for line in expected]
            ends = time.monotonic() + (8 if READS.search(command) else 0)
            is_ordered = not command.endswith(' status')
            printed = shell.run(command)
            while not matches(expected, printed, is_ordered) and time.monotonic() < ends:
                time.sleep(0.05)
                printed = shell.run(command)
            if not matches(expected, printed, is_ordered):
                raise SystemExit('%s:%d: $ %s\nprinted\n%s\nwhere the page has\n%s' % (path, number, command, printed, '\n'.join(expected)))
            count += 1
    return count
