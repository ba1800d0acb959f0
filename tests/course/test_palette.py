"""The figures' colours are told apart by people with colour blindness, as simulated by Machado,
Oliveira and Fernandes.
"""
import re
from itertools import combinations

import matplotlib.colors
import numpy as np
import pytest

from course_utils import plots
from tools import notebooks

# "A physiologically-based model for simulation of color vision deficiency" (IEEE TVCG 15:6, 2009),
# severity 1.0, for linear RGB.
SEEN = {"full sight": np.eye(3),
        "protanopia":
        np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                  [-0.003882, -0.048116, 1.051998]]),
        "deuteranopia":
        np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                  [-0.011820, 0.042940, 0.968881]]),
        "tritanopia":
        np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                  [0.004733, 0.691367, 0.303900]])}
# sRGB, D65
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
# CIE 1976 colour difference; about 2 are seen side by side, and matplotlib's own palette comes down
# to 5
ENOUGH = 15

MAPS = {"cividis", "PuOr", "Blues"}


def lab(colors, seen):
    """Return colours as people with some sight see them, in CIELAB: lightness, green to red, blue
    to yellow.
    """
    rgb = matplotlib.colors.to_rgba_array(colors)[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ SEEN[seen].T, 0, 1) @ TO_XYZ.T / TO_XYZ.sum(axis=1)
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def least_difference(colors, seen):
    return min(np.linalg.norm(a - b) for a, b in combinations(lab(colors, seen), 2))


def test_lightness_and_difference_are_those_of_cielab():
    np.testing.assert_allclose(lab(["white", "black"], "full sight"), [[100, 0, 0], [0, 0, 0]],
                               atol=0.02)
    np.testing.assert_allclose(lab(["red"], "full sight"), [[53.24, 80.09, 67.20]], atol=0.1)


def test_the_simulation_confuses_what_such_people_confuse():
    for seen in ("protanopia", "deuteranopia"):
        assert least_difference(["#ff5555", "#8a8a00"],
                                seen) < least_difference(["#ff5555", "#8a8a00"], "full sight") / 2


@pytest.mark.parametrize("seen", SEEN)
def test_colors_are_told_apart(seen):
    assert least_difference([*plots.COLORS, "white"], seen) >= ENOUGH


@pytest.mark.parametrize("seen", SEEN)
def test_pictures_get_lighter_with_the_value_for_everybody(seen):
    plots.use_style()
    cmap = matplotlib.colormaps[matplotlib.rcParams["image.cmap"]]
    assert (np.diff(lab(cmap(np.linspace(0, 1, 32)), seen)[:, 0]) > 0).all()


def test_colors_named_in_code_are_greys_and_known_maps():
    code = [cell.source for path in notebooks.all_notebooks()
            for cell in notebooks.code_cells(notebooks.read(path))]
    code += [path.read_text(encoding="utf-8")
             for path in sorted((notebooks.ROOT / "course_utils").glob("*.py"))]
    named = ({color for text in code for color in re.findall(r'color(?:=|": )"([^"]+)"', text)}
             - {"currentcolor"})
    rgb = matplotlib.colors.to_rgba_array(sorted(named))[:, :3]
    assert len(named) > 3 and (rgb == rgb[:, :1]).all(), named
    assert {name for text in code
            for name in re.findall(r'(?:cmap=|get_cmap\(|_few_colors\()"(\w+)"', text)} <= MAPS


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("name", sorted(MAPS))
def test_the_ends_of_a_map_are_told_apart(name, seen):
    low, middle, high = matplotlib.colormaps[name]([0.0, 0.5, 1.0])
    assert least_difference([low, middle, high], seen) >= 2 * ENOUGH
