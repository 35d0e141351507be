#!/usr/bin/env python3
"""Every link between pages leads somewhere, and every file of the tree that a page names is there. Argument: the source folder."""
import os, re, subprocess, sys

TOPS = 'proto|include|lib|broker|plugins|tools|tests|bench|docs|sample|data'
# What a page has its reader make, and what lies in other folders than the tree.
MADE = re.compile(r'^(plugins/(NAME|guestbook)|proto/lyceum/(NAME|guestbook))')


def is_removed(source, path):
    """Lies it in a plugin that somebody has taken out of the tree, which breaks nothing?"""
    parts = os.path.relpath(path, source).split(os.sep)
    return parts[0] == 'plugins' and len(parts) > 1 and not os.path.exists(os.path.join(source, *parts[:2]))


def pages(source):
    for folder, folders, files in os.walk(source):
        folders[:] = [name for name in folders if not name.startswith(('.', 'build'))]
        yield from (os.path.join(folder, name) for name in files if name.endswith('.md'))


def anchor(heading):
    return re.sub(r'[^\w\- ]', '', heading.lower()).strip().replace(' ', '-')


def faults(source, page):
    text = open(page).read()
    prose = re.sub(r'```.*?```', '', text, flags=re.S)
    for target in re.findall(r'\]\(([^)\s]+)\)', prose):
        if re.match(r'[a-z]+:', target):
            continue
        path, _, part = target.partition('#')
        there = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if not os.path.exists(there):
            if is_removed(source, there):
                continue
            yield 'the link to %s leads nowhere' % target
        elif part and part not in [anchor(line.lstrip('#')) for line in open(there) if line.startswith('#')]:
            yield '%s has no heading for the link %s' % (os.path.relpath(there, source), target)
    for path, after in re.findall(r'(?<![\w/.$<>-])((?:%s)/[\w./-]*)(.?)' % TOPS, re.sub(r'\]\([^)]*\)', ']', text)):
        path = path.rstrip('.')
        if after in ('*', '<', '{'):
            path = os.path.dirname(path)
        whole = os.path.join(source, path)
        if not MADE.match(path) and not os.path.exists(whole) and not is_removed(source, whole):
            yield 'it names %s, which is not there' % path


def main():
    source = os.path.abspath(sys.argv[1])
    count, found = 0, []
    for page in pages(source):
        count += 1
        found += ['%s: %s' % (os.path.relpath(page, source), fault) for fault in faults(source, page)]
    if not os.path.exists(os.path.join(source, 'README.md')):
        found.append('there is no README.md')
    if found:
        sys.exit('\n'.join(found))
    print('%d pages, every link and file is there' % count)


main()
