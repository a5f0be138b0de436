"""The table and the chart of a run."""

from dataclasses import dataclass
from html import escape


@dataclass
class Row:
    """One workload's figures, by server, and its goal as a share of Valkey's figure."""

    workload: object
    figures: dict

    def ratio(self, peer):
        ours, theirs = self.figures.get("staywire"), self.figures.get(peer)
        return ours / theirs if ours is not None and theirs else None

    @property
    def goal_ratio(self):
        """The goal on the scale of the chart, where Valkey's figure is 1."""
        if self.workload.ratio_goal:
            return self.workload.ratio_goal
        theirs = self.figures.get("valkey")
        return self.workload.goal / theirs if self.workload.goal and theirs else None

    @property
    def goal_text(self):
        if self.workload.goal:
            return f"{self.workload.goal:g} {self.workload.unit}"
        return f"{self.workload.ratio_goal:.2f}x" if self.workload.ratio_goal else ""

    @property
    def reached(self):
        """Whether the goal is reached, or None where there is none or nothing to compare with."""
        if self.workload.goal:
            return self.figures["staywire"] <= self.workload.goal
        ratio = self.ratio("valkey")
        return None if ratio is None or not self.workload.ratio_goal else ratio <= self.workload.ratio_goal


def figure(value):
    if value is None:
        return "-"
    return f"{value:.3f}" if value < 10 else f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"


def share(value):
    return "-" if value is None else f"{value:.2f}x"


def table(rows, servers):
    """The figures as a Markdown table that is readable as it is, too."""
    head = ["work", "unit", *servers, *(f"to {peer}" for peer in servers if peer != "staywire"), "goal", ""]
    lines = [head]
    for row in rows:
        verdict = {True: "reached", False: "missed", None: ""}[row.reached]
        figures = [figure(row.figures.get(name)) for name in servers]
        ratios = [share(row.ratio(peer)) for peer in servers if peer != "staywire"]
        lines.append([row.workload.title, row.workload.unit, *figures, *ratios, row.goal_text, verdict])
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    aligned = [
        [cell.ljust(width) if column < 2 or column == len(head) - 1 else cell.rjust(width)
         for column, (cell, width) in enumerate(zip(line, widths))]
        for line in lines
    ]  # fmt: skip
    rule = ["-" * width if column < 2 or column == len(head) - 1 else "-" * (width - 1) + ":"
            for column, width in enumerate(widths)]  # fmt: skip
    return "\n".join("| " + " | ".join(line) + " |" for line in [aligned[0], rule, *aligned[1:]])


def markdown(rows, servers, versions, machine, note):
    named = ", ".join(f"{name} {versions[name]}" for name in servers)
    return f"""# Figures

{named}, on {machine}. Written by `make bench`{note}.

Server processor time per operation, resident memory, and waiting time: the lower, the better. Each server has one core
and the load another; the rounds of the servers are interleaved, and each figure is the median of its rounds.

{table(rows, servers)}

![Shares of Valkey's figures](results.svg)
"""


LEFT, SCALE, ROW, TOP, MOST = 310, 360, 26, 74, 1.4
COLOURS = {True: "#2f7d4f", False: "#b3492f", None: "#5b7083"}


def chart(rows, versions):
    """An SVG: one bar a workload, Staywire's figure as a share of Valkey's, with the goal on each bar."""
    rows = [row for row in rows if row.ratio("valkey") is not None]
    height, width = TOP + ROW * len(rows) + 44, LEFT + int(SCALE * MOST) + 130
    place = lambda ratio: LEFT + min(ratio, MOST) * SCALE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="system-ui, DejaVu Sans, sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="26" font-size="16" font-weight="600" fill="#1c2733">Staywire {escape(versions["staywire"])}'
        f' as a share of Valkey {escape(versions["valkey"])}: the shorter, the better</text>',
    ]
    legend = [("#2f7d4f", "goal reached"), ("#b3492f", "goal missed"), ("#5b7083", "no goal set")]
    for number, (colour, text) in enumerate(legend):
        x = 16 + 130 * number
        parts.append(f'<rect x="{x}" y="39" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="50" fill="#1c2733">{text}</text>')
    parts.append('<path d="M412 37v16" stroke="#111111" stroke-width="3"/>')
    parts.append('<text x="422" y="50" fill="#1c2733">goal</text>')
    bottom = TOP + ROW * len(rows)
    for tenth in range(0, int(MOST * 10) + 1, 2):
        x, strong = place(tenth / 10), tenth == 10
        colour = "#1c2733" if strong else "#d5dce2"
        dashes = ' stroke-dasharray="5 4"' if strong else ""
        parts.append(f'<path d="M{x:.1f} {TOP - 6}V{bottom}" stroke="{colour}"{dashes}/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" fill="#46535f">{tenth / 10:.1f}</text>')
    parts.append(f'<text x="{place(1):.1f}" y="{bottom + 34}" text-anchor="middle" fill="#1c2733">Valkey</text>')
    for number, row in enumerate(rows):
        y, ratio = TOP + ROW * number, row.ratio("valkey")
        text = f"{ratio:.2f}x, {figure(row.figures['staywire'])} {row.workload.unit}"
        parts += [
            f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end" fill="#1c2733">{escape(row.workload.title)}</text>',
            f'<rect x="{LEFT}" y="{y + 4}" width="{max(place(ratio) - LEFT, 1):.1f}" height="{ROW - 10}"'
            f' fill="{COLOURS[row.reached]}"/>',
        ]
        ends = [place(ratio)]
        if row.goal_ratio:
            x = place(row.goal_ratio)
            parts.append(f'<path d="M{x:.1f} {y + 1}v{ROW - 4}" stroke="#111111" stroke-width="3"/>')
            if x - 150 < place(ratio) <= x:
                ends.append(x)
        parts.append(f'<text x="{max(ends) + 6:.1f}" y="{y + 16}" fill="#1c2733" stroke="#ffffff" stroke-width="3"'
                     f' paint-order="stroke">{escape(text)}</text>')  # fmt: skip
    parts.append("</svg>")
    return "\n".join(parts) + "\n"
