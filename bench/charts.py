"""The charts of the record, as SVG: bars beside the peers for the README, lines of flatness for RESULTS.md."""
import html
import math

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
WIDTH = 760


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


def picture(label, height, parts):
    style = (f"text{{font:12px sans-serif;fill:{TEXT}}}.title{{font-size:14px;font-weight:bold}}.who{{text-anchor:end}}"
             ".middle{text-anchor:middle}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" '
            f'aria-label="{html.escape(label)}"><style>{style}</style>\n' + "\n".join(parts) + "\n</svg>\n")


def text(x, y, kind, words):
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}">{html.escape(words)}</text>'


def panel_rows(rows, workload, wanted):
    """The first workload that fits: its rows, the largest first."""
    for (name, _, one_core), group in groups(rows).items():
        if name == workload and not one_core and all(group[0].get(key) == value for key, value in wanted.items()):
            return sorted((row for row in group if row["rounds"] and row["who"] not in LIMITS), key=lambda row: -row["median"])
    return []


def bars(rows):
    """One panel a workload, one bar a contestant; lengths are to scale within a panel."""
    parts = []
    y = 8
    for workload, wanted, title, rest in PANELS:
        found = panel_rows(rows, workload, wanted)
        if not found:
            continue
        parts += [text(8, y + 14, "title", title), text(8, y + 30, "rest", f"{found[0]['unit']}; {rest}")]
        y += 40
        for row in found:
            width = max(2, 400 * row["median"] / found[0]["median"])
            colour = OURS if row["who"].startswith("Lyceum") else THEIRS
            parts += [text(250, y + 12, "who", row["who"]),
                      f'<rect x="258" y="{y}" width="{width:.1f}" height="15" rx="2" fill="{colour}"/>',
                      text(264 + width, y + 12, "value", number(row["median"]))]
            y += 20
        y += 18
    return picture("Lyceum beside its peers", y, parts)


def line_panel(left, top, title, rows):
    """The daemon's processor time for a message, from zero, against a number on a scale of powers; whiskers from least to most."""
    width, height = 300, 120
    most = max(row["max"] for row in rows) * 1.15
    numbers = [int(row["who"].replace(",", "")) for row in rows]
    low, high = math.log10(min(numbers)), math.log10(max(numbers))
    points = [(left + 20 + (width - 40) * (math.log10(at) - low) / max(high - low, 1e-9), top + 24 + height * (1 - row["median"] / most), row)
              for at, row in zip(numbers, rows)]
    floor = top + 24 + height
    parts = [text(left, top + 12, "title", title), f'<path d="M{left} {floor}H{left + width}" stroke="{THEIRS}" fill="none"/>',
             f'<path d="M{" L".join(f"{x:.1f} {y:.1f}" for x, y, _ in points)}" stroke="{OURS}" stroke-width="2" fill="none"/>']
    for x, y, row in points:
        least, above = floor - height * row["min"] / most, floor - height * row["max"] / most
        parts += [f'<path d="M{x:.1f} {least:.1f}V{above:.1f}" stroke="{OURS}" fill="none"/>',
                  f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{OURS}"/>',
                  text(x, above - 6, "middle", number(row["median"])), text(x, floor + 16, "middle", row["who"])]
    return parts


def flatness(rows):
    """Four panels, two in a row."""
    parts = [text(8, 20, "rest", "Microseconds of the daemon's processor for one message; median, least and most of the rounds")]
    found = [(title, [row for row in group if row["rounds"]]) for (name, title, _), group in groups(rows).items() if name == "flat"]
    found = [(title, group) for title, group in found if group]
    for i, (title, group) in enumerate(found):
        parts += line_panel(24 + 370 * (i % 2), 40 + 190 * (i // 2), title, group)
    return picture("What a message costs against what stands by", 40 + 190 * ((len(found) + 1) // 2), parts)
