"""UIDs for the objects that this software makes: the same thing gets the same UID for ever, on any machine.

A name-based UUID (RFC 9562 section 5.5, version 5) of what the thing is called, written as a UID below 2.25 (PS3.5
section B.2). Amendments form a chain: whoever holds an object can tell the UID of its successor.
"""

import uuid

_NAMESPACE = uuid.UUID("5b9d6a0e-6f0c-5d0b-9a53-6f7d5c1e2a11")
"""Of this software. It must never change: every object that was ever stored is named in it."""


def derived_uid(*names: str) -> str:
    """The UID of what `names` name. Names are told apart also where their texts run together."""
    name = "".join(f"{len(part)}:{part}" for part in names)
    return f"2.25.{uuid.uuid5(_NAMESPACE, name).int}"


def amended_uid(sop_instance_uid: str) -> str:
    """The UID of the object that replaces this one."""
    return derived_uid("amends", sop_instance_uid)
