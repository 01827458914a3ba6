"""Plots as SVG text: lines over a logarithmic axis, and rows of dots. Colours are legible on light and dark pages; text follows the reader's scheme."""
import html
import math

colours = {"dimity": "#e4572e", "hand": "#808080", "Eigen": "#3f7fbf", "xtensor": "#7a8fa6", "OpenBLAS": "#3f9a4d", "oneDNN": "#9b6bc4", "JAX": "#b8860b", "PyTorch": "#c04f8a", "torch.compile": "#e07fb0", "ONNX Runtime": "#2a9d9d", "TFLite": "#8a6d4f"}
style = """<style>
text { font: 12px system-ui, sans-serif; fill: #24292f } .title { font-size: 15px; font-weight: 600 } .quiet { fill: #57606a } .grid { stroke: #57606a; stroke-opacity: .25 } .axis { stroke: #57606a }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .quiet { fill: #9198a1 } .grid, .axis { stroke: #9198a1 } }
</style>"""


def text(x, y, content, anchor="start", kind="", colour=None, extra=""):
    fill = f' style="fill: {colour}"' if colour else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}"{fill}{extra}>{html.escape(content)}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def document(width, height, title, body):
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" width="{width}" height="{height:.0f}" role="img" aria-label="{html.escape(title)}">'
    return "\n".join([head, style, *body, "</svg>"]) + "\n"


def number(value):
    """12k, 3M, 0.5: short enough for a tick."""
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= scale:
            return f"{value / scale:g}{unit}"
    return f"{value:g}"


def ticks(low, high):
    """1, 2, 5 of every decade that is visible; powers of ten alone where there are many."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if math.log10(high / low) < 3 else (1,)
    return [s * 10.0**d for d in decades for s in steps if low <= s * 10.0**d * 1.0001 and s * 10.0**d <= high * 1.0001]


class Scale:
    def __init__(self, low, high, begin, end):
        self.low, self.high, self.begin, self.end = low, high, begin, end

    def __call__(self, value):
        return self.begin + (self.end - self.begin) * math.log(value / self.low) / math.log(self.high / self.low)


def apart(positions, distance, low, high):
    """Moves labels up and down until none covers another, between two limits; their order stays."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    placed = list(positions)
    for _ in range(200):
        moved = False
        for a, b in zip(order, order[1:]):
            overlap = distance - (placed[b] - placed[a])
            if overlap > 0.01:
                placed[a] -= overlap / 2
                placed[b] += overlap / 2
                moved = True
        if not moved:
            break
    beyond = max(0, low - min(placed)) - max(0, max(placed) - high)
    return [p + beyond for p in placed]


def lines(title, x_title, y_title, series, x_ticks, width=760, height=440):
    """`series`: name -> [(x, y)]. Both axes are logarithmic; each line is labelled at its end."""
    points = [p for s in series.values() for p in s]
    left, right, top, bottom = 62, width - 110, 48, height - 52
    x = Scale(min(p[0] for p in points), max(p[0] for p in points), left, right)
    y = Scale(min(p[1] for p in points) / 1.15, max(p[1] for p in points) * 1.15, bottom, top)
    body = [text(left, 24, title, kind="title"), text((left + right) / 2, height - 12, x_title, "middle", "quiet")]
    body.append(text(0, 0, y_title, "middle", "quiet", extra=f' transform="translate(16 {(top + bottom) / 2:.0f}) rotate(-90)"'))
    for value in ticks(y.low, y.high):
        body += [line(left, y(value), right, y(value), "grid"), text(left - 8, y(value) + 4, number(value), "end", "quiet")]
    for value, label in x_ticks:
        body += [line(x(value), bottom, x(value), bottom + 5, "axis"), text(x(value), bottom + 20, label, "middle", "quiet")]
    body.append(line(left, bottom, right, bottom, "axis"))
    ends = apart([y(s[-1][1]) for s in series.values()], 14, top, bottom)
    # dimity last, so that nothing hides it.
    for (name, s), end in sorted(zip(series.items(), ends), key=lambda pair: pair[0][0] == "dimity"):
        ours = name == "dimity"
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in s)
        dashes = ' stroke-dasharray="5 4"' if name == "hand" else ""
        body.append(f'<polyline points="{path}" fill="none" stroke="{colours[name]}" stroke-width="{3 if ours else 1.6}" stroke-linejoin="round"{dashes}/>')
        body += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="{3.5 if ours else 2.2}" fill="{colours[name]}"/>' for a, b in s]
        body.append(text(x(s[-1][0]) + 10, end + 4, "by hand" if name == "hand" else name, colour=colours[name], extra=' font-weight="600"' if ours else ""))
    return document(width, height, title, body)


def dots(title, x_title, rows, width=860):
    """`rows`: [(label, {name: ratio})], or (heading, None). A ratio of 1 is dimity; to the right of it a peer takes longer."""
    row_height, top, left, right = 17, 84, 330, width - 40
    values = [v for _, by in rows if by for v in by.values()]
    x = Scale(min(0.5, min(values) / 1.1), max(2, max(values) * 1.1), left, right)
    bottom = top + row_height * len(rows)
    body = [text(16, 24, title, kind="title")]
    used = [name for name in colours if any(by and name in by for _, by in rows)]
    at = 16
    for name in used:
        label = "by hand" if name == "hand" else name
        body += [f'<circle cx="{at + 5}" cy="44" r="4.5" fill="{colours[name]}"/>', text(at + 14, 48, label)]
        at += 30 + 7 * len(label)
    for value in ticks(x.low, x.high):
        body += [line(x(value), top - 8, x(value), bottom, "grid"), text(x(value), top - 14, number(value), "middle", "quiet"), text(x(value), bottom + 16, number(value), "middle", "quiet")]
    body.append(f'<line x1="{x(1):.1f}" y1="{top - 8}" x2="{x(1):.1f}" y2="{bottom}" stroke="{colours["dimity"]}" stroke-width="2.5"/>')
    for i, (label, by) in enumerate(rows):
        y = top + row_height * (i + 0.5)
        if by is None:
            body.append(text(16, y + 4, label, extra=' font-weight="600"'))
            continue
        body += [text(left - 10, y + 4, label, "end"), line(left, y, right, y, "grid")]
        body += [f'<circle cx="{x(v):.1f}" cy="{y:.1f}" r="4.5" fill="{colours[name]}" fill-opacity=".9"/>' for name, v in by.items()]
    body.append(text((left + right) / 2, bottom + 36, x_title, "middle", "quiet"))
    return document(width, bottom + 48, title, body)
