"""What the site has beyond docs/: README and others, files that pages link to, notebooks, the reference."""

from __future__ import annotations

import importlib
import posixpath
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from irislib._common.theme import ORANGE, PALETTE, css_properties

ROOT = Path(__file__).parent.parent
# Files of the repository that are pages of the site.
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
}
# The reference: its pages and their modules, each with all its public names.
REFERENCE = {
    "irislib": "The library",
    "irislib.insights": "Insights",
    "irislib.widgets": "Widgets",
    "irislib.api": "The endpoint in an application",
    "irislib.errors": "Errors and warnings",
}
LINK = re.compile(r"""(?P<before>\]\(|(?:src|srcset|href)=")(?P<target>[^)#"\s:]+)(?P<anchor>#[^)"\s]*)?(?=[)"])""")
FENCE = re.compile(r"^( *)(```+)[^\n]*\n.*?^\1\2[ ]*$", re.M | re.S)
ROLE = re.compile(r":(?:class|func|meth|mod|attr):(?=<code>|`([^`]+)`)(?:`[^`]+`)?")
COMMENT = re.compile(r"^<!--.*?^-->\n?", re.M | re.S)
# Material's names of colours, and irislib's.
COLOURS = """
[data-md-color-scheme] {
  --md-text-font: var(--irislib-font);
  --md-primary-fg-color: var(--irislib-top);
  --md-primary-fg-color--light: var(--irislib-top-control);
  --md-primary-fg-color--dark: var(--irislib-top);
  --md-primary-bg-color: var(--irislib-on-dark);
  --md-primary-bg-color--light: var(--irislib-top-link);
  --md-accent-fg-color: var(--irislib-accent);
  --md-default-bg-color: var(--irislib-paper);
  --md-default-fg-color: var(--irislib-ink);
  --md-default-fg-color--light: var(--irislib-soft);
  --md-default-fg-color--lighter: var(--irislib-edge);
  --md-default-fg-color--lightest: var(--irislib-line);
  --md-typeset-color: var(--irislib-ink);
  --md-typeset-a-color: var(--irislib-accent);
  --md-code-bg-color: var(--irislib-code);
  --md-code-fg-color: var(--irislib-ink);
  --md-code-hl-keyword-color: var(--irislib-syntax-keyword);
  --md-code-hl-constant-color: var(--irislib-syntax-keyword);
  --md-code-hl-string-color: var(--irislib-syntax-string);
  --md-code-hl-number-color: var(--irislib-accent);
  --md-code-hl-function-color: var(--irislib-title);
  --md-code-hl-special-color: var(--irislib-title);
  --md-code-hl-operator-color: var(--irislib-syntax-operator);
  --md-code-hl-comment-color: var(--irislib-soft);
  --md-code-hl-generic-color: var(--irislib-soft);
  --md-code-hl-punctuation-color: var(--irislib-soft);
  --md-footer-bg-color: var(--irislib-top);
  --md-footer-bg-color--dark: var(--irislib-top);
}
.md-typeset h1, .md-typeset h2, .md-typeset h3 { color: var(--irislib-title); }
.md-typeset a { text-decoration: underline; }
.md-typeset .headerlink { text-decoration: none; }
.md-tabs__link { opacity: 1; }
.md-tabs__item--active .md-tabs__link {
  text-decoration: underline 2px var(--irislib-top-mark);
  text-underline-offset: 6px;
}
.md-nav__link { text-decoration: none; }
.highlight .gp { user-select: none; }
"""
PETAL = '<path d="M12 12C8 9 8 4 12 1c4 3 4 8 0 11z" transform="rotate({} 12 12)"/>'
LOGO = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="{PALETTE["bar"][1]}">'
    f'{"".join(map(PETAL.format, (0, 120, 240)))}</g><circle cx="12" cy="12" r="3" fill="{ORANGE}"/></svg>'
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made of other files, and the style sheet of irislib's colours."""
    for source, target in PAGES.items():
        files.append(File.generated(config, target, content=(ROOT / source).read_text(encoding="utf-8")))
    for module, title in REFERENCE.items():
        content = reference_page(module, title)
        files.append(File.generated(config, f"reference/{module.replace('.', '-')}.md", content=content))
    for file in [file for file in files if file.src_uri.endswith(".ipynb")]:
        files.remove(file)
        content = notebook_page(Path(config.docs_dir, file.src_uri))
        files.append(File.generated(config, f"{file.src_uri.removesuffix('.ipynb')}.md", content=content))
    for path in sorted(linked_sources(files)):
        files.append(File.generated(config, f"source/{path.as_posix()}.md", content=source_page(path)))
    files.append(File.generated(config, "assets/logo.svg", content=LOGO))
    files.append(File.generated(config, "assets/colours.css", content=css_properties() + COLOURS))
    config.nav = expand_nav(config.nav, sorted(file.src_uri for file in files.documentation_pages()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Take out what readers do not see, and let links lead to the pages that stand for files of the repository."""
    markdown = COMMENT.sub("", markdown)
    parts, position = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [with_links(markdown[position : fence.start()], page.file.src_uri), fence[0]]
        position = fence.end()
    return "".join([*parts, with_links(markdown[position:], page.file.src_uri)])


def on_page_content(html: str, **_: Any) -> str:
    """Take out the roles of reStructuredText in docstrings, which say no more than the name that follows."""
    return ROLE.sub(r"\1", html)


def with_links(text: str, page: str) -> str:
    """Return the text of a page, in whose place in the site its links are right."""

    def replace(match: re.Match[str]) -> str:
        path = repository_path(page, match["target"])
        if path is None:
            return match[0]
        target = posixpath.relpath(site_path(path), posixpath.dirname(page) or ".")
        return f"{match['before']}{target}{match['anchor'] or ''}"

    return LINK.sub(replace, text)


def repository_path(page: str, target: str) -> Path | None:
    """Return the file of the repository that a page links to, or None if it is not one."""
    source = next((source for source, made in PAGES.items() if made == page), f"docs/{page}")
    path = Path(posixpath.normpath(posixpath.join(posixpath.dirname(source), target)))
    return path if (ROOT / path).exists() and path.parts[0] != ".." else None


def site_path(path: Path) -> str:
    """Return where in the site a file of the repository is."""
    if str(path) in PAGES:
        return PAGES[str(path)]
    if path.parts[0] == "docs" and path.suffix != ".py":
        return path.relative_to("docs").with_suffix(".md" if path.suffix == ".ipynb" else path.suffix).as_posix()
    return f"source/{path.as_posix()}.md"


def linked_sources(files: Files) -> Iterator[Path]:
    """Yield the files and folders of the repository that pages link to and that are no pages themselves."""
    found: set[Path] = set()
    for file in files.documentation_pages():
        for match in LINK.finditer(FENCE.sub("", file.content_string)):
            path = repository_path(file.src_uri, match["target"])
            if path is not None and site_path(path).startswith("source/"):
                found.add(path)
    for path in found:
        yield path
        if (ROOT / path).is_dir():
            yield from {source.relative_to(ROOT) for source in listed(ROOT / path)} - found


def listed(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and path.suffix in (".py", ".ipynb", ".md"))


def source_page(path: Path) -> str:
    """Return a page that shows a file of the repository, or what is in a folder of it."""
    head = f"---\nsearch:\n  exclude: true\n---\n# {path.as_posix()}\n\n"
    if (ROOT / path).is_dir():
        return head + "".join(f"* [{file.name}]({path.name}/{file.name}.md)\n" for file in listed(ROOT / path))
    text = (ROOT / path).read_text(encoding="utf-8")
    language = {".py": "python", ".ipynb": "json", ".yml": "yaml", ".toml": "toml"}.get(path.suffix, "text")
    return f"{head}````{language}\n{text}````\n"


def notebook_page(path: Path) -> str:
    """Return the cells of a notebook as a page."""
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(
        f"```python\n{cell.source}\n```" if cell.cell_type == "code" else cell.source for cell in cells if cell.source
    )


def reference_page(module: str, title: str) -> str:
    """Return the page of a module's public names, whose docstrings mkdocstrings fills in."""
    names = importlib.import_module(module).__all__
    names = [name for name in names if f"{module}.{name}" not in REFERENCE]
    return f"# {title}: `{module}`\n\n" + "".join(f"::: {module}.{name}\n\n" for name in names)


def expand_nav(entries: Iterable[Any], pages: list[str]) -> list[Any]:
    """Return the navigation with the pages that its patterns stand for, each page once, sections with pages only."""
    expanded: list[Any] = []
    for entry in entries:
        if isinstance(entry, dict):
            (title, inner), *_ = entry.items()
            inner = expand_nav(inner, pages) if isinstance(inner, list) else inner
            expanded += [{title: inner}] if inner else []
            continue
        pattern = entry.replace(".ipynb", ".md")
        fits = [page for page in pages if fnmatch(page, pattern)] if "*" in pattern else [pattern]
        expanded += [page for page in fits if page not in expanded]
    return expanded
