#!/usr/bin/env python3
"""What the benches measured, put together.

    report.py [--json FILE] [--record FOLDER] ROWS.json ...     ROWS.json are what `bench_NAME --json` wrote
    report.py --check FOLDER

--json: all rows in one file. --record: bench/results.json below the folder, with what machine and which versions, and from it alone
bench/RESULTS.md behind what is said there by hand, three charts beside it, and in README.md what stands between the two marks. --check: whether those are what the file comes to; without a file there must be no figures."""
import argparse
import json
import os
import platform
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import charts
from curve import curve
from targets import against, targets

HERE = os.path.dirname(os.path.abspath(__file__))
MARK = "<!-- What follows is written by `./dev bench --record`. -->"
BEGIN = "<!-- What stands here is written by `./dev bench --record`. -->"
END = "<!-- Until here. -->"
NOTHING = "not installed"


# ---- the machine ----

def said(*command):
    """The first line that a program says."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False, cwd=HERE)
        return (done.stdout + done.stderr).strip().splitlines()[0].strip()
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return NOTHING


def first_match(path, name):
    with open(path, encoding="utf-8") as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith(name)), "")


def commit():
    """With a mark when more was changed than what a record writes."""
    pages = ["README.md", "bench/RESULTS.md", "bench/results.json", "bench/*.svg"]
    changed = said("git", "status", "--porcelain", "--", ":/", *[":(top,exclude)" + page for page in pages])
    return said("git", "rev-parse", "--short", "HEAD") + ("" if changed == NOTHING else "-dirty")


def machine():
    modules = ["libzmq", "libsodium", "libprotobuf-c", "xapian-core", "sqlite3", "libpq"]
    return {
        "commit": commit(),
        "processor": first_match("/proc/cpuinfo", "model name"),
        "memory": f"{int(first_match('/proc/meminfo', 'MemTotal').split()[0]) / 1048576:.0f} GiB",
        "kernel": platform.release(),
        "disk": said("findmnt", "-n", "-o", "FSTYPE", "-T", os.environ.get("TMPDIR", "/tmp")),
        "versions": [
            said("gcc", "--version"),
            said("nats-server", "--version"),
            said("sh", "-c", "PATH=$PATH:/usr/sbin mosquitto -h"),
            " ".join(said("redis-server", "--version").split()[:3]),
            said("/usr/lib/postgresql/15/bin/postgres", "--version"),
        ] + [f"{name} {said('pkg-config', '--modversion', name)}" for name in modules],
    }


# ---- RESULTS.md ----

def row_columns(rows):
    columns = [("p50 us", "p50_us"), ("p99 us", "p99_us"), ("broker CPU s/1M", "cpu_s_per_million"), ("all CPU s/1M", "all_cpu_s_per_million"),
               ("the load's k/s", "load_k_per_s")]
    return [(name, key) for name, key in columns if any(row.get(key) for row in rows)]


def table(rows):
    is_cost = rows[0]["better"] == "less"
    columns = row_columns(rows)
    reference = next((row["ratio_to"] for row in rows if "ratio_to" in row), None)
    head = ["who", f"{rows[0]['unit']}{', less is better' if is_cost else ''}, median (min-max)"]
    head += [f"to {reference}{', below 1 is better' if is_cost else ''}"] if reference else []
    head += [name for name, _ in columns] + ["lost", "rounds"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        if not row["rounds"]:
            lines.append(f"| {row['who']} | not measured: {row['fault']} |" + " |" * (len(head) - 2))
            continue
        cells = [row["who"], f"{charts.number(row['median'])} ({charts.number(row['min'])}-{charts.number(row['max'])})"]
        cells += [charts.number(row.get("ratio"))] if reference else []
        cells += [charts.number(row.get(key)) for _, key in columns]
        cells += [str(row["lost"]), str(row["rounds"]) + (f", then: {row['fault']}" if row["fault"] else "")]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def bench_part(bench):
    lines = ["", f"## {bench['title']}", "", f"`./dev bench {bench['bench']}`, {bench['date']}, {bench['machine']['commit']}."]
    meanings = {}
    for (_, title, one_core), rows in charts.groups(bench["rows"]).items():
        lines += ["", title + (", all processes on one core:" if one_core else ":"), ""] + table(rows)
        meanings.update({row["who"]: row["meaning"] for row in rows if row.get("meaning")})
        if rows[0].get("target"):
            lines += ["", f"Target: {rows[0]['target']}."]
    if meanings:
        lines += [""] + [f"- {who}: {meaning}" for who, meaning in meanings.items()]
    if bench["bench"] == "flat":
        lines += ["", "![What a message costs against what stands by](flat.svg)"]
    if any(row.get("samples") for row in bench["rows"]):
        lines += ["", "![Private memory while many publish](memory.svg)"]
    return lines


def machine_part(benches):
    """Once, where all were measured on the same."""
    lines = []
    for bench in benches:
        there = bench["machine"]
        line = (f"{bench['cores']} cores ({there['processor']}), {there['memory']} of memory, kernel {there['kernel']}, {there['disk']}. "
                f"Lyceum {bench['lyceum']}; " + "; ".join(there["versions"]) + ".")
        lines += [line] if line not in lines else []
    return [word for line in lines for word in ("", line)]


def results(benches):
    rows = [row for bench in benches for row in bench["rows"]]
    lost = sum(row["lost"] for row in rows)
    rounds = [row["rounds"] for row in rows if row["rounds"]]
    lines = ["", "## The record", "", f"{len(rows)} rows, {min(rounds)} to {max(rounds)} rounds each, {lost:,} messages lost."]
    lines += machine_part(benches)
    judged = targets(rows)
    if judged:
        lines += ["", "| target | floor | aim | here | |", "|---|---|---|---|---|"]
        lines += ["| " + " | ".join(cells) + " |" for cells in judged]
    for bench in benches:
        lines += bench_part(bench)
    return "\n".join(lines) + "\n"


# ---- README.md ----

def pick(rows, workload, who, **wanted):
    return next((row for row in rows if row["workload"] == workload and row["who"] == who and row["rounds"] and not row["one_core"] and
                 all(row[key] == value for key, value in wanted.items())), None)


def times(row, other):
    return f"{charts.number(against(row, other))} times"


def headlines(rows):
    """The two or three that tell most; each only where it was measured."""
    lines = []
    calls = [pick(rows, "calls", who, size=256, outstanding=256) for who in ("Lyceum, plugin process", "zmq_proxy, tcp", "NATS, raw client")]
    if all(calls):
        lines.append(f"- **{charts.number(calls[0]['median'])} calls a second** to a plugin in a process of its own, each typed, checked and authorised: "
                     f"{times(calls[0], calls[1])} what `zmq_proxy` carries of bare bytes, {times(calls[0], calls[2])} NATS.")
    fan = [pick(rows, "fan-out", who, count=8) for who in ("Lyceum", "NATS, raw clients")]
    if all(fan):
        lines.append(f"- **{charts.number(fan[0]['median'])} deliveries a second** to eight subscribers, the label judged for each of them: {times(*fan)} NATS.")
    durable = [pick(rows, "durable", who, count=1, outstanding=256) for who in ("Lyceum", "Redis Streams, fsync always", "JetStream, raw client")]
    if all(durable):
        lines.append(f"- **{charts.number(durable[0]['median'])} durable publishes a second**, synced before they are acknowledged: "
                     f"{times(durable[0], durable[1])} Redis Streams that sync, too, {times(durable[0], durable[2])} JetStream, which does not.")
    return lines


def readme_part(benches):
    rows = [row for bench in benches for row in bench["rows"]]
    date = max(bench["date"] for bench in benches)[:10]
    cores = benches[0]["cores"]
    return "\n".join(["", "![Lyceum beside its peers](bench/chart.svg)", ""] + headlines(rows) +
                     ["", f"Measured on {date} on {cores} cores, all in turns on the same machine. All tables, what was below its floor, and how: "
                      "[bench/RESULTS.md](bench/RESULTS.md).", ""])


# ---- files ----

def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def between(page, part):
    """The README with something else between its marks."""
    head, _, rest = page.partition(BEGIN)
    _, mark, tail = rest.partition(END)
    if not mark:
        sys.exit("README.md has not the two marks between which the record stands")
    return head + BEGIN + "\n" + part + END + tail


def made(folder, benches):
    """All that the record comes to: {path: text}. Without a record: pages without figures, and no charts."""
    readme, page = read(os.path.join(folder, "README.md")), read(os.path.join(folder, "bench/RESULTS.md"))
    rows = [row for bench in benches for row in bench["rows"]]
    by_hand = page.split(MARK)[0].rstrip() + "\n\n" + MARK + "\n"
    return {
        "README.md": between(readme, readme_part(benches) if benches else ""),
        "bench/RESULTS.md": by_hand + (results(benches) if benches else ""),
        "bench/chart.svg": charts.bars(rows) if benches else "",
        "bench/flat.svg": charts.flatness(rows) if any(row["workload"] == "flat" for row in rows) else "",
        "bench/memory.svg": curve(rows),
    }


def recorded(folder):
    text = read(os.path.join(folder, "bench/results.json"))
    return json.loads(text)["benches"] if text else []


def dumped(benches):
    """One row a line: so a difference can be read."""
    parts = []
    for bench in benches:
        head = {key: value for key, value in bench.items() if key != "rows"}
        rows = ",\n".join("  " + json.dumps(row) for row in bench["rows"])
        parts.append(json.dumps(head)[:-1] + ', "rows": [\n' + rows + "\n]}")
    return '{"benches": [\n' + ",\n".join(parts) + "\n]}\n"


def record(folder, benches):
    """Those that were measured now replace what was recorded of them."""
    there = machine()
    now = {bench["bench"]: dict(bench, machine=there) for bench in benches}
    old = recorded(folder)
    order = [bench["bench"] for bench in old] + [name for name in now if name not in [bench["bench"] for bench in old]]
    merged = {bench["bench"]: bench for bench in old} | now
    benches = [merged[name] for name in order]
    files = made(folder, benches) | {"bench/results.json": dumped(benches)}
    for path, content in files.items():
        if content:
            with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
                file.write(content)


def check(folder):
    wrong = [path for path, content in made(folder, recorded(folder)).items() if read(os.path.join(folder, path)) != content]
    if wrong:
        sys.exit(f"{', '.join(wrong)}: not what bench/results.json comes to; figures are written by `./dev bench --record` only")
    return 0


def main():
    parser = argparse.ArgumentParser(description="What the benches measured, put together.")
    parser.add_argument("--json")
    parser.add_argument("--record")
    parser.add_argument("--check")
    parser.add_argument("rows", nargs="*")
    options = parser.parse_args()
    if options.check:
        return check(options.check)
    benches = []
    for path in options.rows:
        with open(path, encoding="utf-8") as file:
            benches.append(json.load(file))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump([row for bench in benches for row in bench["rows"]], file, indent=2)
            file.write("\n")
    if options.record:
        record(options.record, benches)
    return 0


if __name__ == "__main__":
    sys.exit(main())
