"""A constitution as the YAML that people edit."""

import yaml

from rlaif.constitution.principle import Constitution


def yaml_text(constitution: Constitution) -> str:
    """Write a constitution as a file holds it: each principle under its name, defaults left out."""
    data = constitution.model_dump(mode="json", exclude_defaults=True)
    data["principles"] = {p.pop("id"): _short(p) for p in data["principles"]}
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


def _short(fields: dict[str, object]) -> object:
    return fields["text"] if list(fields) == ["text"] else fields
