"""The cookie by which a reload brings the sitting back; `app/access/kept.py` says what it is worth."""

from app.access.kept import LASTS, kept_by_process
from app.components import script

_SCRIPT = """
export default function (component) {
  const {name, mark, seconds} = component.data;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${mark}; Max-Age=${seconds}; Path=/; SameSite=Strict${secure}`;
}
"""


def hand_out(mark: str) -> None:
    """Let the browser keep the mark."""
    data = {"name": kept_by_process().cookie, "mark": mark, "seconds": int(LASTS.total_seconds())}
    script.run("browser_mark", _SCRIPT, "browser_mark", data)
