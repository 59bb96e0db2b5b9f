"""What axe-core says of a page in the browser, by WCAG 2.1 A and AA, and what it leaves open, decided.

How
    axe comes with axe-playwright-python: nothing is fetched. Where it cannot tell the ground of a text (a line under
    a tab, a drawing), the ground is found here: that of the nearest ancestor that has one. What is Streamlit's own and
    cannot be set from outside stands in `STREAMLITS_OWN`, each by rule and element, with its reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations", "incomplete"],
}


@dataclass(frozen=True, slots=True)
class Known:
    """Something that axe finds in Streamlit's markup: the rule, how the element begins, why it stays."""

    rule: str
    html: str
    reason: str


STREAMLITS_OWN = (
    Known(
        "aria-prohibited-attr",
        r'<span tabindex="-?\d+" aria-label="[^"]*" data-tag="" data-tag-index="\d+"',
        "a chosen value in a multiselect is a span with a label and no role; its text is the same as its label, so a "
        "screen reader that ignores the label reads the same words",
    ),
)

CONTRAST = """element => {
  const parse = text => {
    const numbers = (text.match(/[\\d.]+/g) || []).map(Number);
    const scale = text.startsWith('color(') ? 255 : 1;
    return numbers.length < 3 ? [0, 0, 0, 0] : [...numbers.slice(0, 3).map(n => n * scale), numbers[3] ?? 1];
  };
  const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const style = getComputedStyle(element);
  const isDrawn = element instanceof SVGElement;
  const layers = [];
  let opacity = 1;
  for (let at = element; at; at = at.parentElement) {
    opacity *= Number(getComputedStyle(at).opacity);
    const ground = parse(getComputedStyle(at).backgroundColor);
    if (ground[3] > 0) layers.push(ground);
    if (ground[3] === 1) break;
  }
  const ground = layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  const ink = parse(isDrawn ? style.fill : style.color);
  if (isDrawn) ink[3] *= Number(style.fillOpacity);
  ink[3] *= opacity;
  const light = colour => {
    const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    const [r, g, b] = colour.slice(0, 3).map(v => linear(v / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const [a, b] = [light(over(ink, ground)), light(ground)].sort((x, y) => y - x);
  const size = parseFloat(style.fontSize);
  const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  return {ratio: (a + .05) / (b + .05), least: isLarge ? 3 : 4.5, said: element.textContent.slice(0, 60)};
}"""


def found(page: Page, within: str = "html") -> list[str]:
    """A line for each fault on the page, or in a part of it: rule, element, what axe says; Streamlit's own included."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    told = page.evaluate("([within, options]) => axe.run(within, options)", [within, OPTIONS])
    lines = [_line(rule, node) for rule in told["violations"] for node in rule["nodes"]]
    for rule in told["incomplete"]:
        for node in rule["nodes"]:
            lines += _contrast(page, node) if rule["id"] == "color-contrast" else [_line(rule, node)]
    return lines


def ours(lines: list[str]) -> list[str]:
    """Those that are not Streamlit's own."""
    return [line for line in lines if not any(is_known(known, line) for known in STREAMLITS_OWN)]


def is_known(known: Known, line: str) -> bool:
    return re.match(f"{re.escape(known.rule)} {known.html}", line) is not None


def _line(rule: dict[str, Any], node: dict[str, Any]) -> str:
    why = "; ".join(check["message"] for kind in ("any", "all", "none") for check in node[kind])
    return f"{rule['id']} {node['html'][:200]} {why}"


def _contrast(page: Page, node: dict[str, Any]) -> list[str]:
    """What axe could not decide, reckoned; nothing where it is enough, or the element has gone meanwhile."""
    (target,) = node["target"]
    element = page.query_selector(target)
    if element is None:
        return [f"color-contrast {node['html'][:200]} has gone before it was judged"]
    judged = element.evaluate(CONTRAST)
    if judged["ratio"] >= judged["least"]:
        return []
    return [f"color-contrast {node['html'][:200]} has {judged['ratio']:.2f}, and {judged['least']} is the least"]
