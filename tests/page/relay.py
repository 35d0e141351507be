#!/usr/bin/env python3
"""A mail relay for the test of the page: takes every mail, and writes its recipients and its plain text into a file of its own.
Argument: the folder. The file `port` there says where it listens."""
import asyncio
import email
import email.policy
import itertools
import os
import sys

from aiosmtpd.smtp import SMTP

folder = sys.argv[1]
numbers = itertools.count(1)


def put(name, text):
    """Whole or not at all: somebody looks for it."""
    with open(os.path.join(folder, name + '.new'), 'w') as file:
        file.write(text)
    os.rename(os.path.join(folder, name + '.new'), os.path.join(folder, name))


class Keeper:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = mail.get_body(('plain',))
        put('%d.mail' % next(numbers), '\n'.join(envelope.rcpt_tos) + '\n\n' + (body.get_content() if body else ''))
        return '250 taken'


async def main():
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Keeper()), '127.0.0.1', 0)
    put('port', str(server.sockets[0].getsockname()[1]))
    await server.serve_forever()

asyncio.run(main())
