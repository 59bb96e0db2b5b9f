"""Who signs: the name of the person who is signed in, or nobody.

Until a sign-in stands before the dashboard nobody is known, and nothing can be signed. One function, so that the
sign-in has one place to answer.
"""

from __future__ import annotations


def signer() -> str | None:
    """The signed-in person's name as it stands under a signature; None when nobody is signed in."""
    return None
