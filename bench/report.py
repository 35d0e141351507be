#!/usr/bin/env python3
"""What the benches measured, put together: report.py [--json FILE] [--results FILE] [--chart FILE] ROWS.json ...

ROWS.json are what `bench_NAME --json` wrote. --json: all rows in one file. --results: the tables as Markdown, behind what is said
there by hand (above the line of dashes). --chart: bars as SVG, for the README."""
import argparse
import html
import json
import platform
import subprocess
import sys

MARK = "<!-- What follows is written by `./dev bench --record`. -->"
# Of all workloads, those that tell most; the limits (a relay, a bare file) are left out, they serve nobody.
PANELS = [
    ("calls", {"size": 256, "outstanding": 256}, "Calls through the broker", "256 outstanding, 256 bytes"),
    ("fan-out", {"count": 8}, "Fan-out to eight", "256 bytes"),
    ("durable", {"count": 1, "outstanding": 256}, "Durable publish", "256 outstanding, 256 bytes; what an acknowledgement means differs"),
    ("replay", {}, "Replay of the log", "256 bytes"),
]
LIMITS = ("byte relay", "bare file by tcp")
OURS = "#1f6f8b"
THEIRS = "#a9b4bd"
TEXT = "#6b7680"


def version(*command):
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        return (said.stdout + said.stderr).strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "not installed"


def versions():
    return {
        "nats-server": version("nats-server", "--version"),
        "mosquitto": version("/usr/sbin/mosquitto", "-h"),
        "redis-server": version("redis-server", "--version"),
        "postgres": version("/usr/lib/postgresql/15/bin/postgres", "--version"),
        "libzmq": version("pkg-config", "--modversion", "libzmq"),
        "kernel": platform.release(),
    }


def number(value):
    if value is None:
        return ""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def groups(rows):
    """The rows of each workload, in the order in which they were measured."""
    found = {}
    for row in rows:
        found.setdefault((row["workload"], row["title"], row["one_core"]), []).append(row)
    return found


def table(rows):
    columns = [("p50 us", "p50_us"), ("p99 us", "p99_us"), ("broker CPU s/1M", "cpu_s_per_million"), ("all CPU s/1M", "all_cpu_s_per_million")]
    columns = [(name, key) for name, key in columns if any(row.get(key) for row in rows)]
    reference = next((row["ratio_to"] for row in rows if "ratio_to" in row), None)
    head = ["who", f"{rows[0]['unit']}, median (min-max)"] + ([f"to {reference}"] if reference else [])
    head += [name for name, _ in columns] + ["lost", "rounds"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        if not row["rounds"]:
            lines.append(f"| {row['who']} | not measured: {row['fault']} |" + " |" * (len(head) - 2))
            continue
        cells = [row["who"], f"{number(row['median'])} ({number(row['min'])}-{number(row['max'])})"]
        cells += [number(row.get("ratio"))] if reference else []
        cells += [number(row.get(key)) for _, key in columns] + [str(row["lost"]), str(row["rounds"])]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def results(benches):
    lines = []
    for bench in benches:
        lines += ["", f"## {bench['title']} (`./dev bench {bench['bench']}`)", ""]
        lines += [f"{bench['date']}, {bench['cores']} cores, Lyceum {bench['lyceum']}."]
        meanings = {}
        for (_, title, one_core), rows in groups(bench["rows"]).items():
            lines += ["", title + (", all processes on one core:" if one_core else ":"), ""] + table(rows)
            meanings.update({row["who"]: row["meaning"] for row in rows if row.get("meaning")})
        lines += [""] + [f"- {who}: {meaning}" for who, meaning in meanings.items()]
    lines += ["", "Versions: " + "; ".join(f"{name} {said}" for name, said in versions().items()) + "."]
    return "\n".join(lines) + "\n"


def write_results(path, benches):
    try:
        with open(path, encoding="utf-8") as file:
            by_hand = file.read().split(MARK)[0].rstrip()
    except FileNotFoundError:
        by_hand = "# Results"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{by_hand}\n\n{MARK}\n{results(benches)}")


def panel_rows(rows, workload, wanted):
    """The first workload that fits: its rows, the largest first."""
    for (name, _, one_core), group in groups(rows).items():
        if name == workload and not one_core and all(group[0].get(key) == value for key, value in wanted.items()):
            return sorted((row for row in group if row["rounds"] and row["who"] not in LIMITS), key=lambda row: -row["median"])
    return []


def chart(benches):
    """One panel a workload, one bar a contestant; widths are to scale within a panel."""
    rows = [row for bench in benches for row in bench["rows"]]
    parts = []
    y = 8
    for workload, wanted, title, rest in PANELS:
        bars = panel_rows(rows, workload, wanted)
        if not bars:
            continue
        parts.append(f'<text x="8" y="{y + 14}" class="title">{html.escape(title)}</text>')
        parts.append(f'<text x="8" y="{y + 30}" class="rest">{html.escape(bars[0]["unit"])}; {html.escape(rest)}</text>')
        y += 40
        for row in bars:
            width = max(2, 400 * row["median"] / bars[0]["median"])
            colour = OURS if row["who"].startswith("Lyceum") else THEIRS
            parts.append(f'<text x="250" y="{y + 12}" class="who">{html.escape(row["who"])}</text>')
            parts.append(f'<rect x="258" y="{y}" width="{width:.1f}" height="15" rx="2" fill="{colour}"/>')
            parts.append(f'<text x="{264 + width:.1f}" y="{y + 12}" class="value">{number(row["median"])}</text>')
            y += 20
        y += 18
    style = f"text{{font:12px sans-serif;fill:{TEXT}}}.title{{font-size:14px;font-weight:bold}}.who{{text-anchor:end}}"
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{y}" viewBox="0 0 760 {y}" role="img" '
            f'aria-label="Lyceum beside its peers"><style>{style}</style>\n' + "\n".join(parts) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description="What the benches measured, put together.")
    parser.add_argument("--json")
    parser.add_argument("--results")
    parser.add_argument("--chart")
    parser.add_argument("rows", nargs="+")
    options = parser.parse_args()
    benches = []
    for path in options.rows:
        with open(path, encoding="utf-8") as file:
            benches.append(json.load(file))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump([row for bench in benches for row in bench["rows"]], file, indent=2)
            file.write("\n")
    if options.results:
        write_results(options.results, benches)
    if options.chart:
        with open(options.chart, "w", encoding="utf-8") as file:
            file.write(chart(benches))
    return 0


if __name__ == "__main__":
    sys.exit(main())
