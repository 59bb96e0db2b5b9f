"""`/` puts the cursor into the search of every list: by a script, for Streamlit gives a field no shortcut."""

from app.components import script

_SCRIPT = """
export default function () {
  const onKey = (event) => {
    const at = event.target;
    const isTyping = at instanceof HTMLInputElement || at instanceof HTMLTextAreaElement || at.isContentEditable;
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
    const field = document.querySelector(".st-key-search input, .st-key-find_patient input");
    if (field === null) return;
    event.preventDefault();
    field.focus();
    field.select();
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
"""


def search() -> None:
    """Let `/` find the field of the page in which somebody searches for a patient."""
    script.run("slash_searches", _SCRIPT, "shortcut_of_search")
