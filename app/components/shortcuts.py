"""Keys that every list answers to: `/` puts the cursor into the search, as people are used to from elsewhere.

Why a script
    Streamlit gives a button a shortcut, and a field none. This one reads no text and sends nothing.
"""

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
