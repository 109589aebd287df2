"""The response names everything that is known of who answered, and nothing twice."""

from dataclasses import fields

from app.answering.trace_json.shapes import Decision
from app.service.assembly import ModelNames
from app.service.response import AnswerResponse, Model


def test_every_name_of_a_model_reaches_the_response():
    assert {field.name for field in fields(ModelNames)} == set(Model.model_fields)


def test_every_part_of_a_decision_reaches_the_response():
    assert set(AnswerResponse.model_fields) >= Decision.__required_keys__
