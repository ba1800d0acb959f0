"""Texts that stand for figures: screen readers read them aloud, and the pages made of the notebooks carry them."""
from collections.abc import Iterable

MOST = 12  # names that are worth reading aloud
WORDLESS = "A figure without words."


def describe(figure) -> str:
    """Return what a matplotlib figure shows, from its own words: titles, axes, legends, and what kind of marks there are.

    Panels come in the order in which they were made; colour bars and empty panels are left out.
    """
    panels = [text for ax in figure.axes if ax.get_label() != "<colorbar>" and (text := _panel(ax))]
    sentences = [figure.get_suptitle(), *panels[:MOST], f"{len(panels) - MOST} more panels" if len(panels) > MOST else ""]
    return " ".join(f"{text}." for text in map(_in_a_line, sentences) if text) or WORDLESS


def _in_a_line(text: str) -> str:
    return " ".join(text.split())


def _panel(ax) -> str:
    """Return one panel in words; "" if nothing is drawn in it."""
    from matplotlib.collections import PathCollection
    from matplotlib.container import BarContainer

    points = any(isinstance(part, PathCollection) for part in ax.collections)
    areas = any(not isinstance(part, PathCollection) for part in ax.collections)
    bars = any(isinstance(part, BarContainer) for part in ax.containers)
    kinds = {"image": ax.images, "bars": bars, "points": points, "areas": areas, "lines": ax.lines}
    drawn = [kind for kind, there in kinds.items() if there]
    if not drawn:
        return f"Boxes and arrows: {_listed(text.get_text() for text in ax.texts)}" if ax.texts else ""
    words = {"across": _axis(ax.xaxis), "up": _axis(ax.yaxis), "shown": _listed(ax.get_legend_handles_labels()[1])}
    told = "; ".join([", ".join(drawn), *(f"{name}: {text}" for name, text in words.items() if text)])
    title = ax.get_title() or ax.get_title("left")
    return f"{title}: {told}" if title else told[0].upper() + told[1:]


def _axis(axis) -> str:
    """Return what an axis counts, or the names along it."""
    from matplotlib.category import StrCategoryFormatter
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    named = isinstance(axis.get_major_formatter(), (FixedFormatter, FuncFormatter, StrCategoryFormatter))
    names = _listed(label.get_text() for label in axis.get_ticklabels()) if named else ""
    return ", ".join(filter(None, (axis.get_label_text(), names)))


def _listed(names: Iterable[str]) -> str:
    """Return the first few different names."""
    different = list(dict.fromkeys(filter(None, names)))
    return ", ".join(different[:MOST]) + (f" and {len(different) - MOST} more" if len(different) > MOST else "")


def describe_figures() -> None:
    """Have each figure that a notebook shows as a picture stored with `describe`'s text; elsewhere nothing happens."""
    import matplotlib
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None or "inline" not in matplotlib.get_backend():
        return
    for moment in ("pre_run_cell", "post_execute"):  # music21, when it is imported, changes how figures are drawn
        shell.events.register(moment, _describe_pictures)
    shell.run_line_magic("matplotlib", "inline")  # otherwise the first figure would do so, and undo what follows
    _describe_pictures()


def _describe_pictures(*_) -> None:
    """Have the function that draws figures as pictures tell their text as well."""
    from IPython import get_ipython
    from matplotlib.figure import Figure

    pictures = get_ipython().display_formatter.formatters["image/png"]
    draw = pictures.lookup_by_type(Figure)

    def described(figure):
        drawn = draw(figure)
        picture, told = drawn if isinstance(drawn, tuple) else (drawn, {})  # retina pictures tell their size
        return picture, {**told, "alt": describe(figure)}

    if draw.__module__ != __name__:
        pictures.for_type(Figure, described)
