"""What every page is given: the config without the R&V system; and the clock, as a function, for parts that refresh."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from recovery.cache.doors import cache_to_show
from recovery.cache.store import Cache
from recovery.host.clock import read_wall_clock
from recovery.settings.config import Config


@dataclass(frozen=True, slots=True)
class Desk:
    """`clock` returns the time now, aware, in UTC; `wall_clock` the computer's own, also in a simulated clinic."""

    config: Config
    clock: Callable[[], datetime]
    clock_is_simulated: bool = False
    wall_clock: Callable[[], datetime] = read_wall_clock

    @property
    def cache(self) -> Cache:
        """The tables, of the last snapshot that verifies."""
        return cache_to_show(self.config, self.clock())

    def now(self) -> datetime:
        return self.clock()

    def today(self) -> date:
        return self.local(self.clock()).date()

    def local(self, at: datetime) -> datetime:
        """An aware moment in site time."""
        return at.astimezone(self.config.site.zone)
