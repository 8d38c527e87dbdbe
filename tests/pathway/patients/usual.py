"""The usual beginnings of a course: referred and assessed on 2 March, decided on 3, booked on 4, operated on 16."""

from __future__ import annotations

from tests.pathway.patients.filling import Answers
from tests.pathway.patients.patient import Step
from tests.pathway.patients.story import decision, indications, referral, surgery, surgery_booked

PAIN: Answers = {"ind-severe-pain": True}


def assessed(answers: Answers = PAIN) -> tuple[Step, ...]:
    return (("2026-03-02", referral()), ("2026-03-02 11:00", indications(answers)))


def decided(*needs: str, answers: Answers = PAIN, denied: tuple[str, ...] = ()) -> tuple[Step, ...]:
    """Surgery is decided; `denied` are needs that the surgeon says are none."""
    decision_ = decision("surgery", *needs, answers=dict.fromkeys(denied, False))
    return (*assessed(answers), ("2026-03-03", decision_))


def booked(*needs: str, answers: Answers = PAIN, denied: tuple[str, ...] = ()) -> tuple[Step, ...]:
    """It is booked for Monday, 16 March 2026."""
    return (*decided(*needs, answers=answers, denied=denied), ("2026-03-04", surgery_booked("2026-03-16")))


def operated(*needs: str, answers: Answers = PAIN, denied: tuple[str, ...] = ()) -> tuple[Step, ...]:
    """It took place, and is recorded that evening: the first visit belongs between 23 and 30 March."""
    return (*booked(*needs, answers=answers, denied=denied), ("2026-03-16 18:00", surgery()))
