"""What came of a room, as CSV: a row for each learner, four columns for each incident.

RFC 4180: fields between quotation marks where they need them, lines that end with CR LF. A byte order mark tells
spreadsheets that it is UTF-8. A cell that a spreadsheet would take for a formula, because it begins with = + - @ or a
tab or a carriage return, gets an apostrophe in front: names come from anybody.

    safe('=HYPERLINK("http://…")') == "'=HYPERLINK(\\"http://…\\")"        safe(-3.5) == "-3.5"
"""

import csv
import io
from typing import Any

from django.utils.translation import get_language, gettext

from cluster_engine.words.languages import document
from visualizer import refusals
from visualizer.rooms import lessons, selectors
from visualizer.rooms.models import Room

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(room: Room) -> list[list[str]]:
    """The head and the rows, in the active language, every cell safe."""
    incidents = selectors.incidents(room.pk)
    words = document(get_language() or "en")
    head: list[Any] = [gettext("Name"), gettext("Group"), gettext("Lesson"), gettext("Beat"), gettext("Checks passed")]
    head += [gettext("Checks"), gettext("False alarms")]
    for number, incident in enumerate(incidents, 1):
        fault = incident["fault"]
        name = words.get(f"fault.{fault.get('name')}.name", fault.get("name"))
        what = f"{number}. {name} ({fault.get('target')})"
        head += [f"{what}: {column}" for column in _incident_words()]
    titles = lessons.milestone_titles(room.lesson)
    rows = [_row(row, [str(one["id"]) for one in incidents], titles) for row in selectors.board_rows(room.pk)]
    return [[safe(cell) for cell in line] for line in [head, *rows]]


def _incident_words() -> list[str]:
    return [gettext("applied"), gettext("noticed after seconds"), gettext("diagnosed after seconds"), gettext("tries")]


def _row(row: dict[str, Any], incidents: list[str], titles: dict[str, str]) -> list[Any]:
    where = row["where"] or {}
    lesson, beat = lessons.about(where.get("lesson", "")), where.get("beat")
    cells = [
        row["name"],
        row["group"],
        lesson["title"] if lesson else where.get("lesson"),
        titles.get(beat or "", beat),
    ]
    cells += [where.get("checks"), where.get("of"), row["falseAlarms"]]
    for incident in incidents:
        report = row["reports"].get(incident, {})
        cells += [
            report.get("applied") or refusals.said(report.get("problem") or ""),
            report.get("noticed"),
            report.get("diagnosed"),
        ]
        cells.append(report.get("tries"))
    return cells


def safe(cell: Any) -> str:
    """A cell that no spreadsheet calculates; numbers stay numbers."""
    if cell is None:
        return ""
    text = str(cell)
    return f"'{text}" if isinstance(cell, str) and text.lstrip(" ").startswith(FORMULA) else text


def encoded(lines: list[list[str]]) -> bytes:
    """Write lines as a file."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(lines)
    return out.getvalue().encode("utf-8-sig")
