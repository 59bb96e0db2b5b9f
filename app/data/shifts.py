"""The shifts of the last days and who compared in each, of the statements that are kept beside the cache."""

from app.desk import Desk
from recovery.entries.shift_checks import ShiftCheck
from recovery.host.entry_lines import EntriesError, Statements, read_statements
from recovery.watch.events import Trouble
from recovery.watch.shifts import Shift, shifts_of, trouble_of


def statements(desk: Desk) -> Statements[ShiftCheck]:
    """All that was said. Raises `EntriesError` if it cannot be read."""
    return read_statements(desk.config.cache_path, ShiftCheck)


def shifts_now(desk: Desk, checks: Statements[ShiftCheck]) -> list[Shift]:
    """The shifts that have begun, newest first; none where the config asks for no check."""
    config = desk.config
    return shifts_of(config.watch.shift_checks, config.priorities.weekdays, checks.all, desk.now(), config.site.zone)


def open_check(desk: Desk) -> Trouble | None:
    """What is to be told of the shift check on every page."""
    if not desk.config.watch.shift_checks:
        return None
    try:
        checks = statements(desk)
    except EntriesError:
        return None  # its own page says so
    return trouble_of(shifts_now(desk, checks), checks.all, desk.now())
