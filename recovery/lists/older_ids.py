"""Rows that still bear an older ID of a patient, shown under the newest, as the list has it."""

from collections.abc import Mapping
from typing import TypeVar

import pandas as pd

from recovery.identity.one_patient import newest_ids

_T = TypeVar("_T")


def names_of(table: pd.DataFrame) -> dict[str, str]:
    """By older ID the newest one, as on_treatment tells."""
    ids = zip(*(table[name].fillna("") for name in ("patient_id", "other_patient_ids")), strict=True)
    return newest_ids({"patient_id": own, "other_patient_ids": others} for own, others in ids)


def under_newest(frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The rows of a relational table, each under the newest ID of its patient; first those that bore it."""
    if not names or "patient_id" not in frame:
        return frame
    is_older = frame["patient_id"].isin(names)
    renamed = frame[is_older].assign(patient_id=frame["patient_id"][is_older].map(names))
    return pd.concat([frame[~is_older], renamed.astype(frame.dtypes)])


def by_newest(known: Mapping[str, _T], names: Mapping[str, str]) -> dict[str, _T]:
    """What is known by patient, under the newest ID; what is known under that one already counts before the rest."""
    return {names.get(patient_id, patient_id): value for patient_id, value in known.items()} | {
        patient_id: value for patient_id, value in known.items() if patient_id not in names
    }
