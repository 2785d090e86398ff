"""The words that stand on every output, and those that may stand on none."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from linkage_spark.settings.files import Frozen, read_toml, validate


class Wording(Frozen):
    """The advisory statement, the coverage caveat, and the words that are barred."""

    advisory: str = Field(min_length=20)
    coverage_caveat: str = Field(min_length=20)
    forbidden_words: tuple[str, ...] = Field(min_length=1)

    def forbidden_in(self, text: str) -> list[str]:
        """The barred words that occur in ``text``, whatever their case; underscores count as spaces."""
        plain = " ".join(text.lower().replace("_", " ").split())
        return [word for word in self.forbidden_words if word in plain]


def load_wording(conf_dir: Path) -> Wording:
    """Read ``wording.toml``.

    Raises:
        SettingsError: names every faulty key.
    """
    return validate(Wording, read_toml(conf_dir / "wording.toml"), source="conf/wording.toml")
