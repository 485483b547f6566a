"""How far a share that was counted may be from that of other videos: half widths of intervals of 95%."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

Z = 1.96
"""Standard deviations to each side that 95% of a normal distribution lie in."""


def half_width(right: int, total: int) -> float:
    """Half the width of Wilson's interval (1927) of a share, right of total; without any total it is a half."""
    if not total:
        return 0.5
    share = right / total
    return float(Z * (share * (1 - share) / total + (Z / (2 * total)) ** 2) ** 0.5 / (1 + Z * Z / total))


def half_width_of_groups(right: ArrayLike, totals: ArrayLike) -> float:
    """The same where what is counted comes in G groups that differ, such as videos or people.

    1.96 standard errors of a ratio estimate (Cochran, Sampling Techniques, 1977), which are sqrt(G / (G - 1) * sum (r_g
    - s t_g)^2) / sum t_g, s the share. One group tells nothing of others.

    Args:
        right: (G,) counts. totals: (G,).
    """
    r, t = np.asarray(right, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    if len(r) < 2 or not t.sum():
        return 0.5
    apart = r - r.sum() / t.sum() * t
    return min(float(Z * np.sqrt(len(r) / (len(r) - 1) * (apart**2).sum()) / t.sum()), 0.5)
