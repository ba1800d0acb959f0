"""Texts that stand for figures; `tools.execute` stores them in the notebooks."""
from collections.abc import Iterable

MOST = 12  # names that are worth reading aloud
WORDLESS = "A figure without words."


def describe(figure) -> str:
    """Return what a matplotlib figure shows, from its own words and the kinds of its marks.

    Panels come in the order in which they were made; colour bars and empty panels are left out.
    """
    panels = [text for ax in figure.axes if ax.get_label() != "<colorbar>" and (text := _panel(ax))]
    sentences = [figure.get_suptitle(), *panels[:MOST],
                 f"{len(panels) - MOST} more panels" if len(panels) > MOST else ""]
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
        return (f"Boxes and arrows: {_listed(text.get_text() for text in ax.texts)}" if ax.texts
                else "")
    words = {"across": _axis(ax.xaxis), "up": _axis(ax.yaxis),
             "shown": _listed(ax.get_legend_handles_labels()[1])}
    told = "; ".join([", ".join(drawn),
                      *(f"{name}: {text}" for name, text in words.items() if text)])
    title = ax.get_title() or ax.get_title("left")
    return f"{title}: {told}" if title else told[0].upper() + told[1:]


def _axis(axis) -> str:
    """Return what an axis counts, or the names along it."""
    from matplotlib.category import StrCategoryFormatter
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    named = isinstance(axis.get_major_formatter(),
                       (FixedFormatter, FuncFormatter, StrCategoryFormatter))
    names = _listed(label.get_text() for label in axis.get_ticklabels()) if named else ""
    return ", ".join(filter(None, (axis.get_label_text(), names)))


def _listed(names: Iterable[str]) -> str:
    """Return the first few different names."""
    different = list(dict.fromkeys(filter(None, names)))
    more = f" and {len(different) - MOST} more" if len(different) > MOST else ""
    return ", ".join(different[:MOST]) + more


def describe_figures() -> None:
    """In a kernel: have each figure that it shows stored with `describe`'s text.

    A formatter for figures would not do: music21 replaces it, in a thread, a second after it was
    imported.
    """
    from IPython import get_ipython
    from matplotlib.figure import Figure

    formatter = get_ipython().display_formatter
    plain = formatter.format

    def described(shown, *arguments, **options):
        data, told = plain(shown, *arguments, **options)
        if isinstance(shown, Figure) and "image/png" in data:
            told["image/png"] = {**told.get("image/png", {}), "alt": describe(shown)}
        return data, told

    formatter.format = described
