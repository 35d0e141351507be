"""A view that runs and one that is built anew from the log give the same answers, for every plugin that keeps one.

Arguments: the build folder. Two nodes below a hub do what people do, by a seed: add, change, relabel, withdraw, erase; one of them keeps
only the last record of each subject. Then each plugin is killed, its folder emptied but for its secret, and asked the same again.
"""
import concurrent.futures, json, os, pathlib, random, re, shutil, signal, subprocess, sys, tempfile, time

BUILD = pathlib.Path(sys.argv[1]).resolve()
SEEDS = [int(word) for word in sys.argv[2:]] or [17]
DEADLINE_S = 30
PLUGINS = [name for name in ("experts", "investment", "convening", "http", "equipment") if (BUILD / f"plugins/{name}/{name}.so").exists()]
# What a plugin could not make again: with another one its tokens are others.
SECRETS = {"investment": {"secret"}, "convening": {"secret"}, "http": {"secret", "token.key"}}


def wait_for(what, check):
    deadline = time.monotonic() + DEADLINE_S
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            sys.exit(f"in {DEADLINE_S} s there was no {what}")
        time.sleep(0.05)


class Node:
    def __init__(self, network, name):
        self.network, self.name = network, name
        self.folder, self.config, self.process = network / name, network / f"{name}.yaml", None
        self.folder.mkdir(mode=0o700)
        key = self.folder / "daemon.key"
        out = subprocess.run([BUILD / "tools/lyceum/lyceum", "keygen", key], capture_output=True, text=True, check=True).stdout
        self.public_key = re.search(r'public_key: "(.{40})"', out).group(1)
        self.log = open(network / f"{name}.log", "a")

    def start(self, text):
        self.config.write_text(f"name: {self.name}\ndata: {self.folder}\n{text}")
        self.process = subprocess.Popen([BUILD / "broker/lyceumd", "--config", self.config], stdout=self.log, stderr=self.log)

    def run(self, *words):
        done = subprocess.run([BUILD / "tools/lyceum/lyceum", "--config", self.config, *words], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def call(self, method, **request):
        """The reply, or None where it was refused."""
        code, out, err = self.run("call", method, json.dumps(request), "--json")
        if code != 0:
            return None
        return strip(json.loads(out))

    def status(self):
        return json.loads(self.run("status", "--json")[1])

    def are_running(self):
        code, out, _ = self.run("status", "--json")
        plugins = json.loads(out).get("plugin", []) if code == 0 else []
        return len(plugins) == len(PLUGINS) and all(plugin["state"] == "RUNNING" for plugin in plugins)


def strip(value):
    """Without what is said of the answer itself: who gave it, when, and how far its log was."""
    if isinstance(value, dict):
        return {key: strip(item) for key, item in value.items() if key not in ("meta", "asOf", "position", "ageMs", "tookUs")}
    return [strip(item) for item in value] if isinstance(value, list) else value


# ---- what people do ----

class Doings:
    def __init__(self, rng, nodes):
        self.rng, self.nodes, self.done, self.refused = rng, nodes, {}, {}

    def do(self, node, method, **request):
        reply = node.call(method, **request)
        count = self.done if reply is not None else self.refused
        count[method] = count.get(method, 0) + 1
        return reply

    def visibility(self):
        return self.rng.choice([{"visibility": "MEMBERS"}, {"visibility": "PUBLIC"}, {"visibility": "PRIVATE"},
                                {"visibility": "AUDIENCE", "audience": [self.rng.choice(["wales", "cork"])]}])

    def experts(self, node):
        number = self.rng.randrange(6)
        if self.rng.random() < 0.15:
            return self.do(node, "lyceum.experts.v1.ExpertDirectory/Remove", id=f"p{number}")
        self.do(node, "lyceum.experts.v1.ExpertDirectory/Add", name=f"Person {number} of {node.name}", id=f"p{number}",
                topic=self.rng.sample(["sepsis", "genomics", "vaccines", "imaging", "cell therapy"], 2), region=self.rng.choice(["Wales", "London"]),
                email=f"p{number}@{node.name}.example", organisation=self.rng.choice(["One University", "Two Hospital"]), **self.visibility())

    def investment(self, node):
        number, pick = self.rng.randrange(4), self.rng.random()
        if pick < 0.35:
            self.do(node, "lyceum.investment.v1.Registry/AddVenture", name=f"Venture {number} {node.name}", id=f"v{number}", contact="c@v.example", stage="SEED",
                    sector=["diagnostics"], region="Wales", ask_min="100000", ask_max=str(500000 + 1000 * self.rng.randrange(9)))
        elif pick < 0.7:
            self.do(node, "lyceum.investment.v1.Registry/AddInvestor", name=f"Investor {number} {node.name}", id=f"i{number}", contact="c@i.example", ticket_min="50000",
                    ticket_max=str(200000 + 1000 * self.rng.randrange(9)), stage=["SEED"], sector=["diagnostics"], region=["UK"], exempt=True)
        elif pick < 0.76:
            self.do(node, "lyceum.investment.v1.Registry/RemoveParty", id=self.rng.choice("vi") + str(number))
        elif pick < 0.82:
            self.do(node, "lyceum.investment.v1.Conflicts/DeclareConflict", ours=f"i{number}", other=f"Venture {number} {node.name}", nature="a cousin")
        elif pick < 0.88:
            self.do(node, "lyceum.investment.v1.Interests/DeclareInterest", investor=f"i{number}")
        elif pick < 0.94:
            self.do(node, "lyceum.investment.v1.Rounds/AddRound", id=f"r{number}", venture=f"v{number}", stage="SEED", target="1000000", visibility="MEMBERS")
            self.do(node, "lyceum.investment.v1.Rounds/Commit", id=f"c{number}", round=f"r{number}", investor=f"i{number}",
                    amount=str(10000 + self.rng.randrange(9)), visibility="MEMBERS")
        else:
            self.do(node, "lyceum.investment.v1.Matching/Propose", days=14)
            proposals = node.call("lyceum.investment.v1.Matching/ListProposals") or {}
            for proposal in self.rng.sample(proposals.get("proposal", []), min(1, len(proposals.get("proposal", [])))):
                name = proposal.get("id") or proposal.get("proposal")
                self.do(node, "lyceum.investment.v1.Matching/" + self.rng.choice(["OptIn", "OptOut"]), proposal=name, side=self.rng.choice(["VENTURE", "INVESTOR"]))

    def convening(self, node):
        number, pick = self.rng.randrange(4), self.rng.random()
        event, prefix = f"e{number}", "lyceum.convening.v1."
        if pick < 0.3:
            self.do(node, prefix + "Events/Create", title=f"Event {number}", id=event, start=f"2031-03-{10 + number}T10:00", minutes=60, zone="Europe/London",
                    place="Room 1", cap=2, **self.visibility())
        elif pick < 0.45:
            self.do(node, prefix + "Events/Update", event=event, place=f"Room {self.rng.randrange(9)}", cap=self.rng.randrange(1, 4))
        elif pick < 0.5:
            self.do(node, prefix + "Events/Cancel", event=event, reason="rain")
        elif pick < 0.7:
            other = self.rng.choice(self.nodes)
            self.do(node, prefix + "Invitations/Rsvp", event=f"{event}@{other.name}", choice=self.rng.choice(["YES", "NO", "MAYBE"]))
        elif pick < 0.85:
            self.do(node, prefix + "Notes/AddNote", event=event, text=f"Said {self.rng.randrange(99)}", speaker="Ada")
        elif pick < 0.92:
            self.do(node, prefix + "Invitations/Invite", event=event, member=[self.rng.choice(["ann@wales", "bob@cork"])])
        else:
            self.do(node, prefix + "Events/AddBlackout", **{"from": f"2031-05-0{1 + number}"}, until="2031-05-09", reason="holidays", for_all=True)

    def equipment(self, node):
        number, pick, prefix = self.rng.randrange(4), self.rng.random(), "lyceum.equipment.v1.Equipment/"
        day = self.rng.randrange(1, 28)
        if pick < 0.4:
            self.do(node, prefix + "Offer", id=f"x{number}", title=f"Cryostat {self.rng.randrange(9)}", place="Hall 1", contact="the porter",
                    private=self.rng.random() < 0.3)
        elif pick < 0.9:
            self.do(node, prefix + "Book", id=f"x{number}", home=self.rng.choice(self.nodes).name, purpose=f"trial {day}", **{"from": f"2031-06-{day:02}"},
                    until=f"2031-06-{day + 2:02}")
        else:
            self.do(node, prefix + "Release", id=f"x{number}", home=node.name, **{"from": f"2031-06-{day:02}"})

    def http(self, node):
        name = self.rng.choice(["ann", "bob", "cai"])
        if self.rng.random() < 0.2:
            self.do(node, "lyceum.http.v1.Users/Remove", name=name)
        else:
            self.do(node, "lyceum.http.v1.Users/Invite", name=name, groups=self.rng.sample(["policy", "money", "press"], 2))

    def erase(self, node, package):
        """Some of the node's own records, whatever they are."""
        lines = node.run("log", f"lyceum.{package}.v1.>", "--json")[1].splitlines()
        records = [json.loads(line) for line in lines]
        subjects = sorted({record["subject"] for record in records if record.get("origin", node.name) == node.name})
        for subject in self.rng.sample(subjects, min(3, len(subjects))):
            code, out, err = node.run("erase", subject)
            if code != 0:
                sys.exit(f"erase {subject} at {node.name}: {err}")
            self.done["erase"] = self.done.get("erase", 0) + 1


# ---- what is asked ----

def questions(plugin):
    experts, invest, convening = "lyceum.experts.v1.", "lyceum.investment.v1.", "lyceum.convening.v1."
    homes = ("wales", "cork")
    return {
        "experts": [(experts + "ExpertDirectory/List", {})] +
                   [(experts + "ExpertDirectory/Get", {"id": f"p{i}", "home": home}) for i in range(6) for home in homes] +
                   [(experts + "ExpertSearch/Find", {"text": text, "limit": 50}) for text in ("sepsis", "genomics cell", "")],
        "investment": [(invest + method, {}) for method in ("Market/ListProfiles", "Market/ListWords", "Interests/ListInterests", "Interests/ListCredits",
                                                            "Matching/ListProposals", "Matching/ListBatches", "Conflicts/ListConflicts", "Registry/ListParties",
                                                            "Rounds/ListRounds", "Rounds/Report")] +
                      [(invest + "Registry/ShowParty", {"id": f"{side}{i}"}) for side in "vi" for i in range(4)],
        "convening": [(convening + "Events/List", {"from": "2031-01-01", "until": "2031-12-31", "with_cancelled": True}), (convening + "Events/ListBlackouts", {}),
                      (convening + "Notes/ListNotes", {}), (convening + "Mails/ListMails", {})] +
                     [(convening + method, {"event": f"e{i}@{home}"}) for method in ("Events/Show", "Invitations/ListAnswers", "Calendar/Export")
                      for i in range(4) for home in homes],
        "http": [("lyceum.http.v1.Users/List", {})],
        "equipment": [("lyceum.equipment.v1.Equipment/Find", {"text": text}) for text in ("", "cryostat", "hall")],
    }[plugin]


def answer(node, method, request):
    """As text; a refusal counts with its sentence."""
    code, out, err = node.run("call", method, json.dumps(request), "--json")
    # When it was asked stands in an exported calendar.
    text = json.dumps(strip(json.loads(out))) if code == 0 else err.split("\n")[0]
    return re.sub(r"DTSTAMP:\w+", "", text)


def all_answers(nodes):
    """Several at a time: they ask, and change nothing."""
    asked = [(node, plugin, *question) for node in nodes for plugin in PLUGINS for question in questions(plugin)]
    found = {(node.name, plugin): {} for node in nodes for plugin in PLUGINS}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for (node, plugin, method, request), text in zip(asked, pool.map(lambda ask: answer(ask[0], *ask[2:]), asked)):
            found[node.name, plugin][method + " " + json.dumps(request)] = text
    return found


def settled(nodes):
    """What all say when their timers have nothing more to do."""
    last = None
    for _ in range(20):
        now = all_answers(nodes)
        if now == last:
            return now
        last = now
        time.sleep(0.6)
    sys.exit("the plugins do not come to rest")


def rebuild(node):
    """Kill them, and take away all that they have but their secrets."""
    pids = {found["name"]: int(found["pid"]) for found in node.status()["plugin"]}
    for plugin, pid in pids.items():
        os.kill(pid, signal.SIGKILL)
        for path in (node.folder / "plugins" / plugin).iterdir():
            if path.name not in SECRETS.get(plugin, set()):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def are_others():
        return node.are_running() and not {str(pid) for pid in pids.values()} & {found.get("pid") for found in node.status()["plugin"]}
    wait_for(f"plugins at {node.name} that run again", are_others)


def compare(nodes):
    before = settled(nodes)
    for node in nodes:
        rebuild(node)
    after = settled(nodes)
    different = 0
    for (node, plugin), said in before.items():
        for question, answer in said.items():
            if after[node, plugin][question] != answer:
                print(f"{plugin} at {node}: {question}\n  running: {answer}\n  rebuilt: {after[node, plugin][question]}")
                different += 1
    return different


def positions(node):
    status = node.status()
    return {found["origin"]: int(found.get("seq", 0)) for found in status.get("origin", [])}


def come_together(nodes, hub):
    def is_so():
        own = {node.name: positions(node).get(node.name, 0) for node in nodes}
        return all(positions(other).get(name, 0) >= seq for name, seq in own.items() for other in nodes + [hub])
    wait_for("network of one mind", is_so)


def run(seed, network):
    rng = random.Random(seed)
    hub, wales, cork = Node(network, "hub"), Node(network, "wales"), Node(network, "cork")
    nodes = [wales, cork]
    try:
        keys = "".join(f"  - {{name: {node.name}, role: NODE, public_key: '{node.public_key}'}}\n" for node in nodes)
        hub.start(f"listen:\n  - endpoint: ipc://{network}/hub/sock\n  - endpoint: tcp://127.0.0.1:0\nkeys:\n{keys}")
        endpoint = wait_for("endpoint of the hub", lambda: (hub.folder / "endpoints").exists() and
                            re.search(r"tcp://127\.0\.0\.1:\d+", (hub.folder / "endpoints").read_text())).group()
        (network / "http.yaml").write_text("listen: 127.0.0.1:0\n")
        rest = f"uplink: {{name: hub, endpoint: '{endpoint}', server_key: '{hub.public_key}'}}\nplugins:\n"
        for plugin in PLUGINS:
            more = f", config_file: {network}/http.yaml" if plugin == "http" else ""
            rest += f"  - {{name: {plugin}, path: {BUILD}/plugins/{plugin}/{plugin}.so{more}}}\n"
        wales.start(rest + 'streams:\n  - {name: all, subjects: [">"], last_per_subject: true, check_every: 1s}\n')
        cork.start(rest)
        for node in nodes:
            wait_for(f"plugins at {node.name}", node.are_running)
        doings = Doings(rng, nodes)
        for step in range(len(PLUGINS) * 24):
            getattr(doings, PLUGINS[step % len(PLUGINS)])(rng.choice(nodes))
        come_together(nodes, hub)
        for plugin in PLUGINS:
            doings.erase(rng.choice(nodes), plugin)
        for step in range(len(PLUGINS) * 5):
            getattr(doings, PLUGINS[step % len(PLUGINS)])(rng.choice(nodes))
        come_together(nodes, hub)
        removed = wait_for("removal by retention", lambda: int(wales.status()["storage"].get("stream", [{}])[0].get("removed", 0)))
        different = compare(nodes)
        done = sum(doings.done.values())
        print(f"seed {seed}: {done} done, {sum(doings.refused.values())} refused, {removed} records removed at wales, {different} answers differ")
        for plugin in PLUGINS:
            if not any(f".{plugin}." in method for method in doings.done):
                sys.exit(f"nothing was done with {plugin}: {doings.refused}")
        return different
    finally:
        for node in (wales, cork, hub):
            if node.process:
                node.process.terminate()
        for node in (wales, cork, hub):
            if node.process:
                node.process.wait(DEADLINE_S)
            node.log.close()


def main():
    different = 0
    for seed in SEEDS:
        network = pathlib.Path(tempfile.mkdtemp(prefix="lyc-", dir="/tmp"))
        try:
            different += run(seed, network)
        finally:
            if os.environ.get("LYCEUM_KEEP"):
                print(network)
            else:
                shutil.rmtree(network)
    sys.exit(1 if different else 0)


main()
