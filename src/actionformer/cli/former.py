"""Calls of the version before, in the words of this one."""

from __future__ import annotations

import re

from actionformer.core.terminal import complain

_LIVE = re.compile(r"--live(?=$|=)")


def in_todays_words(arguments: list[str]) -> list[str]:
    """`detect RUN --live SOURCE` is `watch RUN SOURCE` by now; who writes the former is told."""
    if arguments[:1] != ["detect"] or not any(map(_LIVE.match, arguments)):
        return arguments
    complain("warning: detect RUN --live SOURCE is now called watch: write actionformer watch RUN SOURCE")
    return ["watch", *(_LIVE.sub("--source", one) if _LIVE.match(one) else one for one in arguments[1:])]
