"""A real SMTP server, aiosmtpd, for tests: what it took, what it answers, and certificates for it."""
import asyncio
import datetime
import email
import logging
import pathlib
import signal
import ssl
import threading

from aiosmtpd.smtp import SMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

# The server says a handshake that fails once more, at length.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)


class Relay:
    """Keeps what it took. `script` has, for each mail in turn, what to do: a reply to RCPT or DATA, "slow-rcpt", "slow-data",
    "kill-data" or nothing."""

    def __init__(self, script=()):
        self.script = list(script)
        self.taken = []  # (sender, recipients, bytes, was encrypted, who)
        self.heard = []  # Message-IDs of all that was said up to its end, taken or not
        self.process = None
        self.now = None
        self.release = threading.Event()

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.now = self.script.pop(0) if self.script else None
        if self.now == "slow-rcpt":
            await asyncio.get_running_loop().run_in_executor(None, self.release.wait, 20)
        if self.now and self.now[0] == "rcpt":
            return self.now[1]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content)
        self.heard.append(mail["Message-ID"])
        if self.now == "kill-data":
            self.process.send_signal(signal.SIGKILL)
            return "451 4.3.0 whoever asked is gone"
        if self.now and self.now[0] == "data":
            return self.now[1]
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, session.ssl is not None, session.auth_data))
        if self.now == "slow-data":
            await asyncio.get_running_loop().run_in_executor(None, self.release.wait, 20)
        if self.now == "kill-taken":
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        return "250 2.0.0 taken"

    def ids(self):
        return [email.message_from_bytes(taken[2])["Message-ID"] for taken in self.taken]


class Server:
    """aiosmtpd on a thread and on a port of the system's choice; encrypted from the first byte with `smtps`."""

    def __init__(self, relay, port=0, smtps=None, **options):
        self.relay, self.port, self.smtps, self.options = relay, port, smtps, options
        self.loop = asyncio.new_event_loop()

    def __enter__(self):
        def make():
            return SMTP(self.relay, hostname="relay.example", timeout=20, loop=self.loop, **self.options)

        self.server = self.loop.run_until_complete(self.loop.create_server(make, "127.0.0.1", self.port, ssl=self.smtps))
        self.port = self.server.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.relay.release.set()
        self.loop.call_soon_threadsafe(self.server.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()


class Authority:
    """An authority of this test's own and certificates by it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Authority {id(self)} of a test")])
        self.certificate = self._sign(self.name, self.key, [x509.BasicConstraints(ca=True, path_length=None)])
        self.file = self.folder / f"authority-{id(self)}.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, subject, key, extensions):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=1)))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self.key, hashes.SHA256())

    def context(self, host):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
        certificate = self._sign(name, key, [x509.SubjectAlternativeName([x509.DNSName(host)])])
        path = self.folder / f"{host}-{id(key)}.pem"
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
                         + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context
