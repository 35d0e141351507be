"""Mail against a real SMTP server: aiosmtpd on loopback hears what try_mail says, byte by byte.

Argument: the program try_mail. Each test starts a server, runs the program, looks at what arrived and at what the program says of it.
"""
import email
import email.policy
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from aiosmtpd.smtp import AuthResult, LoginPassword

sys.dont_write_bytecode = True
from smtp_relay import Authority, Relay, Server

PROGRAM = None
ADA = "ada.okafor@one.example"


class MailTest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.folder = pathlib.Path(self.scratch.name)

    def start(self, port, *options, to=(ADA,), scheme="smtp", host="localhost"):
        command = [PROGRAM, "--journal", str(self.folder / "journal"), "--relay", f"{scheme}://{host}:{port}", "--from",
                   "events@wales.example", "--timeout-ms", "8000", *options, *to]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def end(self, process, wanted=0):
        out = process.communicate(timeout=60)[0].decode()
        self.assertEqual(process.returncode, wanted, out)
        # Nothing personal is said, whatever happens.
        self.assertNotIn("one.example", out)
        return [json.loads(line) for line in out.splitlines()]

    def send(self, port, *options, wanted=0, **more):
        return self.end(self.start(port, *options, **more), wanted)

    # ---- What arrives ----

    def test_mail_is_read_by_others_as_it_was_meant(self):
        relay = Relay()
        with Server(relay) as server:
            [mail] = self.send(server.port, "--title", "Therapi celloedd: ŵyl y dŵr")
        self.assertEqual((mail["step"], mail["tries"], mail["double"], mail["code"]), ("SENT", 1, False, 250))
        [(sender, recipients, content, _, _)] = relay.taken
        self.assertEqual((sender, recipients), ("events@wales.example", [ADA]))
        self.assertNotIn(b"\n", content.replace(b"\r\n", b""))
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        self.assertEqual(parsed.defects, [])
        self.assertEqual(parsed["Subject"], "Gwahoddiad / Invitation: Therapi celloedd: ŵyl y dŵr")
        self.assertEqual(str(parsed["To"].addresses[0].display_name), "Ŵyn ap Rhys")
        self.assertEqual(parsed["To"].addresses[0].addr_spec, ADA)
        self.assertEqual(parsed["From"].addresses[0].display_name, "Canolbwynt Gwyddorau Bywyd Cymru")
        self.assertEqual(parsed["List-Unsubscribe"], "<https://wales.example/leave/abc>")
        self.assertTrue(parsed["Message-ID"].endswith("@wales.example>"))
        self.assertLess(abs(parsed["Date"].datetime.timestamp() - time.time()), 60)
        self.assertEqual(parsed.get_content_type(), "multipart/mixed")
        self.assertEqual([part.get_content_type() for part in parsed.walk()],
                         ["multipart/mixed", "multipart/alternative", "text/plain", "text/calendar", "application/ics"])
        text = parsed.get_body(("plain",)).get_content()
        for line in ("Annwyl Ŵyn ap Rhys,", "Dear Ŵyn ap Rhys,", "Pryd: Dydd Mawrth 3 Mawrth 2026, 14:00 (Europe/London)",
                     ".A line that begins with a dot", "https://wales.example/r/abc", "Gofynnodd MedCity i ni anfon hwn atoch."):
            self.assertTrue(any(line in found for found in text.splitlines()), line)
        calendar = next(part for part in parsed.walk() if part.get_content_type() == "text/calendar")
        self.assertEqual(calendar.get_param("method"), "REQUEST")
        wanted = calendar.get_payload(decode=True)
        self.assertIn("SUMMARY:Therapi celloedd yng Nghaerdydd ŵŷ\r\n".encode(), wanted)
        [attachment] = parsed.iter_attachments()
        self.assertEqual(attachment.get_filename(), "event.ics")
        self.assertEqual(attachment.get_payload(decode=True), wanted)

    def test_header_in_a_name_or_title_is_refused(self):
        relay = Relay()
        with Server(relay) as server:
            for option in ("--title", "--name"):
                [mail] = self.send(server.port, option, "Therapi\r\nBcc: eve@evil.example", "--journal", str(self.folder / option[2:]))
                self.assertEqual((mail["step"], mail["tries"]), ("FAILED", 0))
                self.assertIn("line break", mail["said"])
        self.assertEqual(relay.heard, [])

    # ---- What the relay may answer ----

    def test_refused_recipient_is_refused_for_good(self):
        relay = Relay([("rcpt", f"550 5.1.1 <{ADA}>: Recipient address rejected: no ada.okafor here")])
        with Server(relay) as server:
            refused, taken = sorted(self.send(server.port, to=(ADA, "bob@one.example")), key=lambda mail: mail["step"])
        self.assertEqual((refused["step"], refused["tries"], refused["code"]), ("FAILED", 1, 550))
        self.assertEqual(refused["said"], "550 5.1.1 (address) Recipient address rejected: no (address) here")
        self.assertEqual(taken["step"], "SENT")
        self.assertEqual(len(relay.taken), 1)

    def test_refused_content_is_refused_for_good(self):
        relay = Relay([("data", "554 5.7.1 message looks like spam")])
        with Server(relay) as server:
            [mail] = self.send(server.port)
        self.assertEqual((mail["step"], mail["tries"], mail["said"]), ("FAILED", 1, "554 5.7.1 message looks like spam"))

    def test_later_means_later(self):
        relay = Relay([("rcpt", "451 4.7.1 greylisted"), ("data", "452 4.3.1 disk full")])
        with Server(relay) as server:
            [mail] = self.send(server.port)
        self.assertEqual((mail["step"], mail["tries"], mail["double"]), ("SENT", 3, False))
        self.assertEqual(len(relay.taken), 1)
        self.assertEqual(len(set(relay.heard)), 1)

    def test_relay_that_is_down_and_up_again(self):
        relay = Relay()
        with Server(relay) as server:
            port = server.port
        [mail] = self.send(port, "--until", "put-off")
        self.assertEqual((mail["step"], mail["tries"], mail["code"]), ("PUT_OFF", 1, 0))
        with Server(relay, port=port):
            [mail] = self.send(port)
        self.assertEqual((mail["step"], mail["tries"], mail["double"]), ("SENT", 2, False))
        self.assertEqual(len(relay.taken), 1)

    def test_relay_that_stays_down_is_given_up_and_said(self):
        with Server(Relay()) as server:
            port = server.port
        [mail] = self.send(port)
        self.assertEqual(mail["step"], "FAILED")
        # Three days: 1, 2, 4 ... 32 minutes, then each hour.
        self.assertGreater(mail["tries"], 70)

    def test_slow_relay_costs_a_try_and_no_more(self):
        relay = Relay(["slow-rcpt"])
        with Server(relay) as server:
            [mail] = self.send(server.port, "--timeout-ms", "400", "--until", "put-off")
            self.assertEqual((mail["step"], mail["double"]), ("PUT_OFF", False))
            self.assertIn("did not answer in time", mail["said"])
            relay.release.set()
            [mail] = self.send(server.port)
        self.assertEqual((mail["step"], mail["tries"], mail["double"]), ("SENT", 2, False))
        self.assertEqual(len(relay.taken), 1)

    def test_answer_that_is_not_heard_is_a_doubt_and_said(self):
        relay = Relay(["slow-data"])
        with Server(relay) as server:
            [mail] = self.send(server.port, "--timeout-ms", "400", "--until", "put-off")
            self.assertEqual((mail["step"], mail["double"]), ("PUT_OFF", True))
            [mail] = self.send(server.port)
        self.assertEqual((mail["step"], mail["tries"], mail["double"]), ("SENT", 2, True))
        # Twice, and recognisable as one.
        self.assertEqual(len(relay.taken), 2)
        self.assertEqual(len(set(relay.ids())), 1)
        self.assertEqual(relay.taken[0][2], relay.taken[1][2])

    def test_answer_that_is_never_heard_is_given_up(self):
        relay = Relay(["slow-data"] * 5)
        with Server(relay) as server:
            [mail] = self.send(server.port, "--timeout-ms", "400")
        self.assertEqual((mail["step"], mail["double"]), ("FAILED", True))
        self.assertIn("may have arrived", mail["said"])
        self.assertEqual(len(relay.taken), 2)

    # ---- Whom we talk to ----

    def test_certificates_are_checked(self):
        ours, others = Authority(self.folder), Authority(self.folder)
        cases = [(ours, ours.context("localhost"), True), (ours, ours.context("mail.evil.example"), False),
                 (others, ours.context("localhost"), False)]
        for number, (trusted, context, is_right) in enumerate(cases):
            for scheme in ("smtp", "smtps"):
                relay = Relay()
                options = {"smtps": context} if scheme == "smtps" else {"tls_context": context, "require_starttls": True}
                with self.subTest(number=number, scheme=scheme), Server(relay, **options) as server:
                    [mail] = self.send(server.port, "--ca", str(trusted.file), "--journal", str(self.folder / f"{scheme}{number}"),
                                       "--until", "put-off", scheme=scheme)
                    self.assertEqual(mail["step"], "SENT" if is_right else "PUT_OFF")
                    self.assertEqual(len(relay.taken), 1 if is_right else 0)
                    if is_right:
                        self.assertTrue(relay.taken[0][3] or scheme == "smtps")
                    else:
                        self.assertIn("certificate", mail["said"])

    def test_nothing_is_sent_in_clear_where_encryption_is_wanted(self):
        relay = Relay()
        with Server(relay) as server:
            [mail] = self.send(server.port, "--ca", str(Authority(self.folder).file), "--until", "put-off")
        self.assertEqual(mail["step"], "PUT_OFF")
        self.assertIn("encryption", mail["said"])
        self.assertEqual(relay.heard, [])

    def test_sign_in(self):
        def judge(server, session, envelope, mechanism, data):
            is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"wales", b"s3cret word")
            return AuthResult(success=is_right, handled=False, auth_data="wales" if is_right else None)

        authority = Authority(self.folder)
        credentials = self.folder / "credentials"
        for password, is_right in (("s3cret word", True), ("wrong", False)):
            credentials.write_text(f"wales\n{password}\n")
            credentials.chmod(0o600)
            relay = Relay()
            with Server(relay, tls_context=authority.context("localhost"), require_starttls=True, auth_required=True,
                        authenticator=judge) as server:
                [mail] = self.send(server.port, "--ca", str(authority.file), "--credentials", str(credentials), "--until", "put-off",
                                   "--journal", str(self.folder / password))
            self.assertEqual(mail["step"], "SENT" if is_right else "PUT_OFF")
            self.assertEqual([taken[4] for taken in relay.taken], ["wales"] if is_right else [])
        self.assertIn("535", mail["said"])
        # That the relay wants a sign-in is the operator's business, not the mail's.
        relay = Relay()
        with Server(relay, auth_required=True, auth_require_tls=False, authenticator=judge) as server:
            [mail] = self.send(server.port, "--until", "put-off", "--journal", str(self.folder / "none"))
        self.assertEqual((mail["step"], mail["code"]), ("PUT_OFF", 530))

    def test_settings_are_refused_with_their_field(self):
        credentials = self.folder / "credentials"
        credentials.write_text("wales\nsecret\n")
        credentials.chmod(0o644)
        cases = [(["--credentials", str(credentials)], "credentials_file", "chmod 600"),
                 (["--credentials", "/nowhere"], "credentials_file", "cannot be read"), (["--ca", "/nowhere"], "ca_file", "cannot be read"),
                 (["--from", "nobody"], "from", "address"), (["--relay", "https://one:25"], "relay", "smtp://"),
                 (["--relay", "smtp://user:word@relay:25"], "relay", "credentials_file"), (["--relay", "smtp://relay:25/x"], "relay", "port")]
        for options, field, word in cases:
            with self.subTest(options=options):
                [refusal] = self.send(1, *options, wanted=3)
                self.assertEqual(refusal["field"], field)
                self.assertIn(word, refusal["refused"])

    # ---- Once in effect ----

    def test_killed_at_each_point_nothing_is_lost_and_what_may_be_double_is_said(self):
        # Where it dies: how often it arrives in all, and whether that is said.
        for point, arrivals, is_double in (("queued", 1, False), ("begun", 1, True), ("accepted", 2, True), ("sent", 1, False)):
            relay = Relay()
            journal = ["--journal", str(self.folder / point)]
            with self.subTest(point=point), Server(relay) as server:
                process = self.start(server.port, "--die", point, *journal)
                process.communicate(timeout=30)
                self.assertEqual(process.returncode, -signal.SIGKILL)
                [mail] = self.send(server.port, *journal)
                self.assertEqual((mail["step"], mail["double"]), ("SENT", is_double))
                self.assertEqual(len(relay.taken), arrivals)
                self.assertEqual(len(set(relay.ids())), 1)
                # Once more: it is known to be sent.
                self.send(server.port, *journal)
                self.assertEqual(len(relay.taken), arrivals)

    def test_killed_in_the_middle_of_the_dialogue(self):
        for act, arrivals in (("kill-data", 1), ("kill-taken", 2)):
            relay = Relay([act])
            journal = ["--journal", str(self.folder / act)]
            with self.subTest(act=act), Server(relay) as server:
                relay.process = self.start(server.port, *journal)
                relay.process.wait(timeout=30)
                relay.process.stdout.close()
                self.assertEqual(relay.process.returncode, -signal.SIGKILL)
                [mail] = self.send(server.port, *journal)
            self.assertEqual((mail["step"], mail["double"], mail["tries"]), ("SENT", True, 2))
            self.assertEqual(len(relay.taken), arrivals)
            self.assertEqual(len(set(relay.heard)), 1)

    def test_killed_twice_in_doubt_it_is_not_sent_a_third_time(self):
        relay = Relay()
        with Server(relay) as server:
            for _ in range(2):
                process = self.start(server.port, "--die", "accepted")
                process.communicate(timeout=30)
                self.assertEqual(process.returncode, -signal.SIGKILL)
            [mail] = self.send(server.port)
        self.assertEqual((mail["step"], mail["double"]), ("FAILED", True))
        self.assertIn("may have arrived", mail["said"])
        self.assertEqual(len(relay.taken), 2)

    def test_many_mails_each_arrive_once(self):
        people = [f"person{number}@one.example" for number in range(150)]
        script = [("rcpt", "451 4.7.1 later") if number % 7 == 0 else ("data", "451 4.7.1 later") if number % 11 == 0 else None
                  for number in range(150)]
        relay = Relay(script)
        with Server(relay) as server:
            mails = self.send(server.port, to=people)
        self.assertEqual([mail["step"] for mail in mails], ["SENT"] * 150)
        self.assertEqual(sorted(taken[1][0] for taken in relay.taken), sorted(people))
        self.assertEqual(len(set(relay.ids())), 150)

    def test_rate_is_held(self):
        relay = Relay()
        begun = time.monotonic()
        with Server(relay) as server:
            self.send(server.port, "--per-minute", "300", to=[f"person{number}@one.example" for number in range(10)])
        # Five a second: the first at once.
        self.assertGreater(time.monotonic() - begun, 1.7)
        self.assertEqual(len(relay.taken), 10)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    os.environ.pop("LYCEUM_CONFIG", None)
    unittest.main(warnings="ignore")
