"""Paper charts: what a department treats from when every screen is dark."""

from recovery.charting.code import ChartCode as ChartCode
from recovery.charting.letters import FontError as FontError
from recovery.charting.pdf import charts_pdf as charts_pdf
from recovery.charting.sheet import ChartSheet as ChartSheet
from recovery.charting.sheet import chart_sheets as chart_sheets
from recovery.charting.workbook import charts_workbook as charts_workbook
