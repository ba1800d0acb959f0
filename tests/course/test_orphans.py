"""No orphans: a notebook or a command needs each public helper of course_utils, or docs/extras.md
says what it is for.
"""
import ast
import re
from pathlib import Path

from tests.course import imports, taught
from tools import notebooks

ROOT = Path(__file__).parents[2]
EXTRAS = set(re.findall(r"^\| `(.+?)` \|",
                        (ROOT / "docs" / "extras.md").read_text(encoding="utf-8"), re.MULTILINE))


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): parse(path) for path in sorted((ROOT / "course_utils").rglob("*.py"))}
HELPERS = {f"{module}.{node.name}": node for module, tree in MODULES.items() for node in tree.body
           if isinstance(node, taught.Definition)}
NOTEBOOKS = [notebooks.read(path) for path in notebooks.all_notebooks()]
def named(statements, module=""):
    """Return the helpers that statements name; within their module its own go by their short
    names.
    """
    own = {node.name: f"{module}.{node.name}"
           for node in MODULES.get(module, ast.Module([], [])).body
           if isinstance(node, taught.Definition)}
    return ({name for name, _ in imports.names_used(ast.Module(list(statements), []), own)}
            & set(HELPERS))


def parts(module):
    """Return a module's imports, its other statements, and its definitions."""
    body = MODULES[module].body
    brought = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    defined = [node for node in body if isinstance(node, taught.Definition)]
    return brought, [node for node in body if node not in brought and node not in defined], defined


def code_of(notebook):
    return [node for cell in notebooks.code_cells(notebook)
            for node in notebooks.syntax_tree(cell).body]


def in_notebooks():
    """Return the helpers that notebooks call or write out. A mention in prose is no use."""
    written = {name for name, node in HELPERS.items()
               if taught.PROMISE.search(ast.get_docstring(node) or "")}
    return written.union(*(named(code_of(notebook)) for notebook in NOTEBOOKS))


def in_commands():
    """Return the helpers of `python -m course_utils` and of the tools and benchmarks, and the
    exercises' checks.
    """
    files = [path for folder in ("tools", "benchmarks")
             for path in sorted((ROOT / folder).glob("*.py"))]
    checks = {name for name, node in HELPERS.items()
              if ".exercises.chapter_" in name and node.decorator_list}
    commands = {name for name in HELPERS if name.startswith("course_utils.__main__.")
                or ".commands." in name and name.endswith((".add_arguments", ".run"))}
    return checks | commands.union(*(named(parse(path).body) for path in files))


def reached(begin):
    """Return the helpers that some helpers need, themselves included; what a module sets up counts
    as needed.
    """
    found, waiting = set(), set(begin)
    for module in MODULES:
        brought, others, _ = parts(module)
        waiting |= named([*brought, *others], module)
    while waiting:
        name = waiting.pop()
        found.add(name)
        module = name.rpartition(".")[0]
        waiting |= named([*parts(module)[0], HELPERS[name]], module) - found
    return found


def public(names):
    return {name.removeprefix("course_utils.") for name in names
            if not name.rpartition(".")[2].startswith("_")}


def test_a_notebook_or_a_command_needs_every_helper_or_it_is_a_documented_extra():
    assert public(HELPERS) >= EXTRAS, "docs/extras.md names what is not there"
    called = reached(in_notebooks() | in_commands())
    assert not EXTRAS & public(called), "these extras are called: they need no page"
    with_extras = reached(called | {f"course_utils.{name}" for name in EXTRAS})
    assert public(set(HELPERS) - with_extras) == set()
