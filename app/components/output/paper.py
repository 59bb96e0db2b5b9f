"""What Ctrl+P prints of a page with tables: every row, black on white, where a browser prints only the rows in sight.

The sheet is laid out here and handed to the browser, which puts it into the page when it prints, and takes it out
again: nobody reads, hears or finds anything twice on the screen.
"""

from collections.abc import Sequence

from app.components import script
from app.components.output import day_print
from recovery.lists import list_sheet

_STYLE = "<style>@media print {body > :not(#rbrdt-paper) {display: none !important;}}</style>"
_SCRIPT = """
const take = () => document.getElementById("rbrdt-paper")?.remove();
let markup = "";
const put = () => {
  take();
  if (markup === "") return;
  const sheet = document.createElement("div");
  sheet.id = "rbrdt-paper";
  sheet.innerHTML = markup;
  document.body.append(sheet);
};
window.addEventListener("beforeprint", put);
window.addEventListener("afterprint", take);
export default function (component) {
  markup = component.data.markup;
  return () => { markup = ""; take(); };
}
"""


def show(title: str, told: str, blocks: Sequence[list_sheet.Block]) -> None:
    """Hand out the sheet for the printer alone. `told`: how old the copy is, and what is not on the list."""
    hand_out(list_sheet.sheet(title, told, blocks))


def hand_out(markup: str) -> None:
    """Give the browser a sheet's markup, every text in it escaped, for the printer alone."""
    script.run("paper_sheet", _SCRIPT, "paper", {"markup": day_print.STYLE + _STYLE + markup})
