"""What an operation is asked, from the query and the body of a request, as its declaration says.

What is wrong is said with the name of the parameter and what is expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fhir_adapters.r4 import admission, tables
from fhir_adapters.server.errors import Malformed
from fhir_adapters.server.operation import Asked, Operation, Parameter
from fhir_adapters.server.search_parameters import OF_HTTP
from pathway.issues import Issue
from pathway.ports import Query, Resource

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?")
_NUMBERS = frozenset({"decimal", "integer", "positiveInt", "unsignedInt"})
_PLACE = re.compile(r"Parameters\.parameter\[(\d+)\]")


def asked(operation: Operation, id: str, query: Query, body: Resource | None) -> Asked:
    """The parameters of the query and of the body together. Raises Malformed.

    The body is a Parameters resource or, if the operation takes one parameter that is a resource, that resource. Only
    primitive values, and references, can stand in the query.
    """
    sent = [*_of_query(operation, query), *_of_body(operation, body)]
    issues: list[Issue] = []
    found = _bound(operation.parameters, sent, issues)
    if issues:
        raise Malformed(issues)
    return replace(found, id=id or None)


def _of_query(operation: Operation, query: Query) -> Sequence[Resource]:
    declared = {parameter.name: parameter for parameter in operation.parameters}
    sent = [_written(declared.get(name), name, text) for name, text in query if name not in OF_HTTP]
    return _admitted({"resourceType": "Parameters", "parameter": sent}) if sent else []


def _written(parameter: Parameter | None, name: str, text: str) -> Resource:
    """A parameter of a query as it stands in a Parameters resource; one nobody declared as the text it is."""
    if parameter is None or parameter.type == "Reference":
        return {"name": name, "valueString": text}
    if parameter.type not in tables.PRIMITIVES:
        raise Malformed(
            f"{_needs(parameter)}: it cannot stand in the address, send it by POST in a Parameters resource"
        )
    return {"name": name, parameter.key: _primitive(parameter.type, text)}


def _primitive(type: str, text: str) -> Any:
    """The JSON value of a text; what is none stays text, which is then found not to be of the type."""
    if type == "boolean":
        return {"true": True, "false": False}.get(text, text)
    number = _NUMBER.fullmatch(text) if type in _NUMBERS else None
    if number is None:
        return text
    return Decimal(text) if number[1] else int(text)


def _of_body(operation: Operation, body: Resource | None) -> Sequence[Resource]:
    if body is None:
        return []
    if body.get("resourceType") == "Parameters":
        return _admitted(body)
    alone = [parameter for parameter in operation.parameters if parameter.is_resource]
    if len(alone) != 1:
        raise Malformed(f"${operation.name} takes a Parameters resource, not {str(body.get('resourceType'))[:64]!r}")
    issues = admission.check(body)
    if issues:
        raise Malformed(issues)
    return [{"name": alone[0].name, "resource": body}]


def _admitted(parameters: Resource) -> Sequence[Resource]:
    issues = admission.check(parameters, "Parameters")
    if issues:
        raise Malformed([_naming(issue, parameters.get("parameter")) for issue in issues])
    sent: Sequence[Resource] = parameters.get("parameter", [])
    return sent


def _naming(issue: Issue, sent: Any) -> Issue:
    """The issue with the name of the parameter it is about."""
    place = _PLACE.match(issue.expression)
    parameter = sent[int(place[1])] if place else None
    name = parameter.get("name") if isinstance(parameter, dict) else None
    if not isinstance(name, str):
        return issue
    return replace(issue, diagnostics=f"Parameter {_shown(name)}: {issue.diagnostics}")


def _bound(declared: Sequence[Parameter], sent: Sequence[Resource], issues: list[Issue], within: str = "") -> Asked:
    """The values by declared name; what is wrong goes into `issues`. `within` is the path of the parameter around."""
    by_name: dict[str, list[Resource]] = {parameter.name: [] for parameter in declared}
    for each in sent:
        name = each.get("name", "")
        if name in by_name:
            by_name[name].append(each)
        else:
            known = ", ".join(f"{within}{parameter.name}" for parameter in declared) or "none"
            issues.append(_issue("not-supported", f"There is no parameter {_shown(within + name)}; expected: {known}"))
    values: dict[str, Sequence[Any]] = {}
    for parameter in declared:
        found = by_name[parameter.name]
        issues += _counted(parameter, len(found), within)
        values[parameter.name] = [_value(parameter, each, issues, within) for each in found]
    return Asked(values)


def _counted(parameter: Parameter, count: int, within: str) -> Iterator[Issue]:
    if count < parameter.min:
        code = "required" if count == 0 else "structure"
        yield _issue(code, f"{_needs(parameter, within)}: at least {parameter.min} expected, {count} sent")
    if parameter.max != "*" and count > int(parameter.max):
        yield _issue("structure", f"{_needs(parameter, within)}: at most {parameter.max} expected, {count} sent")


def _value(parameter: Parameter, each: Resource, issues: list[Issue], within: str) -> Any:
    key = next((name for name in each if name.startswith("value") or name in ("resource", "part")), "nothing")
    if parameter.parts and key == "part":
        return _bound(parameter.parts, each["part"], issues, f"{within}{parameter.name}.")
    if parameter.type == "Reference" and key == "valueString":
        return _reference(parameter, each["valueString"])
    value = each.get(key)
    if not _fits(parameter, key, value):
        was = f"a {value['resourceType'][:64]}" if key == "resource" and isinstance(value, dict) else key
        issues.append(_issue("value", f"{_needs(parameter, within)}, sent as {parameter.key}; this was {was}"))
    return Decimal(value) if parameter.type == "decimal" and isinstance(value, int) else value


def _reference(parameter: Parameter, text: str) -> Resource:
    reference = {"reference": text}
    _admitted({"resourceType": "Parameters", "parameter": [{"name": parameter.name, "valueReference": reference}]})
    return reference


def _fits(parameter: Parameter, key: str, value: Any) -> bool:
    if parameter.type == "Any":
        return key == "resource" or key.startswith("value")
    if key != parameter.key:
        return False
    return not parameter.is_resource or parameter.type in ("Resource", value["resourceType"])


def _needs(parameter: Parameter, within: str = "") -> str:
    kind = "made of parts" if parameter.parts else f"of type {parameter.type}"
    return f"The parameter {within}{parameter.name} is {kind}"


def _issue(code: str, sentence: str) -> Issue:
    return Issue("error", code, sentence)


def _shown(name: str) -> str:
    return repr(name[:64])
