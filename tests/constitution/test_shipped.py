"""The ready constitutions: whole, in good wording, each principle with its unit tests."""

import json

import jsonschema
import pytest
import yaml

from rlaif.constitution.lint import lint
from rlaif.constitution.principle import Constitution
from rlaif.constitution.schema import schema, schema_text
from rlaif.resources import find, shipped, shipped_names

NAMES = ["harmlessness", "helpful-honest-harmless", "over-refusal", "rule-based", "tone"]


def test_these_ship() -> None:
    assert shipped_names("constitution") == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_there_is_nothing_to_say_about_its_wording(name: str) -> None:
    assert lint(Constitution.load(name), find("constitution", name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_each_principle_has_examples_that_say_why(name: str) -> None:
    for principle in Constitution.load(name).principles:
        assert len(principle.examples) >= 2, principle.id
        assert all(example.why for example in principle.examples), principle.id


@pytest.mark.parametrize("name", NAMES)
def test_it_fits_the_schema_that_editors_read(name: str) -> None:
    text = find("constitution", name).read_text(encoding="utf-8")
    jsonschema.validate(yaml.safe_load(text), schema())
    assert text.startswith("# yaml-language-server: $schema=./schema.json\n")


def test_the_schema_is_the_one_that_the_code_makes() -> None:
    path = shipped("constitution") / "schema.json"
    assert path.read_text(encoding="utf-8") == schema_text()


def test_the_schema_refuses_a_field_that_is_misspelt() -> None:
    rules = {"name": "c", "principles": {"kind": {"text": "The response is kind.", "wieght": 2}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(rules, json.loads(schema_text()))
