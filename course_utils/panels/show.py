"""Moving pictures inside a notebook: a GIF, which needs no video codec, no script and no
network.
"""
import base64
import html
import io
from collections.abc import Callable

BEGIN_AND_END_MS = 1500


def animate(draw: Callable[[int], object], frames: int, alt: str, ms: int = 250):
    """Show pictures one after the other, over and over.

    Notebook: 09_gan_from_scratch

    Args:
        draw: function of the picture's number to a matplotlib figure; it is closed afterwards.
        frames: number of pictures.
        alt: what to see, for those who cannot.
        ms: milliseconds that a picture stays; the first and the last stay longer.

    Returns:
        An `IPython.display.HTML`.

    Raises:
        ValueError: if there is no picture, or no text for those who do not see it.
    """
    from IPython.display import HTML

    if frames < 1 or not alt.strip():
        raise ValueError("An animation needs at least one picture, and a sentence in `alt` that "
                         "says what to see.")
    data = base64.b64encode(_gif([_picture(draw(number)) for number in range(frames)], ms)).decode()
    return HTML(f'<img alt="{html.escape(alt)}" src="data:image/gif;base64,{data}">')


def _gif(pictures: list, ms: int) -> bytes:
    """Return an endless GIF of PIL pictures of the same size, all in the same 32 colours."""
    from PIL import Image

    palette = pictures[-1].quantize(32, dither=Image.Dither.NONE)
    first, *others = (picture.quantize(palette=palette, dither=Image.Dither.NONE)
                      for picture in pictures)
    durations = [ms] * len(pictures)
    durations[0] = durations[-1] = max(ms, BEGIN_AND_END_MS)
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=durations, loop=0,
               optimize=True)
    return buffer.getvalue()


def _picture(figure):
    """Return a matplotlib figure as a PIL picture without transparency."""
    import matplotlib.pyplot as plt
    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="white")
    plt.close(figure)
    return Image.open(buffer).convert("RGB")


def panel(controls: dict, show: Callable):
    """Return controls above what a function makes of their values, anew whenever one of them
    changes.

    Args:
        controls: ipywidgets by the name of the function's argument.
        show: function of these arguments to an `IPython.display.HTML`; the text of a ValueError is
            shown in its place.
    """
    import ipywidgets

    page = ipywidgets.HTML()

    def update(_=None):
        try:
            page.value = show(**{name: control.value for name, control in controls.items()}).data
        except ValueError as error:
            page.value = f"<p><b>{html.escape(str(error))}</b></p>"

    for control in controls.values():
        control.style.description_width = "7em"  # "temperature" is wider than the usual place
        control.observe(update, names="value")
    update()
    return ipywidgets.VBox([*controls.values(), page])
