# SPDX-License-Identifier: GPL-2.0-only
"""
What of JSON Schema doc/show.schema.json uses, and no more: a keyword that is not known
here is an error, so that nothing stands there that no test looks at.
"""
import json
import os
import re

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "doc",
                    "show.schema.json")
TYPES = {"string": str, "integer": int, "boolean": bool, "null": type(None),
         "array": list, "object": dict}
KNOWN = {"description", "type", "enum", "pattern", "minimum", "maximum", "properties",
         "required", "items"}


def definitions():
    with open(PATH, encoding="ascii") as f:
        return json.load(f)["$defs"]


def columns(name):
    """The keys of a table's row, or of an event, in their order."""
    schema = definitions()[name]
    return list(schema.get("items", schema)["properties"])


def check(value, schema, where="$"):
    unknown = set(schema) - KNOWN
    assert not unknown, (where, unknown)
    if "type" in schema:
        wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        # True is an int in Python, and none in JSON.
        assert any(type(value) is TYPES[t] for t in wanted), (where, value, wanted)
    if "enum" in schema:
        assert value in schema["enum"], (where, value)
    if value is None:
        return
    if "pattern" in schema:
        assert re.search(schema["pattern"], value), (where, value)
    assert value >= schema["minimum"] if "minimum" in schema else True, (where, value)
    assert value <= schema["maximum"] if "maximum" in schema else True, (where, value)
    if isinstance(value, list):
        for i, item in enumerate(value):
            check(item, schema["items"], f"{where}[{i}]")
    if isinstance(value, dict):
        assert set(schema["required"]) <= set(value), (where, value)
        # Stricter than JSON Schema: what is new is to be said there, too.
        assert list(value) == list(schema["properties"]), (where, list(value))
        for key, member in value.items():
            check(member, schema["properties"][key], f"{where}.{key}")
