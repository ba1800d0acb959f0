"""Animations are GIFs that hold all pictures, in order, and say what to see."""
import base64
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from course_utils.panels import show


def draw(number):
    figure, ax = plt.subplots(figsize=(2, 1), dpi=50)
    ax.barh(0, number + 1)
    ax.set(xlim=(0, 5))
    return figure


def shown(html):
    return Image.open(
        io.BytesIO(base64.b64decode(re.search(r"data:image/gif;base64,([\w+/=]+)", html)[1])))


def test_all_pictures_are_there_in_order_and_figures_are_closed():
    picture = shown(show.animate(draw, 4, "A bar grows.", ms=200).data)
    blue = []
    for number in range(4):
        picture.seek(number)
        pixels = np.asarray(picture.convert("RGB"), int)
        blue.append(int((pixels[..., 2] - pixels[..., 0] > 60).sum()))
    assert picture.n_frames == 4 and picture.size == (100, 50)
    assert blue[0] > 0 and blue == sorted(set(blue))
    assert not plt.get_fignums()


def test_first_and_last_picture_stay_longer_and_it_goes_round():
    picture = shown(show.animate(draw, 4, "A bar grows.", ms=200).data)
    stays = []
    for number in range(4):
        picture.seek(number)
        stays.append(picture.info["duration"])
    assert stays == [show.BEGIN_AND_END_MS, 200, 200, show.BEGIN_AND_END_MS]
    assert picture.info["loop"] == 0


def test_alt_text_is_escaped_and_nothing_comes_from_the_network():
    html = show.animate(draw, 1, 'From "a" to <b>').data
    assert 'alt="From &quot;a&quot; to &lt;b&gt;"' in html and "http" not in html
    assert "<script" not in html


@pytest.mark.parametrize("frames,alt", [(0, "A bar."), (3, ""), (3, " ")])
def test_no_pictures_or_no_words_are_refused(frames, alt):
    with pytest.raises(ValueError, match="picture.*alt"):
        show.animate(draw, frames, alt)
