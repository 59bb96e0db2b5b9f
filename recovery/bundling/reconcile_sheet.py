"""The work list of coming back, for people: a row a beam, and a sheet per patient to enter by hand from."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from recovery.lists.day_sheet import cells_of, framed, said, table
from recovery.on_treatment.reconciling import BeamOfBoth, Compared, Given
from recovery.patient.reconciliation import Item, Reconciliation
from recovery.tables.schema import TableSchema, columns
from recovery.words.times import day
from recovery.words.values import absent

COLUMNS = TableSchema(
    "reconciliation",
    columns("""
        item state patient_id patient_name rt_plan_label referenced_rt_plan_uid fraction_number:int beam_number:int
        beam_name meterset_here:float days_here meterset_in_rv:float days_in_rv charted_by what
    """),
    key=(),
)
_HEADINGS = ("Item", "Plan", "Fraction", "Beam", "Enter: MU", "Given on", "R&V system has", "Charted by", "Entered by")


def rows(found: Reconciliation) -> list[dict[str, object]]:
    """What differs, then what is equal: a row a beam."""
    differing = ((item.compared, item.state, item) for item in found.items)
    equal = ((one, "equal", None) for one in found.equal)
    return [_row(one, state, item, beam) for one, state, item in (*differing, *equal) for beam in one.beams or (None,)]


def sheets(found: Reconciliation, site: str, told: str) -> Iterator[str]:
    """Per patient, what is open and lacks in the R&V system; every text in it is escaped."""
    lacking = [item for item in found.open if item.compared.is_lacking]
    for patient_id, own in groupby(lacking, key=lambda item: item.compared.patient_id):
        items = list(own)
        title = f"Enter by hand · {absent(items[0].patient_name)} · ID {patient_id} · {site}"
        yield framed(title, told, [table(_HEADINGS, _lines(items))])


def _row(one: Compared, state: str, item: Item | None, beam: BeamOfBoth | None) -> dict[str, object]:
    ours, theirs = (beam.ours, beam.theirs) if beam is not None else (None, None)
    values = (
        *(one.item, state, one.patient_id, item.patient_name if item else None, item.plan_label if item else None),
        *(one.referenced_rt_plan_uid, one.fraction_number),
        *((beam.beam_number, beam.beam_name) if beam is not None else (None, None)),
        *(ours.meterset if ours is not None else None, _days(ours)),
        *(theirs.meterset if theirs is not None else None, _days(theirs)),
        *(one.charted_by or None, one.what or None),
    )
    return dict(zip(COLUMNS.columns, values, strict=True))


def _lines(items: Iterable[Item]) -> Iterator[str]:
    for item in items:
        one = item.compared
        for beam in (beam for beam in one.beams if beam.ours is not None and not beam.is_equal):
            mu = f"{beam.ours.meterset:.1f}" if beam.ours is not None and beam.ours.meterset is not None else None
            theirs = beam.theirs.in_words if beam.theirs is not None else None
            cells = (
                ("whole", said(one.item)),
                ("", said(item.plan_label or one.referenced_rt_plan_uid)),
                ("fraction", said(one.fraction_number)),
                ("", said(beam.beam_name or beam.beam_number)),
                ("time", said(mu)),
                ("", said(", ".join(map(day, beam.ours.days)) if beam.ours is not None else None)),
                ("", said(theirs)),
                ("", said(one.charted_by or None)),
                ("box", ""),
            )
            yield f"<tr>{cells_of(cells)}</tr>"


def _days(given: Given | None) -> str | None:
    return ", ".join(f"{at:%Y-%m-%d}" for at in given.days) if given is not None else None
