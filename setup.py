"""The README for a package index, where relative links lead nowhere; pyproject.toml says all else."""

import pathlib
import re

from setuptools import setup

ADDRESS = (
    ""  # of the repository's files, such as "https://host/owner/keras_crowd/blob/main/", once there is one
)
PICTURE = re.compile(r"!\[[^]]*\]\([^)]+\)\n\n\*.+?\*\n\n", re.DOTALL)  # with its caption
LINK = re.compile(r"\]\((?!https?:|#)([^)]+)\)")
WHOLE_LINK = re.compile(r"\[([^]]*)\]\((?!https?:|#)[^)]+\)")


def long_description(address: str = ADDRESS) -> str:
    """The README with links to `address`; without one, with their text alone, and no picture."""
    text = (pathlib.Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    if address:
        return LINK.sub(rf"]({address}\1)", text)
    return WHOLE_LINK.sub(r"\1", PICTURE.sub("", text))


if __name__ == "__main__":
    setup(long_description=long_description(), long_description_content_type="text/markdown")
