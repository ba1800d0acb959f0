"""Figures say in words what they show, and a notebook stores it with the picture."""
import matplotlib.pyplot as plt
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import alt_texts, execute, notebooks


def curves(ax):
    ax.plot([1, 2], label="training")
    ax.plot([2, 1], label="validation")
    ax.set(title="Loss", xlabel="epoch", ylabel="cross-entropy")


def bars(ax):
    ax.barh([0, 1], [2, 3])
    ax.set_yticks([0, 1], ["Bach", "LSTM"])


@pytest.mark.parametrize("draw,text", [
    (curves, "Loss: lines; across: epoch; up: cross-entropy; shown: training, validation."),
    (bars, "Bars; up: Bach, LSTM."),
    (lambda ax: (ax.scatter([1], [2]), ax.set(xlabel="Hz", xscale="log")), "Points; across: Hz."),
    (lambda ax: ax.figure.colorbar(ax.imshow([[1, 2]]), label="dB"), "Image."),
    (lambda ax: (ax.plot([1]), ax.set(title="ReLU\n(256, 8)")), "ReLU (256, 8): lines."),
    (lambda ax: (ax.plot([1]), ax.set_title("hot", loc="left")), "hot: lines."),
    (lambda ax: ax.bar(["Bach", "GAN"], [1, 2]), "Bars; across: Bach, GAN."),
    (lambda ax: (ax.text(0, 0, "CNN\n04"), ax.text(0, 0, "GAN")), "Boxes and arrows: CNN 04, GAN."),
    (lambda ax: ax.set_axis_off(), alt_texts.WORDLESS)], ids=range(9))
def test_a_figure_is_described_by_its_own_words(draw, text):
    draw(plt.subplots()[1])
    assert alt_texts.describe(plt.gcf()) == text
    plt.close()


def test_panels_come_in_order_and_many_are_counted():
    figure, axes = plt.subplots(3, 5)
    for number, ax in enumerate(axes.flat):
        ax.plot([1, 2])
        ax.set(title=f"filter {number}")
    figure.suptitle("Filters")
    text = alt_texts.describe(figure)
    plt.close()
    assert text.startswith("Filters. filter 0: lines. filter 1: lines.")
    assert text.endswith("filter 11: lines. 3 more panels.")


def test_many_names_are_cut_short():
    ax = plt.subplots()[1]
    for number in range(15):
        ax.plot([1, 2], label=f"voice {number}")
    text = alt_texts.describe(ax.figure)
    plt.close()
    assert "voice 11 and 3 more." in text and "voice 12" not in text


@pytest.mark.slow
def test_a_notebook_stores_the_text_with_the_picture_whoever_draws_it(monkeypatch, tmp_path):
    monkeypatch.delenv("MPLBACKEND")
    code = ["import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('Loss');",
            "%config InlineBackend.figure_format = 'retina'\nplt.plot([2, 1]);",
            "figure, ax = plt.subplots()\nax.bar([1], [2])\ndisplay(figure)\nplt.close()",
            "print({'sys', 'alt_texts'} & globals().keys())"]
    notebook = new_notebook(cells=[new_code_cell(source) for source in code])
    execute.run(notebook, tmp_path)
    assert [notebooks.figure_texts(cell) for cell in notebook.cells] == [["Loss: lines."],
                                                                         ["Lines."], ["Bars."], []]
    assert notebook.cells[1].outputs[0].metadata["image/png"]["width"] > 0
    assert notebook.cells[-1].outputs[0].text == "set()\n"
    assert [cell.execution_count for cell in notebook.cells] == [1, 2, 3, 4]
