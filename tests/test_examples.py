"""The examples in the docstrings are true, and each helper that a notebook calls has one, or stands
here with the reason why not.
"""
import ast
import doctest

import pytest
from matplotlib import pyplot as plt

from tests.course import imports, taught
from tests.course.test_house import MODULES, at_the_top
from tools import notebooks

# The modules that have examples, so that none loses all of them unnoticed.
SOME = """audio checks datasets environment plots scores scores.melodies scores.planning
    scores.score_files sound.features sound.inversion sound.preparing sound.windows
    by_hand.adversarial by_hand.convolution by_hand.recurrence by_hand.ring cnn.timbre
    measuring.bootstrap measuring.counterpoint measuring.distances measuring.judging
    measuring.measures measuring.memorisation measuring.musical_statistics lstm.chorale_lstm
    lstm.continuing lstm.evaluation lstm.ngrams gan.bar_gan gan.bar_measures gan.bar_training
    gan.instruments gan.losses gan.tone_gan gan.toy_gan gan.wavetables listening.analysis
    listening.answer_files listening.design listening.sessions panels.latent_walk panels.monitor
    training"""

WITHOUT = {
    "trains, or prepares a training": """cnn.timbre.train gan.bar_training.make_bar_optimizers
        gan.bar_training.train_bars gan.tone_gan.make_optimizers gan.tone_gan.training_data
        gan.toy_gan.make_optimizers lstm.chorale_lstm.chorale_loss measuring.measures.told_apart
        training.follow training.train""",
    "loads a network's weights": "cnn.timbre.load gan.bar_gan.load gan.tone_gan.load "
        "lstm.chorale_lstm.load",
    "needs a trained network": """cnn.timbre.classify cnn.timbre.listen finale.audition
        finale.report gan.bar_gan.chain gan.bar_gan.generate gan.tone_gan.generate
        gan.tone_gan.instrument lstm.evaluation.chorale_nats lstm.generation.compose
        lstm.generation.sample""",
    "renders sound": """gan.tone_gan.known_tones lstm.continuing.prelude
        sound.imagined.imagined_tones synth.render synth.render_notes""",
    "downloads": "datasets.recording",
    "draws": """listening.figures.estimates listening.figures.power_curves
        measuring.judging_plots.calibration_map measuring.judging_plots.rank_lines plots.bar_chart
        plots.compare_spectrograms plots.course_map plots.embedding plots.feature_image
        plots.spectrogram plots.spectrum plots.use_style plots.waveform scores.engraving.engrave
        scores.engraving.show""",
    "shows a page or a panel": """environment.show_report listening.panel.listening_test
        listening.panel.preview measuring.judging_plots.players panels.composer.composer
        panels.feature_explorer.feature_card panels.feature_explorer.feature_explorer
        panels.latent_walk.explore_walk panels.recording.examine
        panels.recording.explore_rate_and_bits panels.recording.rate_and_bits
        panels.recording.upload_sound panels.show.animate panels.sound_map.sound_map""",
    "works on the learner's files": """listening.answer_files.merge listening.answer_log.read
        scores.score_files.to_musicxml sound.preparing.prepare""",
    "takes many lines or seconds": """by_hand.recurrence.check_layer checks.check_conv
        training.stop_if_diverged listening.sessions.run measuring.judging.calibrate""",
    "depends on the machine, or loads TensorFlow alone": "environment.cache_folder "
        "environment.seed_everything",
    "marks an exercise": "exercises.check",
}

TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}
HELPERS = {f"{module}.{node.name}" for module, tree in TREES.items() for node in tree.body
           if isinstance(node, taught.Definition)}
SLOW = {name for name in SOME.split() if {"keras", "tensorflow"} & at_the_top(name)}


def examples(module: str) -> list[doctest.DocTest]:
    """Return the docstrings of a module that hold examples; they are found in the text, since
    `doctest` itself overlooks what a decorator has changed.
    """
    found = []
    for node in ast.walk(TREES[module]):
        told = ast.get_docstring(node) if isinstance(node, taught.Definition) else None
        if told and ">>>" in told:
            found.append(doctest.DocTestParser().get_doctest(
                told, {}, f"{module}.{node.name}", str(MODULES[module]), node.body[0].lineno - 1))
    return found


def called() -> set[str]:
    """Return the helpers that the chapters call, such as `audio.load`."""
    names = set()
    for path in notebooks.chapters():
        cells = notebooks.code_cells(notebooks.read(path))
        code = [node for cell in cells for node in notebooks.syntax_tree(cell).body]
        names |= {name.removeprefix("course_utils.")
                  for name, _ in imports.names_used(ast.Module(code, []))}
    return names & HELPERS


@pytest.mark.parametrize("module", [
    pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in SOME.split()])
def test_examples_are_true(module, monkeypatch):
    monkeypatch.delenv("COURSE_BUDGET", raising=False)
    found, said = examples(module), []
    assert found, "This module had examples. Where are they?"
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    for example in found:
        runner.run(example, out=said.append)
    plt.close("all")
    assert not said, "".join(said)


def test_modules_with_examples_are_listed():
    assert sorted(name for name in MODULES if examples(name)) == sorted(SOME.split())


def test_helpers_that_notebooks_call_have_an_example_or_a_reason():
    shown = {example.name for name in MODULES for example in examples(name)}
    reasons = [name for names in WITHOUT.values() for name in names.split()]
    assert sorted(called() - shown) == sorted(reasons)
