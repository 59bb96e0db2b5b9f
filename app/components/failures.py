"""What a page says when it cannot show its table: what is, and what to do."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from app.data import cached, standing
from app.wording import words
from recovery.cache.errors import CacheError, TableMissingError
from recovery.settings.config import Config, ConfigError
from recovery.settings.file_modes import GroupError
from recovery.words.printable import printable_lines


def show_config(error: ConfigError | GroupError) -> None:
    """Every mistake of a config, as the command line tells them."""
    st.markdown("## RBRDT", anchors=False)
    st.markdown(":red[■ **The dashboard cannot use its config.** Correct it, then reload this page.]")
    st.code(printable_lines(str(error)), language=None, wrap_lines=True)
    st.markdown(":small[Its path comes from the environment variable `RBRDT_CONFIG`; without it, from `config.toml`.]")


def show_weaknesses(weaknesses: Sequence[str]) -> None:
    """A server that was started without the settings of `.streamlit/config.toml`."""
    st.markdown("## RBRDT", anchors=False)
    st.markdown(":red[■ **The dashboard shows nobody: its server is not set up for patients' data.**]")
    st.code("\n".join(weaknesses), language=None, wrap_lines=True)
    st.markdown("Start it in the project's folder, where `.streamlit/config.toml` is: `make run`.")


def show_clock(error: Exception) -> None:
    """A simulated clinic without its clock."""
    st.markdown("## RBRDT", anchors=False)
    st.markdown(
        ":red[■ **The simulated clinic's clock cannot be read.** Start the clinic again, or unset `RBRDT_CLOCK`.] "
        f"({type(error).__name__})"
    )


def show_cache(error: CacheError, config: Config) -> None:
    """A table that was never written, or that cannot be read."""
    folder = words.as_markdown(config.cache.path)
    if isinstance(error, TableMissingError) and _is_run_under_way(config):
        st.markdown("**A backup run is under way.** The list comes with its end; the first run may take hours.")
        return
    if isinstance(error, TableMissingError):
        st.markdown(f":red[■ **No snapshot found in {folder}.**] Run `python -m backup_jobs cycle` once.")
        st.markdown(
            ":small[While the R&V system is down, `python -m recovery rebuild` makes it from the RT-PACS alone.]"
        )
        return
    st.markdown(f":red[■ **The snapshot in {folder} cannot be read.**]")
    st.code(printable_lines(str(error)), language=None, wrap_lines=True)
    st.markdown(":small[`rebuild` needs the RT-PACS alone; the R&V system may be down.]")


def _is_run_under_way(config: Config) -> bool:
    with suppress(cached.JournalError):
        return standing.under_way(cached.load_runs(config.cache_path)) is not None
    return False


def show_no_rows() -> None:
    """A table that was built and holds nobody."""
    st.markdown("**Nobody is on treatment.** The RT-PACS was asked, and holds no plan that was treated or booked.")
    st.markdown(
        ":small[If patients are treated in this clinic, look whether `sync_records` finds their records: "
        "`python -m backup_jobs check`.]"
    )
