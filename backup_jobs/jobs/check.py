"""Before going live: what works, and what does not and how to mend it.

How
    Every node is echoed and asked; one treatment record is moved and proven, as a backup would; planning systems
    are asked to move an object that does not exist; the database runs every query; the cache is written.

Why one record
    A node that has nothing to send says "success" for a destination that it does not know.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator

from backup_jobs.jobs.snapshot_tables import check_queries
from backup_jobs.jobs.sync_records import lack_of_records
from backup_jobs.rv.database_errors import DatabaseError
from backup_jobs.rv.product import product_of
from backup_jobs.transfer.transfer import in_words, transfer
from recovery.bundling.config_copy import weaknesses_of
from recovery.cache.journal import JobResult
from recovery.dimse import DimseError, Guard, Peer, echo, find_refs, move_series, open_link, open_receiver
from recovery.dimse.peer import UNKNOWN_DESTINATION
from recovery.dimse.tls import seen_certificate
from recovery.host import durable, system
from recovery.host.keys import KeyFileError, public_key_of
from recovery.pacs.peers import own_tls, pacs_peer, pacs_store_peer, rv_peer, tps_peers
from recovery.pacs.record_search import find_records
from recovery.pacs.workspace import Workspace
from recovery.settings.certificates import certificate_faults
from recovery.settings.file_modes import too_open
from recovery.settings.sites import SiteCopy
from recovery.settings.trust import UNSIGNED, signing_key
from recovery.sites.manifests import CopyError
from recovery.sites.place import place_of
from recovery.sites.reading import read_site
from recovery.sites.restoring import site_of, trust_in
from recovery.watch.bounded import begin, ended
from recovery.watch.messages import Message
from recovery.watch.sending import ping, send
from recovery.words.printable import printable

JOB = "check"

NO_SUCH_UID = "2.25.0"
COPY_SECONDS = 60.0
LEAST_FREE_BYTES = 1_000_000_000
MOST_NAMED = 3


def check(space: Workspace) -> JobResult:
    """Try everything that a cycle needs; the message has one sentence per thing that does not work."""
    findings = [
        finding
        for part in (_certificates, _nodes, _database, _cache, _signing, _copies, _messages)
        for finding in part(space)
    ]
    wrong = [f"{what}: {problem}" for what, problem in findings if problem]
    for what, problem in findings:
        print_line(f"{'FAILS' if problem else 'works'}  {what}{f': {problem}' if problem else ''}")
    counts = {"found": len(findings), "already_held": 0, "moved": 0, "unproven": len(wrong)}
    if not wrong:
        return JobResult(JOB, "OK", counts, message=f"all {len(findings)} checks work")
    outcome = "FAILED" if any(what.endswith("answers C-ECHO") for what, problem in findings if problem) else "PARTIAL"
    return JobResult(JOB, outcome, counts, message="; ".join(wrong))  # type: ignore[arg-type]


def print_line(text: str) -> None:
    """A line for a person, on standard error: standard output is for `--json`."""
    import sys

    sys.stderr.write(printable(text) + "\n")


Finding = tuple[str, str]
"""What was tried, and what is wrong with it; empty when it works."""


def _nodes(space: Workspace) -> Iterator[Finding]:
    config, memory = space.config, space.memory
    pacs, rv = pacs_peer(config, memory), rv_peer(config, memory)
    peers = {f"R&V system {rv.remote}": rv, f"RT-PACS {pacs.remote}": pacs}
    if config.pacs.query is not None:
        peers[f"RT-PACS for storing {config.pacs.node}"] = pacs_store_peer(config, memory)
    peers |= {f"planning system {peer.remote}": peer for peer in tps_peers(config, memory)}
    for name, peer in peers.items():
        problem = _problem(lambda peer=peer: echo(peer))  # type: ignore[misc]
        yield f"{name} answers C-ECHO", problem
        if not problem:
            yield from _tls(space, name, peer)
        if problem or name.startswith("RT-PACS for storing"):
            continue
        yield f"{name} may be asked", _problem(lambda peer=peer: _ask(space, peer))  # type: ignore[misc]
        if peer is rv and product_of(config).serves_treatment_records:
            yield f"{name} may move a record to the RT-PACS", _problem(lambda: _move_one_record(space, rv))
        elif peer is not pacs:
            yield from _may_move(space, name, peer)
        if limit := peer.traits.limits.get("IMAGE"):
            yield f"{name} gives at most {limit} matches per answer, and is asked in pieces", ""
    if config.pacs.retrieve == "move" or (config.rv is not None and config.rv.route == "relay"):
        yield f"this machine can listen as {config.local.node}", _problem(lambda: _listen(space))
    if config.pacs.retrieve == "move":
        destination = config.local.ae_title
        yield f"RT-PACS may move to {destination}", _problem(lambda: _move_nothing(pacs, destination))


def _tls(space: Workspace, name: str, peer: Peer) -> Iterator[Finding]:
    """How a node that answered is spoken to, and whether its certificate will soon be over."""
    if peer.tls is None:
        yield f"{name} is spoken to in the clear: it has no TLS in the config", ""
        return
    seen = seen_certificate(peer.remote.host, peer.remote.port, peer.tls, min(peer.timeout, 10.0))
    if seen is not None:
        fault = seen.fault(space.now)
        until = f"{name} is spoken to by TLS, its certificate ends on {seen.ends_at:%Y-%m-%d}"
        yield until, f"its certificate {fault}: it must be renewed there" if fault else ""
    if peer.own_tls is None and _sends_here(space, peer):
        yield f"{name} sends here in the clear: there is no [local.tls]", ""


def _sends_here(space: Workspace, peer: Peer) -> bool:
    if peer.role == "pacs":
        return space.config.pacs.retrieve == "move"
    return _destination(space) == space.config.local.ae_title


def _certificates(space: Workspace) -> Iterator[Finding]:
    for table, faults in certificate_faults(space.config, space.now).items():
        yield f"the files of {table} can be used", "; ".join(faults)


def _may_move(space: Workspace, name: str, peer: Peer) -> Iterator[Finding]:
    destination = _destination(space)
    yield f"{name} may move to {destination}", _problem(lambda: _move_nothing(peer, destination))


def _destination(space: Workspace) -> str:
    is_relay = space.config.rv is not None and space.config.rv.route == "relay"
    return space.config.local.ae_title if is_relay else space.config.pacs.ae_title


def _ask(space: Workspace, peer: Peer) -> None:
    """Ask for nothing, and where records are kept for those of the window: a limit of matches shows."""
    if peer.role in {"rv", "pacs"}:
        find_records(peer, space.window(space.config.jobs.sync_records.days_back), space.now)
    with open_link(peer) as link:
        find_refs(link, {"SOPInstanceUID": NO_SUCH_UID, "StudyInstanceUID": NO_SUCH_UID})


def _move_nothing(peer: Peer, destination: str) -> None:
    """A move of nothing: an unknown destination or a lost association is a problem, where the node tells it."""
    try:
        move_series(peer, NO_SUCH_UID, NO_SUCH_UID, destination)
    except DimseError as error:
        if error.status is None or error.status == UNKNOWN_DESTINATION:
            raise


def _move_one_record(space: Workspace, rv: Peer) -> None:
    """Move one record of the window as a backup would, and prove it.

    Raises `DimseError` if it does not get to the RT-PACS, or if there is none to try with.
    """
    settings = space.config.jobs.sync_records
    found = find_records(rv, space.window(settings.days_back), space.now) or find_records(
        rv, space.window(settings.first_days_back), space.now
    )
    if not found:
        raise rv.error(f"has no treatment record of the last {settings.first_days_back} days to try a move with")
    report = transfer(space, rv, [min(found, key=lambda ref: ref.sop_instance_uid)], "moving a record")
    if report.unproven:
        destination = _destination(space)
        raise rv.error(
            f"did not get a record to the RT-PACS. Does it know {destination} as a move destination, with host and "
            f"port? It said: {in_words(report.unproven)}"
        )


def _listen(space: Workspace) -> None:
    with open_receiver(space.config.local.node, lambda _: 0, Guard({}, timeout=1.0, tls=own_tls(space.config))):
        pass


def _database(space: Workspace) -> Iterator[Finding]:
    if space.config.rv is None or space.config.rv.database is None:
        if problem := lack_of_records(product_of(space.config), space.config):
            yield "treatment records can be had", problem
        return
    weak = weaknesses_of(space.config.rv.database.connection)
    yield "the connection to the R&V database gives nothing away", "; ".join(weak)
    try:
        problems = check_queries(space.config)
    except DatabaseError as error:
        yield "R&V database answers", str(error)
        return
    yield "R&V database answers, and every query returns its columns", "; ".join(problems)


def _cache(space: Workspace) -> Iterator[Finding]:
    path = space.config.cache_path
    yield f"cache {path} can be written", _problem(lambda: _write(space))
    if system.HAS_MODES:
        yield "nobody else may read what is kept here, nor write the config", _wide(space)
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(path).free
        problem = "" if free > LEAST_FREE_BYTES else f"only {free // 1_000_000} MB are free"
        yield f"cache {path} has room", problem


def _signing(space: Workspace) -> Iterator[Finding]:
    if not space.config.signing.public_keys:
        yield f"without signatures: {UNSIGNED}", ""
        return
    try:
        key = signing_key(space.config)
    except KeyFileError as error:
        yield "snapshots are signed", str(error)
        return
    is_known = key is not None and public_key_of(key) in space.config.signing.public_keys
    yield "snapshots are signed", "" if is_known else "[signing] public_keys lacks the key with which the jobs sign"


def _copies(space: Workspace) -> Iterator[Finding]:
    for copy in space.config.site_copies:
        what, fault = ended(begin(lambda copy=copy: _tried(space, copy)), COPY_SECONDS)  # type: ignore[misc]
        yield what or (f"copy {copy.name}", fault)


def _tried(space: Workspace, copy: SiteCopy) -> Finding:
    """Our own is written and read back; another clinic's is read, as the page Network does."""
    site, trust = site_of(space.config, copy), trust_in(space.config, copy).until(space.now)
    try:
        place = place_of(copy, space.config.file.parent)
        if copy not in space.config.own_copies:
            read_site(place, site, trust)
            return f"copy {copy.name} is there, and believed", ""
        trial = f"site={site}/check", f"{space.now.isoformat()}\n".encode()
        if place.get(trial[0], place.put(*trial)) != trial[1]:
            return f"copy {copy.name} can be written", "what is read back is not what was written"
        return f"copy {copy.name} can be written, and read back; {place.protection()}", ""
    except (OSError, CopyError) as error:
        return f"copy {copy.name}", str(error)


def _messages(space: Workspace) -> Iterator[Finding]:
    watch = space.config.watch
    if watch.tells_people:
        trial = Message(f"RBRDT {space.config.site.name}: a trial", "Sent by `python -m backup_jobs check`.\n")
        yield "a message to people leaves", "; ".join(send(trial, watch, space.now))
    if watch.ping_url:
        url = watch.ping_url.replace("{job}", "cycle")
        taken = ping(url, "log", "trial by check", watch.timeout)
        yield "[watch] ping_url takes a ping", "" if taken else "it did not; the log says why"


def _wide(space: Workspace) -> str:
    found = too_open(space.config)
    if not found:
        return ""
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    group = space.config.cache.group
    remedy = f"only the group {group} may read the cache" if group else "`chmod -R go= PATH` takes it from others"
    return f"{', '.join(found[:MOST_NAMED])}{more}; {remedy}"


def _write(space: Workspace) -> None:
    trial = space.config.cache_path / "check.tmp"
    trial.parent.mkdir(parents=True, exist_ok=True)
    durable.replace(trial, b"RBRDT")
    trial.unlink()


def _problem(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except (DimseError, OSError) as error:
        return str(error)
    return ""
