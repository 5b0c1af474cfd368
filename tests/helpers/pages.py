"""The README and the pages of `docs/`: their snippets and their links."""

import pathlib
import re
import textwrap

ROOT = pathlib.Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").rglob("*.md"))


def sources(page):
    """The Python of a page, snippet by snippet, each below as many empty lines as stand before it."""
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE):
        yield "\n" * text.count("\n", 0, found.start(1)) + found.group(1)


def snippets(page):
    """The same, compiled: errors name page and line."""
    for source in sources(page):
        yield compile(source, str(page.relative_to(ROOT)), "exec")


def not_run(page):
    """Python that `snippets` leaves out, for it needs files, downloads or names: `(line, source)`, by its fences."""
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^( *)```(\w*)\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE):
        indent, language, source = found.groups()
        is_shell = re.search(r"(?m)^(?:keras-crowd|pip|python|KERAS_)", source)
        if (language == "python" and indent) or (not language and not is_shell):
            yield text.count("\n", 0, found.start(3)), textwrap.dedent(source)


def run(page):
    """Runs all snippets of a page in one namespace, in their order."""
    namespace: dict = {}
    for snippet in snippets(page):
        exec(snippet, namespace)
    return namespace


def links(page):
    """Targets of the links and pictures of a page, out of code."""
    text = re.sub(
        r"^ *```.*?^ *```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(page):
    """Names of the headings of a page, as GitHub and mkdocs make them."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
