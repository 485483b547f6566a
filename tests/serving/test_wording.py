import pytest

from actionformer.features import ALL_THE_SAME
from actionformer.serving.wording import ASKED, for_client
from actionformer.serving.work import Followed, Question


@pytest.mark.parametrize(
    ("words", "heard"),
    [
        (
            "it.csv: does not say its rate: give --fps, that of its video",
            "it.csv: does not say its rate: give ?fps=, that",
        ),
        ("must be more: give --num-frames", "must be more: give ?num_frames="),
        (f"extract it again, or {ALL_THE_SAME}", "extract it again, or have the server started with --other-timing"),
        ("name others with --columns", "(--columns: not for requests, correct the file or ask the server's operator)"),
        ("give --fps (--data.fps to train)", "give ?fps= (--data.fps to train) (--data.fps: not for requests"),
        ("a--b.npy: --: no option", "a--b.npy: --: no option"),
    ],
)
def test_options_are_said_as_a_client_can_give_them(words: str, heard: str) -> None:
    assert heard in for_client(words)


def test_what_is_said_as_a_parameter_is_one() -> None:
    assert {name.replace("-", "_") for name in ASKED} <= Question.model_fields.keys() | Followed.model_fields.keys()
