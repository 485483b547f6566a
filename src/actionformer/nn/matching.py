"""Pairs of rows and columns that cost least together, each in one pair at most: who answers for which action."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def least_cost_pairs(cost: Floats) -> tuple[Integers, Integers]:
    """The pairs of least total cost: as many as there are rows or columns, whichever are fewer.

    By shortest augmenting paths (Crouse, On implementing 2D rectangular assignment algorithms, IEEE TAES 2016).

    Args:
        cost: (N, M), finite.

    Returns:
        (P,) rows, ascending, and (P,) the column of each.
    """
    if cost.shape[0] > cost.shape[1]:
        columns, rows = least_cost_pairs(cost.T)
        order = np.argsort(rows)
        return rows[order], columns[order]
    rows = np.arange(len(cost))
    column_of = cost.argmin(axis=1) if cost.size else np.empty(0, np.int64)
    if len(np.unique(column_of)) < len(rows):  # two rows want the same column
        column_of = _Assignment(np.asarray(cost, np.float64)).solved()
    return rows, column_of


class _Assignment:
    """A column for every row; prices tell what a row or column costs the others that want it."""

    def __init__(self, cost: Floats) -> None:
        self.cost = cost
        self.row_price, self.column_price = np.zeros(cost.shape[0]), np.zeros(cost.shape[1])
        self.column_of = np.full(cost.shape[0], -1)
        self.row_of = np.full(cost.shape[1], -1)

    def solved(self) -> Integers:
        """(N,) the column of each row."""
        for row in range(len(self.column_of)):
            self._place(row)
        return self.column_of

    def _place(self, row: int) -> None:
        """Gives a row a column, and those that have to give way another one, along the shortest path to a free one."""
        distance = np.full(len(self.row_of), np.inf)
        reached = np.zeros(len(self.row_of), dtype=bool)
        through = np.empty(len(self.row_of), np.int64)  # the row from which each column is reached
        current, way = row, 0.0
        while True:
            here = way + self.cost[current] - self.row_price[current] - self.column_price
            closer = ~reached & (here < distance)
            distance[closer], through[closer] = here[closer], current
            column = int(np.where(reached, np.inf, distance).argmin())
            way = distance[column]
            if self.row_of[column] < 0:
                break
            reached[column] = True
            current = self.row_of[column]
        self.row_price[row] += way
        self.row_price[self.row_of[reached]] += way - distance[reached]
        self.column_price[reached] -= way - distance[reached]
        self._shift(row, column, through)

    def _shift(self, row: int, column: int, through: Integers) -> None:
        """Moves the rows on the path to `column` one column on, from its end back to `row`."""
        while True:
            current = int(through[column])
            self.row_of[column] = current
            self.column_of[current], column = column, int(self.column_of[current])
            if current == row:
                return
