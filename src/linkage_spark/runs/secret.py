"""The key of every stored hash of a personal value."""

from __future__ import annotations

import hmac
import secrets

from linkage_spark.errors import SettingsError
from linkage_spark.settings.run import Settings
from linkage_spark.store.files import Files

_LEAST_CHARACTERS = 32


def load_secret(files: Files, root: str, *, settings: Settings, env: str) -> bytes:
    """Read the HMAC key; in the local environment alone, make one on first use.

    A key file that is lost makes every stored fingerprint useless, so on a cluster it is never made
    silently.

    Raises:
        SettingsError: when the file is missing on a cluster, or holds fewer than 32 characters.
    """
    name = settings.secret.hmac_key_file
    path = name if name.startswith("/") or "://" in name else f"{root}/{name}"
    if not files.exists(path):
        if env != "local":
            raise SettingsError(
                "secret.hmac_key_file: the file does not exist; make it once, with at least 32 random characters "
                "and mode 600, keep a copy in the force's vault, and start again"
            )
        files.mkdirs(path.rsplit("/", 1)[0], mode="700")
        files.write_text(path, secrets.token_hex(32), mode="600")
    key = files.read_text(path).strip()
    if len(key) < _LEAST_CHARACTERS:
        raise SettingsError("secret.hmac_key_file: the key is shorter than 32 characters; use at least 32 random ones")
    _check_same_key(files, root, key.encode())
    return key.encode()


def _check_same_key(files: Files, root: str, key: bytes) -> None:
    """Refuse another key than the one that the hashes under ``root`` were made with."""
    path = f"{root}/key_check.txt"
    mark = hmac.new(key=key, msg=b"linkage_spark key check", digestmod="sha256").hexdigest()
    if not files.exists(path):
        files.write_text(path, mark)
    elif not hmac.compare_digest(files.read_text(path).strip(), mark):
        raise SettingsError(
            "secret.hmac_key_file: this is not the key that the stored hashes under --out were made with; "
            "restore that key, or choose another --out"
        )
