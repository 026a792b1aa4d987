# SPDX-License-Identifier: MIT
"""The results as a table, as JSON and as a bar chart."""
import os
import platform
from xml.sax.saxutils import escape


def table(bench):
    lines = [f'{"":<20}{"median":>12}{"calm":>12}']
    for group, facts in bench.groups.items():
        base = facts.get('launcher')
        lines.append(group)
        for name, fact in facts.items():
            lines.append(f'  {name:<18}{fact["median"]:>12.3f}{fact["calm"]:>12.3f} '
                         f'{fact["unit"]:<4}'
                         + (f'{fact["median"] / base["median"]:>9.2f} ×'
                            f'{fact["calm"] / base["calm"]:>9.2f} ×' if base else ''))
    for name, why in bench.missing.items():
        lines.append(f'{name}: not measured: {why}')
    lines += ['', 'measures']
    for m in bench.measures:
        value = f'{m["value"]:.3f} {m["unit"]}'.strip()
        limit = f'{m["comparison"]} {m["limit"]}'
        lines.append(f'  {m["name"]:<46}{value:>14}   {limit:<9}{"met" if m["met"] else "MISSED"}'
                     + (f'   ({m["note"]})' if m['note'] and not m['met'] else ''))
    return '\n'.join(lines)


def bar(x, y, width, label, value, colour):
    return (f'<text x="{x - 8}" y="{y + 14}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="{x}" y="{y}" width="{max(1, width):.1f}" height="18" fill="{colour}"/>'
            f'<text x="{x + max(1, width) + 6:.1f}" y="{y + 14}">{escape(value)}</text>')


def svg(bench):
    """A bar chart for each group that has more than one bar."""
    parts, y, left, room = [], 40, 170, 420
    for group, facts in bench.groups.items():
        if len(facts) < 2:
            continue
        parts.append(f'<text x="10" y="{y}" font-weight="bold">{escape(group)}</text>')
        y += 12
        most = max(fact['median'] for fact in facts.values())
        for name, fact in facts.items():
            colour = '#b5532a' if name == 'reeve' else '#7a8ca0'
            parts.append(bar(left, y, room * fact['median'] / most, name,
                             f'{fact["median"]:.2f} {fact["unit"]}', colour))
            y += 24
        y += 30
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{y}" '
            f'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" '
            f'fill="#ffffff"/><text x="10" y="20" fill="#555555">medians; '
            f'{escape(platform.release())}, {escape(platform.machine())}</text>'
            + ''.join(parts) + '</svg>\n')


def document(bench, seconds):
    return {'version': 1, 'reeve': bench.call([bench.args.reeve, 'version']).strip(),
            'machine': {'kernel': platform.release(), 'arch': platform.machine(),
                        'cpus': os.cpu_count()},
            'seconds': round(seconds, 1), 'measures': bench.measures, 'times': bench.groups,
            'not_measured': bench.missing}
