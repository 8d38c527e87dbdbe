"""An action's expressions, evaluated one by one, with what each gave and read kept for the explanation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pathway.context import Context, Scope
from pathway.expressions import Evaluation, ExpressionFailed
from pathway.issues import Issue
from pathway.ports import Resource


@dataclass(frozen=True)
class Looked:
    """An expression of an action: its `element` (such as `condition[0]` or `dynamicValue[1]`) and its `meaning`."""

    element: str
    meaning: str
    evaluation: Evaluation


@dataclass
class Looking:
    """The look at one action in one scope. `issues`: expressions that gave nothing to rely on."""

    context: Context
    action: Resource
    scope: Scope
    looked: list[Looked] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def holds(self, kind: str) -> tuple[bool | None, Looked | None]:
        """Whether all conditions of a kind hold; else False or None (unknown) with the one that decided it."""
        for looked in self._conditions(kind):
            outcome = looked.evaluation.outcome
            if outcome != "true":
                return (False if outcome == "false" else None), looked
        return True, None

    def first(self, kind: str) -> str | None:
        """The first condition of a kind that holds, in words."""
        return next((c.meaning for c in self._conditions(kind) if c.evaluation.outcome == "true"), None)

    def value(self, element: str, expression: Resource) -> Any | None:
        """The value of an expression; None when there is none. Raises ExpressionFailed, also for several."""
        looked = self._look(element, expression)
        values, wrong = looked.evaluation.value, looked.evaluation.message
        if len(values) > 1:
            wrong = f"{expression['expression']} gave {len(values)} values; an element takes one"
        if wrong:
            self.issues.append(fault(self.action, element, wrong))
            raise ExpressionFailed(wrong)
        return values[0] if values else None

    def _conditions(self, kind: str) -> Iterator[Looked]:
        for number, condition in enumerate(self.action.get("condition", [])):
            if condition["kind"] != kind:
                continue
            looked = self._look(f"condition[{number}]", condition["expression"])
            try:
                _ = looked.evaluation.holds
            except ExpressionFailed as error:
                self.issues.append(fault(self.action, looked.element, str(error)))
            yield looked

    def _look(self, element: str, expression: Resource) -> Looked:
        subject, scope = self.context.situation.subject, self.scope
        evaluation = self.context.looks.look(expression["expression"], scope.occurrence, subject, scope.variables)
        looked = Looked(element, meaning(expression), evaluation)
        self.looked.append(looked)
        return looked


def meanings(expressions: Sequence[Resource]) -> str:
    """Expressions in words, in their order."""
    return "; ".join(meaning(expression) for expression in expressions)


def meaning(expression: Resource) -> str:
    """An expression in words, where it has them."""
    return str(expression.get("description", expression["expression"]))


def fault(action: Resource, element: str, text: str) -> Issue:
    """What is wrong with an action, named so that its author finds it."""
    where = f"PlanDefinition.repeat(action).where(id = '{action['id']}')"
    name = f"{action['id']} ({action['title']})" if "title" in action else action["id"]
    return Issue("error", "processing", f"Action {name}: {text}", f"{where}.{element}" if element else where)
