"""An invitation from one node to an expert of another, by mail: real daemons, the real plugin, a real SMTP server, kill -9 in the middle.

Arguments: the build folder. medcity holds the event and invites; wales knows the address and sends. Once in effect: a mail that was
killed on its way is sent again with the same Message-ID, no mail is lost, and the address is nowhere but at wales.
"""
import email
import email.policy
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
from smtp_relay import Relay, Server

BUILD = None
ADA = "ada.okafor@one.example"
DEADLINE_S = 30


def await_until(what, check):
    deadline = time.monotonic() + DEADLINE_S
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"in {DEADLINE_S} s there was no {what}")
        time.sleep(0.05)


class Node:
    def __init__(self, network, name, config):
        self.folder, self.name, self.process = network / name, name, None
        self.folder.mkdir(mode=0o700)
        self.config = network / f"{name}.yaml"
        self.text = f"name: {name}\ndata: {self.folder}\n{config}"
        self.config.write_text(self.text)
        self.log = open(network / f"{name}.log", "a")

    def start(self):
        self.process = subprocess.Popen([f"{BUILD}/broker/lyceumd", "--config", str(self.config)], stdout=self.log, stderr=self.log,
                                        start_new_session=True)

    def kill(self):
        """The daemon and its plugins, as a cut of power would end them."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def run(self, *words):
        done = subprocess.run([f"{BUILD}/tools/lyceum/lyceum", "--config", str(self.config), *words], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def do(self, *words):
        code, out, err = self.run(*words)
        if code != 0:
            raise AssertionError(f"{self.name}: {' '.join(words)}: {err}{out}")
        return out

    def ask(self, *words):
        return json.loads(self.do(*words, "--json"))

    def wait(self, plugins):
        await_until(f"running {self.name}", lambda: self.run("plugins")[1].count("running") >= plugins)


class InvitationTest(unittest.TestCase):
    def setUp(self):
        self.network = pathlib.Path(tempfile.mkdtemp(prefix="lyc-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.network)
        self.relay = Relay()
        self.server = Server(self.relay).__enter__()
        self.addCleanup(self.server.__exit__)
        keys = {}
        for name in ("hub", "wales", "medcity"):
            out = subprocess.run([f"{BUILD}/tools/lyceum/lyceum", "keygen", str(self.network / f"{name}.key")], capture_output=True, text=True).stdout
            keys[name] = re.search(r'public_key: "(.{40})"', out).group(1)
        nodes = "".join(f"  - {{name: {name}, role: NODE, public_key: '{keys[name]}'}}\n" for name in ("wales", "medcity"))
        self.hub = Node(self.network, "hub", f"listen:\n  - endpoint: ipc://{self.network}/hub/sock\n  - endpoint: tcp://127.0.0.1:0\nkeys:\n{nodes}")
        self.take_key(self.hub)
        self.hub.start()
        endpoint = await_until("endpoint of the hub", self.hub_endpoint)
        (self.network / "convening.yaml").write_text(
            f"web_address: https://wales.example\nrelay:\n  url: smtp://127.0.0.1:{self.server.port}\n  from: events@wales.example\n"
            "  from_name: Canolbwynt Gwyddorau Bywyd Cymru\n  per_minute: 6000\n  languages: cy en\n")
        uplink = f"uplink: {{name: hub, endpoint: '{endpoint}', server_key: '{keys['hub']}'}}\nplugins:\n"
        plugin = "  - {name: %s, path: " + str(BUILD) + "/plugins/%s/%s.so%s}\n"
        self.medcity = Node(self.network, "medcity", uplink + plugin % ("convening", "convening", "convening", ""))
        self.wales = Node(self.network, "wales", uplink + plugin % ("experts", "experts", "experts", "") +
                          plugin % ("convening", "convening", "convening", f", config_file: {self.network}/convening.yaml"))
        (self.network / "http.yaml").write_text("listen: 127.0.0.1:0\n")
        self.has_web = (BUILD / "plugins/http/http.so").exists()
        if self.has_web:
            with open(self.wales.config, "a") as config:
                config.write(plugin % ("http", "http", "http", f", config_file: {self.network}/http.yaml"))
        for node in (self.medcity, self.wales):
            self.take_key(node)
            node.start()
        self.medcity.wait(1)
        self.wales.wait(3 if self.has_web else 2)
        self.wales.do("experts", "add", "Ada Okafor", "--email", ADA, "--id", "p1")
        self.medcity.do("event", "create", "Cell therapy: who pays?", "--start", "2031-03-04T14:00", "--minutes", "90", "--zone", "Europe/London",
                        "--place", "Ystafell 1", "--id", "who-pays")

    def tearDown(self):
        for node in (self.wales, self.medcity, self.hub):
            if node.process and node.process.poll() is None:
                node.kill()
            node.log.close()

    def take_key(self, node):
        shutil.move(self.network / f"{node.name}.key", node.folder / "daemon.key")

    def hub_endpoint(self):
        try:
            return re.search(r"tcp://127\.0\.0\.1:\d+", (self.hub.folder / "endpoints").read_text()).group()
        except (FileNotFoundError, AttributeError):
            return None

    def invite(self):
        out = self.medcity.do("event", "invite", "who-pays", "--expert", "p1@wales")
        self.assertNotIn(ADA, out)

    def mails(self, step):
        code, out, _ = self.wales.run("event", "mails", "--step", step, "--json")
        return json.loads(out).get("mail", []) if code == 0 else []

    def check_address_stays(self):
        for node, is_home in ((self.wales, True), (self.medcity, False), (self.hub, False)):
            held = [path for path in node.folder.rglob("*") if path.is_file() and ADA.encode() in path.read_bytes()]
            self.assertEqual(bool(held), is_home, f"{node.name}: {held}")
            # Nor in any daemon's words.
            self.assertNotIn("one.example", (self.network / f"{node.name}.log").read_text())

    def fetch(self, url, form=None):
        try:
            with urllib.request.urlopen(url, form, timeout=20) as page:
                return page.read().decode()
        except urllib.error.HTTPError as refusal:
            self.assertEqual(refusal.code, 404, url)
            return None

    def follow_link(self, link):
        path, token = link.groups()
        if not self.has_web:
            self.wales.do("call", "lyceum.convening.v1.Invitations/AnswerReply", json.dumps({"token": token, "choice": "YES"}))
            return
        address = (self.wales.folder / "plugins/http/address").read_text().strip().removeprefix("http://").rstrip("/")
        # The web server looks for new paths every few seconds.
        page = await_until("page of the link", lambda: self.fetch(f"http://{address}{path}"))
        self.assertIn("Cell therapy: who pays?", page)
        # Whatever opens links, it has answered nothing.
        self.assertEqual(self.medcity.ask("event", "answers", "who-pays").get("yes", 0), 0)
        self.assertTrue(self.fetch(f"http://{address}{path}", b"choice=YES"))

    def test_inviter_never_sees_the_address(self):
        self.invite()
        await_until("mail", lambda: self.relay.taken)
        [mail] = await_until("note of the mail", lambda: self.mails("SENT"))
        self.assertEqual((mail["who"], mail["kind"], mail["tries"], mail["code"]), ("p1@wales", "invite", 1, 250))
        parsed = email.message_from_bytes(self.relay.taken[0][2], policy=email.policy.default)
        self.assertEqual(parsed.defects, [])
        self.assertEqual(parsed["Subject"], "Gwahoddiad / Invitation: Cell therapy: who pays?")
        text = parsed.get_body(("plain",)).get_content()
        self.assertIn("medcity asked us to pass this on to you.", text)
        self.assertIn("Gofynnodd medcity i ni anfon hwn atoch.", text)
        calendar = next(part for part in parsed.walk() if part.get_content_type() == "text/calendar")
        self.assertEqual(calendar.get_param("method"), "REQUEST")
        lines = calendar.get_payload(decode=True).decode().replace("\r\n ", "").split("\r\n")
        self.assertIn("METHOD:REQUEST", lines)
        self.assertTrue(any(line.startswith("ATTENDEE") and line.lower().endswith("mailto:" + ADA) for line in lines), lines)
        # The link answers without an account, and the event's home hears of it.
        self.follow_link(re.search(r"https://wales\.example(/r/(\w+))", text))
        await_until("answer at the event's home",
                    lambda: [answer for answer in self.medcity.ask("event", "answers", "who-pays").get("answer", [])
                             if answer.get("choice") == "YES" and answer.get("who") == "p1@wales"])
        self.check_address_stays()

    def test_killed_in_the_middle_a_mail_arrives_and_a_double_is_known(self):
        for act, arrivals in (("kill-taken", 2), ("kill-data", 1)):
            with self.subTest(act=act):
                self.relay.taken.clear()
                self.relay.heard.clear()
                self.relay.script = [act]
                self.relay.process = self
                self.medcity.do("event", "create", "Another", "--start", "2031-03-05T14:00", "--minutes", "90", "--zone", "Europe/London", "--id", act)
                self.medcity.do("event", "invite", act, "--expert", "p1@wales")
                await_until("killed node", lambda: self.wales.process.poll() is not None)
                self.wales.start()
                self.wales.wait(3 if self.has_web else 2)
                await_until("mail", lambda: len(self.relay.taken) == arrivals)
                mail = await_until("note of the mail", lambda: [mail for mail in self.mails("SENT") if mail["event"].startswith(act)])[0]
                self.assertEqual((mail["tries"], mail["mayBeDouble"]), (2, True))
                self.assertEqual(len(set(self.relay.heard)), 1)
                # Known to be sent from now on, also by a node that begins once more.
                self.wales.kill()
                self.wales.start()
                self.wales.wait(3 if self.has_web else 2)
                self.medcity.do("event", "invite", act, "--expert", "p1@wales")
                self.assertEqual(len(self.relay.taken), arrivals)
        self.check_address_stays()

    # What the relay's script does with "the process that sends".
    def send_signal(self, number):
        self.wales.kill()

    def wait(self):
        self.wales.process.wait()

    def test_what_failed_is_shown_and_sent_again(self):
        self.relay.script = [("rcpt", f"550 5.1.1 <{ADA}>: no such user")]
        self.invite()
        [mail] = await_until("failed mail", lambda: self.mails("FAILED"))
        self.assertEqual((mail["said"], mail["code"]), ("550 5.1.1 (address) no such user", 550))
        out = self.wales.do("event", "mails")
        self.assertIn("Failed: 1.", out)
        self.assertIn("550 5.1.1", out)
        # Not by the people of another node.
        code, _, err = self.medcity.run("event", "mails", "--at", "wales")
        self.assertNotEqual(code, 0)
        self.assertIn("own people", err)
        self.assertIn("1", self.wales.do("event", "send-again", "who-pays", "p1@wales"))
        [mail] = await_until("sent mail", lambda: self.mails("SENT"))
        self.assertEqual((mail["tries"], mail.get("mayBeDouble", False)), (2, False))
        self.assertEqual(len(self.relay.taken), 1)
        self.assertIn("0", self.wales.do("event", "send-again", "who-pays"))
        self.assertIn("No relay is configured", self.medcity.do("event", "mails"))


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    os.environ.pop("LYCEUM_CONFIG", None)
    unittest.main(warnings="ignore")
