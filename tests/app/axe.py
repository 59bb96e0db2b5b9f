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

OPTIONS: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations", "incomplete"],
}
CONTRAST: dict[str, Any] = OPTIONS | {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
"""Of a theme in which the markup is another's and the colours are its own."""


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

SETTLED = """() => {
  const isRunning = document.querySelector('[data-test-script-state=running]') !== null;
  const isStale = document.querySelector('[data-stale=true]') !== null;
  const ends = one => one.effect?.getTiming().iterations !== Infinity;
  const isMoving = document.getAnimations().some(one => one.playState === 'running' && ends(one));
  const hasTooltip = document.querySelector('[role=tooltip], [data-testid=stTooltipContent]') !== null;
  return !(isRunning || isStale || isMoving || hasTooltip);
}"""

JUDGE = """async ([within, options]) => {
const settled = SETTLED;
const contrast = element => {
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
  return {ratio: (a + .05) / (b + .05), least: isLarge ? 3 : 4.5};
};
const node = one => ({
  html: one.html.slice(0, 200),
  why: [...one.any, ...one.all, ...one.none].map(check => check.message).join('; '),
  contrast: contrast(one.element),
});
const rules = found => found.map(rule => ({id: rule.id, nodes: rule.nodes.map(node)}));
for (let attempt = 0; ; attempt++) {  // what is drawn anew or fades meanwhile is judged anew
  while (!settled()) await new Promise(resolve => setTimeout(resolve, 20));
  const told = await axe.run(within, {...options, elementRef: true});
  const has_gone = told.incomplete.some(rule => rule.nodes.some(one => !one.element?.isConnected));
  if ((settled() && !has_gone) || attempt === 5)
    return {violations: rules(told.violations), incomplete: rules(told.incomplete)};
}
}""".replace("SETTLED", SETTLED)
"""Judged in one go in the page: between two calls of it a chart may be drawn anew."""


def found(page: Page, within: str = "html", options: dict[str, Any] = OPTIONS) -> list[str]:
    """A line for each fault on the page, or in a part of it: rule, element, what axe says; Streamlit's own included."""
    settle(page)
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    told = page.evaluate(JUDGE, [within, options])
    lines = [_line(rule["id"], node) for rule in told["violations"] for node in rule["nodes"]]
    for rule in told["incomplete"]:
        is_contrast = rule["id"] == "color-contrast"
        lines += [_contrast(node) if is_contrast else _line(rule["id"], node) for node in rule["nodes"]]
    return [line for line in lines if line]


def settle(page: Page) -> None:
    """Wait until the page is what a reader sees: no run under way, nothing faded, no tooltip, no movement."""
    page.mouse.move(0, 0)
    page.wait_for_function(SETTLED, polling=40)


def ours(lines: list[str]) -> list[str]:
    """Those that are not Streamlit's own."""
    return [line for line in lines if not any(is_known(known, line) for known in STREAMLITS_OWN)]


def is_known(known: Known, line: str) -> bool:
    return re.match(f"{re.escape(known.rule)} {known.html}", line) is not None


def _line(rule: str, node: dict[str, Any]) -> str:
    return f"{rule} {node['html']} {node['why']}"


def _contrast(node: dict[str, Any]) -> str:
    """What axe could not decide, reckoned; empty where it is enough."""
    judged = node["contrast"]
    if judged["ratio"] >= judged["least"]:
        return ""
    return f"color-contrast {node['html']} has {judged['ratio']:.2f}, and {judged['least']} is the least"
