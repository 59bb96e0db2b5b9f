"""`python -m recovery watch`: the dead man's switch, for another machine than the jobs'.

    Reads the journal in the cache's folder, wherever that is mounted or copied to, and says how old the newest proven
    backup is. Older than the grace, it tells people as the jobs do; so it does of a job that hangs or is killed each
    time, and of a nightly one that nobody starts any more. It pings a URL of its own: that it lives.

Exit status: 0 fresh, 1 too old, 2 nobody could be told, or nothing can be read.
"""

import sys
from datetime import datetime

from recovery.cache.copy_age import newest_proof
from recovery.cache.journal import Journal
from recovery.cache.store import Cache
from recovery.dicom.model import JobRun
from recovery.settings.config import Config
from recovery.watch.events import SILENCE, silence
from recovery.watch.sending import ping
from recovery.watch.telling import stopped_jobs, tell_troubles
from recovery.words.printable import tell
from recovery.words.times import age


def watch(config: Config, now: datetime) -> int:
    """Look once, print one sentence, tell whoever must hear; returns the exit status. `now` aware."""
    settings = config.watch
    proven_at = newest_proof(Cache(config.cache_path))
    trouble = silence(proven_at, now, settings.grace or config.schedule.grace)
    missing, judged = stopped_jobs(config, _runs(config), now)
    troubles = [*([trouble] if trouble else ()), *missing]
    problems = tell_troubles(config, troubles, {SILENCE, *judged}, now) if settings.tells_people else []
    tell(*problems, *(f"{one.name} is missing: {one.said}" for one in missing), file=sys.stderr)
    status = 0 if not troubles else 2 if problems else 1
    if trouble is None and proven_at is not None:
        tell(f"The newest proven backup is {age(now - proven_at)} old.")
    elif trouble is not None:
        since = f"{trouble.since.astimezone(config.site.zone):%Y-%m-%d %H:%M}"
        tell(f"NO BACKUP: {trouble.said}. Newest proof: {since if proven_at else 'none'}.", file=sys.stderr)
        status = 2 if proven_at is None else status
    if settings.watch_ping_url:
        ping(settings.watch_ping_url, str(status), "", settings.timeout)
    return status


def _runs(config: Config) -> list[JobRun]:
    try:
        return Journal(config.cache_path).runs()
    except OSError:
        return []  # then nothing is proven either, and that is told
