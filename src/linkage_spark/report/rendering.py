"""Templates → pages: escaped, and a value that is missing is an error."""

from __future__ import annotations

import functools

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from linkage_spark.report.words import count, label, percent, signed


def template(name: str) -> Template:
    """A template of ``report/templates`` with the filters that pages use."""
    return _environment().get_template(name)


@functools.cache
def _environment() -> Environment:
    """Compiles a template once a process."""
    environment = Environment(
        loader=PackageLoader(package_name="linkage_spark.report", package_path="templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({"label": label, "count": count, "percent": percent, "signed": signed})
    return environment
