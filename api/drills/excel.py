"""An exercise's record as a workbook: one sheet, ready for a printer and a signature."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from api.drills.sheet import Row, Sheet
from campus.text import Translate
from campus.text import marked as _

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TITLE = _("{site} 应急演练记录")
SHEET = _("演练记录")
PARTS = {
    "expected": _("系统应当发现的"),
    "deeds": _("处置过程"),
    "missed": _("缺项和超时"),
    "none_missed": _("没有"),
    "story": _("经过"),
    "earlier": _("与以往同场景演练比较"),
    "remarks": _("说明"),
    "signatures": _("签字"),
}
EXPECTED_HEAD = (_("应有的告警"), _("用时"), _("要求"), _("结果"))
DEEDS_HEAD = (_("环节"), _("时刻"), _("用时"), _("谁"), _("结果"))
EARLIER_HEAD = (
    _("编号"), _("时间"), _("结果"), _("速度"), _("发现"), _("通知"), _("看到"), _("接手"), _("处置"), _("达到"),
)  # fmt: skip
SIGNATURES = (_("组织人"), _("参加人员"), _("负责人"), _("日期"))
_COLUMNS = 10
_WIDTHS = (22, 18, 12, 14, 12, 12, 12, 12, 12, 9)
_LINE = Side(style="thin", color="999999")
_FILL = PatternFill("solid", start_color="E8EFEC")
#: what a cell may not hold: control characters but tab and line ends
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_FORMULA = ("=", "+", "-", "@")


def workbook(sheet: Sheet, site: str, translate: Translate) -> bytes:
    """The file's bytes."""
    book = Workbook()
    page = book.active
    if not isinstance(page, Worksheet):  # a new workbook has one
        raise TypeError("a new workbook has a worksheet")
    page.title = translate(SHEET)
    writer = _Writer(page)
    writer.line([translate(TITLE).format(site=site)], font=Font(bold=True, size=16))
    writer.line([f"【{translate(_('演练'))}】{sheet.title}"], font=Font(bold=True, size=13))
    for label, value in sheet.facts:
        writer.row([label, value])
    writer.part(translate(PARTS["expected"]), [translate(one) for one in EXPECTED_HEAD])
    for one in sheet.expected:
        writer.row([one.what, one.after, one.other, one.word])
    writer.part(translate(PARTS["deeds"]), [translate(one) for one in DEEDS_HEAD])
    for one in sheet.deeds:
        writer.row(_deed(one))
    writer.part(translate(PARTS["missed"]))
    for text in sheet.missed or (translate(PARTS["none_missed"]),):
        writer.line([text])
    writer.part(translate(PARTS["story"]))
    for time, text in sheet.story:
        writer.row([time, text])
    writer.part(translate(PARTS["earlier"]), [translate(one) for one in EARLIER_HEAD])
    for cells in sheet.earlier:
        writer.row(cells)
    writer.part(translate(PARTS["remarks"]))
    for text in sheet.remarks:
        writer.line([text])
    writer.part(translate(PARTS["signatures"]))
    for label in SIGNATURES:
        writer.row([translate(label), ""], height=32)
    return writer.bytes(book)


def _deed(one: Row) -> list[str]:
    return [one.what, one.time, one.after, one.other, one.word]


class _Writer:
    """Fills a page from the top."""

    def __init__(self, page: Worksheet) -> None:
        self._page = page
        self._at = 0
        for number, width in enumerate(_WIDTHS):
            page.column_dimensions[chr(ord("A") + number)].width = width
        page.page_setup.orientation = "landscape"
        page.page_setup.paperSize = page.PAPERSIZE_A4
        page.page_setup.fitToHeight = 0
        page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)

    def line(self, cells: Sequence[str], *, font: Font | None = None) -> None:
        """A text over the whole width."""
        self._at += 1
        cell = self._page.cell(self._at, 1, _text(cells[0]))
        cell.font = font or Font()
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        self._page.merge_cells(start_row=self._at, start_column=1, end_row=self._at, end_column=_COLUMNS)

    def part(self, title: str, head: Sequence[str] = ()) -> None:
        """A new part, with its table's head."""
        self._at += 1
        self.line([title], font=Font(bold=True, size=12))
        if head:
            self.row(head, head=True)

    def row(self, cells: Sequence[str], *, head: bool = False, height: int = 0) -> None:
        """A row of a table; the last cell of a short one takes the rest of the width."""
        self._at += 1
        for number, text in enumerate(cells, start=1):
            cell = self._page.cell(self._at, number, _text(text))
            cell.border = Border(top=_LINE, bottom=_LINE, left=_LINE, right=_LINE)
            cell.alignment = Alignment(wrap_text=True, vertical="center")
            if head:
                cell.font, cell.fill = Font(bold=True), _FILL
        if len(cells) == 2:
            self._page.merge_cells(start_row=self._at, start_column=2, end_row=self._at, end_column=_COLUMNS)
        if height:
            self._page.row_dimensions[self._at].height = height

    def bytes(self, book: Workbook) -> bytes:
        """The file."""
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()


def _text(text: str) -> str:
    """*text* as a cell takes it, never as a formula: notes are written by anybody."""
    clean = _CONTROL.sub("", text)
    return f"'{clean}" if clean.startswith(_FORMULA) else clean
