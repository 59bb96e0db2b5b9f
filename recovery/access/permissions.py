"""Who may do what: roles, permissions, and what break-glass adds. A table, and nothing else.

Why a matrix, not an order
    An admin looks after accounts and the audit file and is often no physicist, so "admin" does not mean "everything". A
    physicist may enter what a physician decided: an entry names both.

Why break-glass gives what it gives
    It is for the night when the only person here lacks a right that a treatment needs. It gives no signature, no audit
    file and no accounts: whoever breaks glass must not tidy up behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is here."""

    VIEWER = "viewer"
    THERAPIST = "therapist"
    PHYSICIST = "physicist"
    PHYSICIAN = "physician"
    ADMIN = "admin"
    NETWORK = "network"


class Permission(StrEnum):
    """What a page or a button asks for. The value completes the sentence "you may …"."""

    VIEW = "see patients"
    CHARTS = "print paper charts"
    EXPORT = "export lists"
    RECOVERY = "recover plans"
    SIGN_OFF = "sign"
    PRIORITIES = "sign priorities"
    DOWNTIME = "declare a downtime"
    CHARTING = "chart fractions"
    TRANSFERS = "sign transfers"
    VIEWS = "save views for everybody"
    AUDIT = "read the audit file"
    USERS = "look after accounts"
    NETWORK = "see the patients of all sites"


_THERAPIST = frozenset({Permission.VIEW, Permission.CHARTS})
_TREATING = _THERAPIST | {Permission.EXPORT, Permission.RECOVERY}
_DOWNTIME = frozenset({Permission.PRIORITIES, Permission.DOWNTIME, Permission.CHARTING, Permission.TRANSFERS})

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.VIEW}),
    Role.THERAPIST: _THERAPIST | {Permission.CHARTING, Permission.VIEWS},
    Role.PHYSICIST: _TREATING | _DOWNTIME | {Permission.SIGN_OFF, Permission.VIEWS},
    Role.PHYSICIAN: _THERAPIST | _DOWNTIME | {Permission.EXPORT, Permission.VIEWS},
    Role.ADMIN: _TREATING | {Permission.AUDIT, Permission.USERS, Permission.VIEWS},
    Role.NETWORK: frozenset({Permission.VIEW, Permission.EXPORT, Permission.NETWORK}),
}

BREAK_GLASS_GRANTS = _TREATING
"""What anyone who is signed in may do for a while after breaking glass, whatever the role."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who is signed in."""

    name: str
    full_name: str
    role: Role

    def may(self, permission: Permission) -> bool:
        """Whether the role alone has the permission."""
        return permission in PERMISSIONS[self.role]


def roles_with(permission: Permission) -> tuple[Role, ...]:
    """The roles that have a permission, in their order."""
    return tuple(role for role in Role if permission in PERMISSIONS[role])


def gains_by_break_glass(role: Role) -> tuple[Permission, ...]:
    """What break-glass would add to a role, in the order of the table; empty when nothing."""
    return tuple(p for p in Permission if p in BREAK_GLASS_GRANTS - PERMISSIONS[role])
