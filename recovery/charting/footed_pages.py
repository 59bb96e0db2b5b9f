"""Pages that are no chart's: a drill's report, the summary of a patient who goes elsewhere."""

from recovery.charting.canvas import FOOT, Canvas, Paper
from recovery.charting.letters import Letters


class FootedPages(Canvas):
    """The foot of each says of whom or of what it is: two such documents may lie on one table."""

    def __init__(self, paper: Paper, letters: Letters, foot: str) -> None:
        super().__init__(paper, letters)
        self._foot = foot

    def footer(self) -> None:
        self.set_y(-FOOT + 4)
        self.write_text(f"{self._foot}   page {self.page_no()} of {{nb}}", self.epw, size=7)
