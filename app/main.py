"""The dashboard: `python -m streamlit run app/main.py`.

Read the config that `RBRDT_CONFIG` names (default config.toml) without its R&V system, read the clock, see who is
signed in, and hand config and clock to a page. Nothing about a patient is read before the gate is passed.
"""

import gc
import os
from functools import cache, partial
from pathlib import Path
from typing import Literal

import streamlit as st

from app.access import gate, hardening, rights
from app.access.sitting import Sitting
from app.components import failures, sign_in, signed_in
from app.desk import Desk
from app.screens import PAGES
from recovery.host.clock import ClockError, clock_is_simulated, read_clock
from recovery.settings.config import ConfigError, load_config
from recovery.settings.file_modes import GroupError, keep_private, let_group_read


@cache
def collect_no_modules() -> None:
    """Streamlit collects garbage after every run: 0.12 s in which no page moves, for modules that stay anyway.

    Once: to ask how many objects are frozen takes 0.05 s, for Python counts them.
    """
    gc.collect()
    gc.freeze()


# A local file: without one, Streamlit asks the internet for the page's icon.
ICON = Path(__file__).parent / "assets" / "icon.png"


def main() -> None:
    """Draw the page that the address asks for."""
    st.set_page_config(page_title="RBRDT", page_icon=ICON, layout="wide")
    collect_no_modules()
    keep_private()
    hardening.keep_values_out_of_logs()
    hardening.ask_nobody_outside()
    if weaknesses := hardening.weaknesses():
        failures.show_weaknesses(weaknesses)
        return
    try:
        config = load_config(Path(os.environ.get("RBRDT_CONFIG", "config.toml"))).without_rv()
        let_group_read(config)
    except (ConfigError, GroupError) as error:
        failures.show_config(error)
        return
    try:
        read_clock()
    except ClockError as error:
        failures.show_clock(error)
        return
    desk = Desk(config, read_clock, clock_is_simulated())
    entered = gate.enter(desk)
    pages = {
        page.url_path: st.Page(
            partial(page.show, desk),
            title=page.title,
            icon=page.icon,
            url_path=page.url_path,
            default=page is PAGES[0],
            visibility="visible" if page.is_in_menu and rights.may(page.permission) else "hidden",
        )
        for page in PAGES
    }
    place: Literal["sidebar", "hidden"] = "sidebar" if isinstance(entered, Sitting) else "hidden"
    chosen = st.navigation(list(pages.values()), position=place, expanded=True)  # else it hides those after the tenth
    if not isinstance(entered, Sitting):
        sign_in.show(desk, entered)
        return
    signed_in.show(desk, entered)
    entry = next(page for page in PAGES if pages[page.url_path] is chosen)
    rights.require(entry.permission)
    entered.note_view(entry.url_path)
    chosen.run()


if __name__ == "__main__":
    main()
