"""The dashboard: `python -m streamlit run app/main.py`.

Goal
    Show the safety copy of the clinic's treatments to whoever must decide what happens next, also when the R&V
    system, the network and the internet are gone.

How
    Read the config that `RBRDT_CONFIG` names (default config.toml) without its R&V system, read the clock, and hand
    both to a page.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import streamlit as st

from app.components import failures
from app.desk import Desk
from app.pages import PAGES
from recovery.clock import clock_is_simulated, read_clock
from recovery.config import ConfigError, load_config

# A local file: without one, Streamlit asks the internet for the page's icon.
ICON = Path(__file__).parent / "assets" / "icon.png"


def main() -> None:
    """Draw the page that the address asks for."""
    st.set_page_config(page_title="RBRDT", page_icon=ICON, layout="wide")
    try:
        config = load_config(Path(os.environ.get("RBRDT_CONFIG", "config.toml"))).without_rv()
    except ConfigError as error:
        failures.show_config(error)
        return
    try:
        read_clock()
    except (OSError, ValueError, LookupError) as error:
        failures.show_clock(error)
        return
    desk = Desk(config, read_clock, clock_is_simulated())
    pages = [
        st.Page(
            partial(page.show, desk),
            title=page.title,
            icon=page.icon,
            url_path=page.url_path,
            default=page is PAGES[0],
        )
        for page in PAGES
    ]
    st.navigation(pages).run()


if __name__ == "__main__":
    main()
