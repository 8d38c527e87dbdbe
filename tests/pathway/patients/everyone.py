"""All patients."""

from __future__ import annotations

from tests.pathway.patients.bad_records import BAD_RECORDS
from tests.pathway.patients.deciding import DECIDING
from tests.pathway.patients.fasting import FASTING
from tests.pathway.patients.following_up import FOLLOWING_UP
from tests.pathway.patients.living_on import LIVING_ON
from tests.pathway.patients.medicines import MEDICINES
from tests.pathway.patients.operating import OPERATING
from tests.pathway.patients.patient import Patient
from tests.pathway.patients.preparing import PREPARING
from tests.pathway.patients.proposing import PROPOSING
from tests.pathway.patients.several_operations import SEVERAL_OPERATIONS
from tests.pathway.patients.warning_signs import WARNING_SIGNS
from tests.pathway.patients.young import YOUNG

EVERYONE: tuple[Patient, ...] = (
    *PROPOSING,
    *DECIDING,
    *PREPARING,
    *MEDICINES,
    *FASTING,
    *YOUNG,
    *OPERATING,
    *FOLLOWING_UP,
    *WARNING_SIGNS,
    *LIVING_ON,
    *SEVERAL_OPERATIONS,
    *BAD_RECORDS,
)
