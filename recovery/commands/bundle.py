"""`python -m recovery bundle`: the rescue bundle, made now and kept where the config or `-o` says; or one proven.

What it says names no patient. Exit status: 0 made, and proven in every place, 1 a place failed or something that the
copy holds is not in it, 2 none was made, or it cannot be opened, 75 another is being made.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from recovery.commands.arguments import DONE, PARTLY, Commands, add_command, tell_faults
from recovery.settings.config import Config
from recovery.words.printable import tell
from recovery.words.refusals import RefusedError

LOCK = "bundle"


def add_parser(commands: Commands) -> None:
    """Declare `bundle`."""
    parser = add_command(commands, "bundle", "the rescue bundle, one encrypted file; --verify proves one")
    parser.add_argument("-o", "--output", type=Path, nargs="+", metavar="FOLDER", help="default: [bundle] paths")
    parser.add_argument("--verify", type=Path, metavar="FILE", help="whether a .tar.gz.age is still what was written")
    parser.add_argument("--identity", type=Path, metavar="KEY", help="the key that opens it; default: the passphrase")


def run(config: Config, options: argparse.Namespace) -> int:
    """Make a bundle or prove one; returns the exit status. Raises `RefusedError`."""
    from recovery.bundling.making import make_bundle
    from recovery.cache.journal import lock
    from recovery.host.clock import read_clock
    from recovery.packing.encryption import passphrase_of

    name = config.bundle.passphrase_env
    if options.verify is not None:
        secret = None if options.identity else passphrase_of(name)
        return _verify(options.verify, options.identity, secret, config.signing.public_keys)
    with lock(config.cache_path, LOCK):
        made = make_bundle(config, read_clock(), passphrase_of(name), options.output or config.bundle_paths)
    tell(*made.failed, *made.lacks, file=sys.stderr)
    tell(made.in_words)
    return RefusedError.exit_status if not made.proven else DONE if made.is_whole else PARTLY


def _verify(file: Path, key: Path | None, passphrase: str | None, signers: Sequence[str]) -> int:
    from recovery.packing.encryption import faults_of_encrypted, identities

    try:
        faults = faults_of_encrypted(file, identities(file, key, passphrase), {}, signers)
    except OSError as error:
        raise RefusedError(f"{file} cannot be read: {error.strerror or error}.") from error
    return tell_faults(file, faults)
