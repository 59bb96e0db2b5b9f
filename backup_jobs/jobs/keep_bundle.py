"""The rescue bundle that is kept: nightly, after the proof by re-reading, in each place of `[bundle] paths`."""

from __future__ import annotations

from recovery.bundling.making import BundleError, make_bundle
from recovery.cache.journal import JobResult, Outcome, lock
from recovery.charting import FontError
from recovery.commands.bundle import LOCK
from recovery.host.durable import LockedError
from recovery.packing.encryption import WrongKeyError, passphrase_of
from recovery.pacs.workspace import Workspace
from recovery.patient.chosen import NobodyError

JOB = "keep_bundle"


def keep_bundle(space: Workspace) -> JobResult:
    """Make it and keep it; the ones before stand until the new one is proven in their place.

    Raises `CacheError` if the cache cannot be read.
    """
    config = space.config.without_rv()
    if not config.bundle_paths:
        return JobResult(JOB, "SKIPPED", {}, message="[bundle] paths names no folder")
    try:
        with lock(config.cache_path, LOCK):
            passphrase = passphrase_of(config.bundle.passphrase_env)
            made = make_bundle(config, space.now, passphrase, config.bundle_paths)
    except LockedError as error:
        return JobResult(JOB, "SKIPPED", {}, message=str(error))
    except NobodyError as error:
        return JobResult(JOB, "PARTIAL", {}, message=str(error))
    except (BundleError, WrongKeyError, FontError) as error:
        return JobResult(JOB, "FAILED", {}, message=str(error))
    counts = {"found": made.patients, "already_held": 0, "moved": len(made.proven), "unproven": len(made.failed)}
    outcome: Outcome = "FAILED" if not made.proven else "OK" if made.is_whole else "PARTIAL"
    return JobResult(JOB, outcome, counts, message=" ".join((made.in_words, *made.failed, *made.lacks)))
