"""What the admin REST says of one action of a plan: why, by which expressions, values and statements of the content.

The values that expressions gave stay in `$explain`: they may come from the patient's record.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, Field

from pathway.apply import Explanation as Explained
from pathway.explain import NOT_LOOKED_AT, looked_at, read_of, sources_of
from pathway.looking import Looked, meaning
from pathway.ports import Resource
from pathway.statements import sentences


class Source(BaseModel):
    """A statement of the content that an action represents."""

    id: str
    sentence: str | None


class Expression(BaseModel):
    """One expression of an action; the last one that was looked at decided."""

    element: str
    meaning: str
    expression: str
    outcome: str = Field(description="true, false, missing, value, failed, or not-looked-at")
    read: dict[str, list[str]] = Field(description="per %name the versions of what was found; at most 20")
    message: str | None = Field(description="why it failed")


class Explanation(BaseModel):
    """Why an action of the pathway is in the plan now, or is not."""

    action: str
    occurrence: str
    included: bool
    why: str
    sources: list[Source]
    parameters: dict[str, bool | int | float | str] = Field(description="the hospital's values that it rests on")
    expressions: list[Expression]


def reasons(explained: Explained, action: Resource) -> Explanation:
    """`action` is the plan's action that it explains."""
    values = explained.parameters.items()
    return Explanation(
        action=explained.action,
        occurrence=explained.occurrence,
        included=explained.included,
        why=explained.why,
        sources=[Source(id=source, sentence=sentences().get(source)) for source in sources_of(action)],
        parameters={name: float(value) if isinstance(value, Decimal) else value for name, value in values},
        expressions=[_expression(element, looked) for element, looked in looked_at(explained, action)],
    )


def _expression(element: str, looked: Looked | Resource) -> Expression:
    if not isinstance(looked, Looked):
        text, words = looked["expression"], meaning(looked)
        return Expression(element=element, meaning=words, expression=text, outcome=NOT_LOOKED_AT, read={}, message=None)
    evaluation = looked.evaluation
    return Expression(
        element=element,
        meaning=looked.meaning,
        expression=evaluation.expression,
        outcome=evaluation.outcome,
        read={f"%{name}": found for name, found in read_of(looked)},
        message=evaluation.message or None,
    )
