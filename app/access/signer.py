"""Who signs: the name of the person who is signed in, or nobody.

Whose role has no signature may look at what others signed: a signature is a profession, so break-glass gives none.
"""

from __future__ import annotations

from app.access import session
from recovery.access.permissions import Permission


def signer(permission: Permission) -> str | None:
    """The signed-in person's name as it stands under a signature; None when nobody who may sign is signed in."""
    user = session.signed_in()
    if user is None or not session.may(permission):
        return None
    return f"{user.full_name} ({user.name})"
