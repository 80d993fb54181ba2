"""Seats weighed once more when every sitting has its start.

A step fills seats one after another and avoids an agency that has enough that day (grid.takes). When the agency comes
for one seat anyway, its people may as well sit on the others; and whom a quorum could have needed may be spared.
"""

from services.meetings.timetable.board import Board
from services.meetings.timetable.grid import Grid


def reseat(board: Board, grid: Grid) -> None:
    """Fill each placed sitting's seats anew, an agency at a time; what is not cheaper is taken back."""
    for number, sitting in enumerate(grid.sittings):
        if board.spot[number] is None:
            continue
        people = {person for chair in sitting.chairs for person in chair.persons}
        for agency in sorted({grid.agency_of[person] for person in people}):
            before, who = board.cost, tuple(board.who[number])
            for n in range(len(who)):
                _prefer(board, grid, number, n, agency)
            if board.cost >= before:
                for n, one in enumerate(who):
                    if board.who[number][n] != one:
                        board.seat(number, n, one)
        _excuse(board, grid, number)


def _excuse(board: Board, grid: Grid, number: int) -> None:
    """Whom a quorum could have needed, and has without her, stays away where her coming costs more."""
    for n, chair in enumerate(grid.sittings[number].chairs):
        before, person = board.cost, board.who[number][n]
        if person is not None and chair.absent is not None and not board.vital(number, person):
            board.seat(number, n, None)
            if board.cost >= before:
                board.seat(number, n, person)


def _prefer(board: Board, grid: Grid, number: int, n: int, agency: int) -> None:
    """Give the seat to the first of this agency's people who comes before whoever sits there and can."""
    now = board.who[number][n]
    stays = board.who[number].count(now) > 1  # on another seat of the same sitting
    for person in grid.sittings[number].chairs[n].persons:
        if person == now:
            return
        if stays and now in grid.foes.get(person, ()):
            continue
        if grid.agency_of[person] == agency and board.may_sit(number, person, instead=now):
            board.seat(number, n, person)
            return
