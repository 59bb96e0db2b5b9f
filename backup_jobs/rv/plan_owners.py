"""Whose a plan is, where the R&V database has it under several patients, such as a phantom or a retired number.

Candidates are narrowed down, by one question after the other, until one is left: who has a number, who is no phantom by
`[dashboard] exclude_patient_ids`, whose number stands, whose the plan is in the RT-PACS, for whom it was imported, who
was treated with it. Where several are left nobody chooses: the plan is left out, and named.
"""

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from backup_jobs.rv import values
from backup_jobs.rv.odd_rows import OddRow
from backup_jobs.rv.table_readings import Group, Made, TableReading
from recovery.cache.doors import cache_of
from recovery.cache.errors import CacheError
from recovery.settings.config import Config
from recovery.tables.relational import PLANS
from recovery.tables.schema import RT_PLANS, Row, TableSchema

UNDECIDED = "stands under several patients, and nothing tells whose it is"
OF_ANOTHER = "fields of a plan that is another patient's"


class PlanOwners:
    """The owners of plans in one run, as the table plans settles them for the tables that follow it."""

    def __init__(self, config: Config) -> None:
        self._cache = cache_of(config)
        self._phantoms = config.dashboard.exclude_patient_ids
        self._owners: Mapping[object, object] | None = None

    def applied_to(self, reading: TableReading) -> TableReading:
        """The reading, with every plan and field under one patient."""
        if reading.may_be_of_several_patients:
            return replace(reading, settle=self._settle)
        if reading.is_of_plans:
            return replace(reading, leaves_out={**reading.leaves_out, OF_ANOTHER: self._is_of_another})
        return reading

    def decides(self, reading: TableReading) -> bool:
        """Whether the reading's rows depend on more than the database: the RT-PACS may tell whose a plan is."""
        return (reading.may_be_of_several_patients or reading.is_of_plans) and bool(self._owners)

    def _settle(self, made: Sequence[Made]) -> tuple[list[Row], list[OddRow]]:
        by_plan: dict[object, list[Made]] = {}
        for one in made:
            by_plan.setdefault(one[1]["sop_instance_uid"], []).append(one)
        shared = {uid for uid, group in by_plan.items() if len({row["patient_id"] for _, row in group}) > 1}
        held_for = self._read(RT_PLANS, sorted(map(str, shared))) if shared else {}
        self._owners = {}
        rows: list[Row] = []
        odd = []
        for uid, candidates in by_plan.items():
            left = candidates if uid not in shared else self._narrowed(candidates, held_for.get(uid))
            if uid in shared:
                owners = {row["patient_id"] for _, row in left}
                self._owners[uid] = owners.pop() if len(owners) == 1 else None
                if self._owners[uid] is None:
                    odd.append(OddRow(f"sop_instance_uid {uid}", UNDECIDED))
                    continue
            rows += [row for _, row in left]
        return rows, odd

    def _narrowed(self, candidates: Sequence[Made], held_for: object) -> Sequence[Made]:
        questions: tuple[Callable[[Made], bool], ...] = (
            lambda one: one[1]["patient_id"] is not None,
            lambda one: not self._is_phantom(one[1]["patient_id"]),
            lambda one: not values.truth(one[0][0]["is_retired"]),
            lambda one: one[1]["patient_id"] == held_for,
            lambda one: bool(values.truth(one[0][0]["was_imported"])),
            lambda one: bool(values.truth(one[0][0]["was_delivered"])),
        )
        left = candidates
        for is_so in questions:
            left = [one for one in left if is_so(one)] or left
        return left

    def _is_phantom(self, patient_id: object) -> bool:
        return any(fnmatch.fnmatchcase(str(patient_id), pattern) for pattern in self._phantoms)

    def _is_of_another(self, group: Group) -> bool:
        if self._owners is None:  # the table plans could not be read in this run: its last state says whose they are
            self._owners = self._read(PLANS)
        uid = values.text(group[0]["sop_instance_uid"])
        return uid in self._owners and self._owners[uid] != values.text(group[0]["patient_id"])

    def _read(self, schema: TableSchema, uids: Sequence[str] | None = None) -> dict[object, object]:
        """By plan, its patient; nobody's where the cache tells nothing."""
        try:
            found = (
                self._cache.read(schema) if uids is None else self._cache.read_where(schema, "sop_instance_uid", uids)
            )
        except CacheError:
            return {}
        return {row["sop_instance_uid"]: row["patient_id"] for row in found}
