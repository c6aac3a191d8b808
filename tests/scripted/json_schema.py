"""A validator for the part of JSON Schema 2020-12 that exporter/openapi.yaml
uses. A keyword that it does not know is an error, so that nothing passes
unchecked.
"""

import datetime
import re

ANNOTATIONS = {"description", "default", "example"}
TYPES = {"object": dict, "array": list, "string": str, "integer": int}


def resolve(document, schema):
    while "$ref" in schema:
        found = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def problems(document, schema, value, where="$"):
    """What in `value` does not follow `schema`, as sentences."""
    schema = resolve(document, schema)
    found = []
    for keyword, wanted in schema.items():
        if keyword == "type":
            kind = TYPES[wanted]
            if not isinstance(value, kind) or isinstance(value, bool):
                return [f"{where} is no {wanted}: {value!r}"]
        elif keyword == "const":
            if value != wanted:
                found.append(f"{where} is not {wanted!r}: {value!r}")
        elif keyword == "enum":
            if value not in wanted:
                found.append(f"{where} is not one of {wanted}: {value!r}")
        elif keyword == "minimum":
            if value < wanted:
                found.append(f"{where} is below {wanted}: {value!r}")
        elif keyword == "maximum":
            if value > wanted:
                found.append(f"{where} is above {wanted}: {value!r}")
        elif keyword in ("maxLength", "maxItems"):
            if len(value) > wanted:
                found.append(f"{where} is longer than {wanted}")
        elif keyword == "format":
            found += _format(wanted, value, where)
        elif keyword == "required":
            found += [f"{where} has no {name}" for name in wanted
                      if name not in value]
        elif keyword == "items":
            for number, item in enumerate(value):
                found += problems(document, wanted, item, f"{where}[{number}]")
        elif keyword == "properties":
            for name, item in value.items():
                if name in wanted:
                    found += problems(document, wanted[name], item,
                                      f"{where}.{name}")
        elif keyword == "additionalProperties" and wanted is False:
            found += [f"{where} has an unknown {name}" for name in value
                      if name not in schema.get("properties", {})]
        elif keyword not in ANNOTATIONS:
            raise ValueError(f"{where}: unknown keyword {keyword}")
    return found


def _format(wanted, value, where):
    if wanted != "date-time":
        raise ValueError(f"{where}: unknown format {wanted}")
    shape = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
    try:
        datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        wrong = not re.fullmatch(shape, value)
    except ValueError:
        wrong = True
    return [f"{where} is no time: {value!r}"] if wrong else []
