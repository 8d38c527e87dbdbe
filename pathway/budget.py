"""What one evaluation of an expression may cost: processor time, and how large what it makes may grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from time import monotonic, thread_time
from typing import Any


@dataclass(frozen=True)
class Budget:
    """`seconds` are those of the processor, so that a machine that is busy with others makes no expression fail.

    `items` in one collection, `letters` in a text and `digits` in a number are what an expression may compute with.
    """

    seconds: float = 1.0
    items: int = 50_000
    letters: int = 1_000_000
    digits: int = 1_000


class OverBudget(Exception):
    """An evaluation was stopped; the message continues a sentence that begins with the expression."""


class Metered(dict[str, Any]):
    """The state of one evaluation, which the engine reads at every member, variable and function: the place to stop it.

    Raises OverBudget. Reading the processor's clock costs ten times the wall's, so it is read only when the wall's
    says that the budget may be used up.
    """

    def __init__(self, state: Mapping[str, Any], budget: Budget) -> None:
        super().__init__(state)
        self._budget = budget
        self._began = thread_time()
        self._look_at = monotonic() + budget.seconds

    def __getitem__(self, name: str) -> Any:
        if monotonic() >= self._look_at:
            self._look()
        return dict.__getitem__(self, name)

    def _look(self) -> None:
        left = self._budget.seconds - (thread_time() - self._began)
        if left <= 0:
            raise OverBudget(f"took too long: it was stopped after {self._budget.seconds:g} s")
        self._look_at = monotonic() + left

    def bound(self, value: Any) -> None:
        """Refuse a collection, text or number beyond the budget; of a collection the first value is looked at."""
        if isinstance(value, list):
            self.items_bound(len(value))
            value = value[0] if value else None
        value = getattr(value, "data", value)
        if isinstance(value, str):
            self.letters_bound(len(value))
        if _digits(value) > self._budget.digits:
            raise OverBudget(f"grew too large: a number of more than {self._budget.digits} digits")

    def items_bound(self, number: int) -> None:
        if number > self._budget.items:
            raise OverBudget(f"grew too large: more than {self._budget.items} values")

    def letters_bound(self, number: int) -> None:
        if number > self._budget.letters:
            raise OverBudget(f"grew too large: a text of more than {self._budget.letters} letters")


def _digits(value: Any) -> int:
    if isinstance(value, int):
        return value.bit_length() * 3 // 10
    return abs(value.adjusted()) if isinstance(value, Decimal) else 0
