"""Request bodies as FastAPI and pydantic take them: unknown keys ignored, lax conversions, 422 with their error objects."""

from __future__ import annotations

import json

from .wire import HttpError, Request

INT, FLOAT, BOOL, STR, DICT, STRINGS, LIST, ANY = "int", "float", "bool", "str", "dict", "strings", "list", "any"

_TRUE = {"1", "true", "t", "yes", "y", "on"}
_FALSE = {"0", "false", "f", "no", "n", "off"}


def body(request: Request) -> dict:
    """The JSON object of a request; a body that does not say it is JSON is not looked into (FastAPI)."""
    content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if not request.body:
        raise HttpError(422, [_error("missing", ["body"], "Field required", None)])
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise HttpError(422, [_not_an_object(request.body.decode(errors="replace"))])
    try:
        data = json.loads(request.body)
    except json.JSONDecodeError as error:
        found = _error("json_invalid", ["body", error.pos], "JSON decode error", {})
        raise HttpError(422, [{**found, "ctx": {"error": error.msg}}]) from None
    except ValueError:
        raise HttpError(400, "There was an error parsing the body") from None
    if not isinstance(data, dict):
        raise HttpError(422, [_not_an_object(data)])
    return data


def fields(data: dict, kinds: dict[str, str], required: tuple[str, ...] = ()) -> dict:
    """The known fields that were sent, converted; null stays null where the field is optional."""
    values, errors = {}, []
    for name in required:
        if name not in data:
            errors.append(_error("missing", ["body", name], "Field required", data))
    for name, kind in kinds.items():
        if name not in data or (data[name] is None and name not in required):
            if name in data:
                values[name] = None
            continue
        try:
            values[name] = convert(data[name], kind)
        except ValueError as error:
            code, message = error.args
            errors.append(_error(code, ["body", name], message, data[name]))
    if errors:
        raise HttpError(422, errors)
    return values


def convert(value, kind: str):
    """Pydantic's lax mode; ValueError(type, message) on refusal."""
    if kind == ANY:
        return value
    if kind == BOOL:
        return _bool(value)
    if kind in (INT, FLOAT):
        return _number(value, integer=kind == INT)
    wanted = {STR: str, DICT: dict, STRINGS: list, LIST: list}[kind]
    if not isinstance(value, wanted):
        names = {str: ("string_type", "string"), dict: ("dict_type", "dictionary"), list: ("list_type", "list")}
        code, name = names[wanted]
        raise ValueError(code, f"Input should be a valid {name}")
    if kind == STRINGS and not all(isinstance(one, str) for one in value):
        raise ValueError("string_type", "Input should be a valid string")
    return value


def _bool(value) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise ValueError("bool_parsing", "Input should be a valid boolean, unable to interpret input")


def _number(value, *, integer: bool):
    name = "integer" if integer else "number"
    kind = "int" if integer else "float"
    if isinstance(value, str):
        try:
            return int(value.strip()) if integer else float(value.strip())
        except ValueError:
            raise ValueError(
                f"{kind}_parsing", f"Input should be a valid {name}, unable to parse string as {'an' if integer else 'a'} {name}"
            ) from None
    if not isinstance(value, (int, float)):
        raise ValueError(f"{kind}_type", f"Input should be a valid {name}")
    if integer and value != int(value):
        raise ValueError("int_from_float", "Input should be a valid integer, got a number with a fractional part")
    return int(value) if integer else float(value)


def _error(code: str, place: list, message: str, value) -> dict:
    return {"type": code, "loc": place, "msg": message, "input": value}


def _not_an_object(value) -> dict:
    message = "Input should be a valid dictionary or object to extract fields from"
    return _error("model_attributes_type", ["body"], message, value)
