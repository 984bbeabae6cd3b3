"""Where the pages' templates are."""

from importlib.resources import files

import jinja2


def template(name: str) -> jinja2.Template:
    """Find a page's template; what it is not given is an error."""
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_source),
    )
    return environment.get_template(name)


def _source(name: str) -> str:
    return files("rlaif.evaluation").joinpath(name).read_text(encoding="utf-8")
