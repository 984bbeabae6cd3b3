import json

import pytest

from rlaif.backends.scripted import ScriptedBackend
from rlaif.errors import InputError, TemplateError
from rlaif.judges.absolute import AbsoluteJudge
from rlaif.judges.build import calibration_in, judge_from
from rlaif.judges.orders import BothOrders
from rlaif.judges.pairwise import PairwiseJudge


def test_the_prompt_files_inputs_say_which_judge_it_makes():
    backend = ScriptedBackend(lambda _: "Yes")
    assert isinstance(judge_from(backend, "absolute"), AbsoluteJudge)
    assert isinstance(judge_from(backend, "compare"), BothOrders)
    assert isinstance(judge_from(backend, "compare", orders="one"), PairwiseJudge)


def test_a_prompt_file_that_judges_nothing_is_refused():
    with pytest.raises(TemplateError, match="critique"):
        judge_from(ScriptedBackend(lambda _: ""), "critique")


def test_an_adapters_calibration_is_read_and_a_broken_one_is_named(tmp_path):
    assert calibration_in(tmp_path) is None
    file = tmp_path / "calibration.json"
    file.write_text(json.dumps({"bias": 0.5, "temperature": 2.0}))
    assert calibration_in(tmp_path).bias == 0.5
    file.write_text(json.dumps({"bias": 0.5, "temperature": -1}))
    with pytest.raises(InputError, match=r"calibration.json:1: temperature"):
        calibration_in(tmp_path)
