"""picture.py - curves over time as an SVG, a panel each, one under the other. No library needed."""

from xml.sax.saxutils import escape

WIDTH, PANEL, LEFT, RIGHT, TOP, GAP = 900, 110, 70, 130, 56, 34
COLOURS = ("#1f5fa8", "#c4561b", "#2d8a4e", "#7d4aa0", "#555555")


def round_up(value):
    """The next round number that is not below."""
    step = 1.0
    while step < value:
        step *= 10
    for part in (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0):
        if step * part >= value:
            return step * part
    return step


def number(value):
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


class Panel:
    """title: what and in which unit. curves: {name: [(minute, value or None), …]}."""

    def __init__(self, title, curves):
        self.title, self.curves = title, curves

    def draw(self, top, minutes):
        values = [value for points in self.curves.values() for _, value in points if value is not None]
        most = round_up(max(values, default=1) or 1)
        across, down = (WIDTH - LEFT - RIGHT) / (minutes or 1), PANEL / most
        lines = [f'<text x="{LEFT}" y="{top - 8}" class="title">{escape(self.title)}</text>']
        for part in (0, 0.5, 1):
            y = top + PANEL * (1 - part)
            lines.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" class="grid"/>'
                         f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number(most * part)}</text>')
        for place, (name, points) in enumerate(self.curves.items()):
            colour = COLOURS[place % len(COLOURS)]
            path, pen = "", "M"
            for minute, value in points:
                if value is None:  # nobody answered: a gap
                    pen = "M"
                    continue
                path += f"{pen}{LEFT + minute * across:.1f},{top + PANEL - value * down:.1f}"
                pen = "L"
            lines.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.3"/>')
            y = top + 10 + 18 * place
            lines.append(f'<line x1="{WIDTH - RIGHT + 12}" y1="{y}" x2="{WIDTH - RIGHT + 30}" y2="{y}" stroke="{colour}" '
                         f'stroke-width="2"/><text x="{WIDTH - RIGHT + 36}" y="{y + 4}">{escape(name)}</text>')
        return lines


def draw(path, title, panels, minutes, marks=()):
    """marks: minutes at which something happened, a thin line through all panels."""
    height = TOP + len(panels) * (PANEL + GAP) + 16
    if minutes > 6:
        minutes = -(-minutes // 6) * 6  # a scale in whole minutes
    across = (WIDTH - LEFT - RIGHT) / (minutes or 1)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
             '<style>text{font:11px sans-serif;fill:#333}.title{font-weight:bold}.grid{stroke:#ccc;stroke-width:.6}'
             '.mark{stroke:#d33;stroke-width:.6;stroke-dasharray:2 3;opacity:.6}</style>',
             f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
             f'<text x="{LEFT}" y="20" style="font-size:13px">{escape(title)}</text>']
    bottom = TOP + len(panels) * (PANEL + GAP) - GAP
    for minute in marks:
        x = LEFT + minute * across
        lines.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" class="mark"/>')
    for place, panel in enumerate(panels):
        lines += panel.draw(TOP + place * (PANEL + GAP), minutes)
    for part in range(0, 7):
        lines.append(f'<text x="{LEFT + part / 6 * (WIDTH - LEFT - RIGHT):.1f}" y="{bottom + 16}" text-anchor="middle">'
                     f'{number(minutes * part / 6)} min</text>')
    lines.append("</svg>\n")
    with open(path, "w") as file:
        file.write("\n".join(lines))
