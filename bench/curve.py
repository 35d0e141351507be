#!/usr/bin/env python3
"""A broker's memory over time as SVG: curve.py ROWS.json --svg FILE.

ROWS.json is what `bench_overload --json` wrote; report.py takes curve() from here. Rows without samples are passed over."""
import argparse
import html
import json
import sys

LEFT, TOP, WIDTH, HEIGHT = 60, 34, 620, 200
COLOURS = ("#1f6f8b", "#c0763b", "#7a8b3a", "#8a5a9e")
TEXT = "#6b7680"


def step_of(most):
    """A distance of round numbers that cuts the axis into four to eight parts."""
    step = 1
    while most / step > 8:
        step *= 2.5 if str(step).startswith("2") else 2
    return step


def line(row, colour, last_ms, most):
    points = []
    for number, mib in enumerate(row["samples"]):
        x = LEFT + WIDTH * number * row["sample_ms"] / last_ms
        points.append(f"{x:.1f},{TOP + HEIGHT - HEIGHT * mib / most:.1f}")
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>'


def axes(last_ms, most):
    parts = []
    step = step_of(most)
    mib = 0
    while mib <= most:
        y = TOP + HEIGHT - HEIGHT * mib / most
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + WIDTH}" y2="{y:.1f}" stroke="{TEXT}" stroke-opacity="0.25"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" class="end">{mib:g}</text>')
        mib += step
    step = step_of(last_ms / 1000)
    at = 0
    while at <= last_ms / 1000:
        x = LEFT + WIDTH * at * 1000 / last_ms
        parts.append(f'<text x="{x:.1f}" y="{TOP + HEIGHT + 16}" class="middle">{at:g} s</text>')
        at += step
    return parts


def curve(rows):
    """The SVG, or "" when no row has samples."""
    rows = [row for row in rows if row.get("samples")]
    if not rows:
        return ""
    most = 1.1 * max(max(row["samples"]) for row in rows)
    last_ms = max(row["sample_ms"] * max(1, len(row["samples"]) - 1) for row in rows)
    height = TOP + HEIGHT + 30 + 18 * len(rows)
    parts = [f'<text x="8" y="18" class="title">{html.escape(rows[0]["unit"].replace(" at most", ""))}</text>'] + axes(last_ms, most)
    for number, row in enumerate(rows):
        colour = COLOURS[number % len(COLOURS)]
        y = TOP + HEIGHT + 36 + 18 * number
        parts.append(line(row, colour, last_ms, most))
        parts.append(f'<rect x="{LEFT}" y="{y - 9}" width="14" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{LEFT + 20}" y="{y - 2}">{html.escape(row["who"])}: {html.escape(row["title"])}</text>')
    style = f"text{{font:12px sans-serif;fill:{TEXT}}}.title{{font-size:14px;font-weight:bold}}.end{{text-anchor:end}}.middle{{text-anchor:middle}}"
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{height}" viewBox="0 0 760 {height}" role="img" '
            f'aria-label="Private memory while many publish"><style>{style}</style>\n' + "\n".join(parts) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description="A broker's memory over time as SVG.")
    parser.add_argument("rows")
    parser.add_argument("--svg", required=True)
    options = parser.parse_args()
    with open(options.rows, encoding="utf-8") as file:
        rows = json.load(file)
    drawn = curve(rows["rows"] if isinstance(rows, dict) else rows)
    if not drawn:
        print("curve.py: no row has samples", file=sys.stderr)
        return 1
    with open(options.svg, "w", encoding="utf-8") as file:
        file.write(drawn)
    return 0


if __name__ == "__main__":
    sys.exit(main())
