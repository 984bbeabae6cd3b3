"""The constitution's format as a JSON schema, for editors: `constitution/schema.json`."""

import json
from typing import Any

from rlaif.constitution.principle import Constitution, Principle


def schema() -> dict[str, Any]:
    """Give the schema of a constitution file, where `principles` maps a name to a principle."""
    made = Constitution.model_json_schema()
    definitions = made.pop("$defs")
    principle = definitions["Principle"]
    # In a file the name is the key, and a sentence alone is a whole principle.
    del principle["properties"]["id"]
    principle["required"] = [name for name in principle["required"] if name != "id"]
    for name, field in Principle.model_fields.items():
        if name in principle["properties"] and field.description:
            principle["properties"][name]["description"] = field.description
    made["properties"]["principles"] = {
        "title": "Principles",
        "description": "Each principle's name, and its sentence or its fields.",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {
            "anyOf": [{"type": "string"}, {"$ref": "#/$defs/Principle"}],
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "$defs": definitions,
    }


def schema_text() -> str:
    """Write the schema as `constitution/schema.json` holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
