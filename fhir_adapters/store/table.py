"""What all tables share: names of constraints, and the kinds of columns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData, Text
from sqlmodel import Field, SQLModel

from fhir_adapters.store.times import UtcDateTime

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Base(SQLModel):
    metadata = METADATA


def moment(**options: Any) -> Any:
    return Field(sa_type=UtcDateTime, **options)


def long_text(**options: Any) -> Any:
    return Field(sa_type=Text, **options)


def of_hospital(*, key: bool = True) -> Any:
    return Field(primary_key=key, foreign_key="hospital.name")


def key_part() -> Any:
    return Field(primary_key=True)
