"""Back-off counting: a distribution whatever is seen, the right counts, music that can be repeated,
and the ladder's order.
"""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course_utils import datasets
from course_utils.lstm import chorale_lstm, ngrams
from course_utils.scores import (
    HIGHEST,
    LOWEST,
    REST,
    VOCABULARY,
    from_grid,
    planning,
    to_tokens,
    transpose,
)

TRAIN = datasets.chorales("train")[:40]


@pytest.fixture(scope="module", params=list(ngrams.LADDER))
def model(request):
    return ngrams.fit(ngrams.LADDER[request.param], TRAIN)


@pytest.fixture(scope="module")
def ladder():
    models = {name: ngrams.fit(contexts, datasets.chorales("train"))
              for name, contexts in ngrams.LADDER.items()}
    return {name: ngrams.nats(model, datasets.chorales("test")) for name, model in models.items()}


def mean(nats):
    return np.concatenate(nats).mean()


def per_cell(model, pieces):
    return mean(ngrams.nats(model, pieces))


tokens_of = st.integers(0, ngrams.START)
rows = arrays.arrays(np.int64, st.tuples(st.integers(1, 5), st.just(13)), elements=tokens_of)


@settings(max_examples=30, deadline=None)
@given(rows, st.integers(0, 3))
def test_probabilities_sum_to_one_whatever_is_seen(model, seen, rank):
    now, previous, left, beat = seen[:, :4], seen[:, 4:8], seen[:, 8:12], seen[:, 12]
    every = np.tile(np.arange(VOCABULARY), (len(seen), 1))
    p = ngrams.probabilities(model, rank, ngrams._seen(rank, now, previous, left, beat), every)
    assert p.sum(axis=1) == pytest.approx(1) and (p > 0).all()


def test_probabilities_sum_to_one_in_real_contexts(model):
    read = ngrams._read(TRAIN[3])
    every = np.tile(np.arange(VOCABULARY), (len(TRAIN[3]), 1))
    for rank in range(4):
        p = ngrams.probabilities(model, rank, ngrams._seen(rank, *read), every)
        assert p.sum(axis=1) == pytest.approx(1)


@pytest.mark.slow
def test_uniform_costs_the_logarithm_of_the_vocabulary(ladder):
    for nats in ladder["uniform"]:
        assert nats == pytest.approx(np.log(VOCABULARY))


@pytest.mark.slow
def test_a_cell_is_every_voice_on_every_sixteenth(ladder):
    for nats in ladder.values():
        shapes = [(len(score), 4) for score in datasets.chorales("test")]
        assert [piece.shape for piece in nats] == shapes


@pytest.mark.slow
def test_each_rung_is_better_than_the_one_below(ladder):
    figures = [mean(nats) for nats in ladder.values()]
    assert all(better < worse - 0.1 for worse, better in zip(figures, figures[1:]))
    assert 0.3 < figures[-1] < 0.48


def test_counts_by_hand():
    score = from_grid(np.array([[60, 60, 60, 60]] * 3 + [[62, 60, 60, 60]]))
    model = ngrams.fit(((), ("own",)), [score])
    token = int(to_tokens(np.array(60)))
    counts = {}
    for shift in range(-5, 7):
        for pitch in (60, 60, 60, 62):
            counts[pitch + shift] = counts.get(pitch + shift, 0) + 1
    unigram = (counts[60] + 3 * len(counts) / 60) / (48 + 3 * len(counts))
    bigram = (2 + 3 * 2 * unigram) / (3 + 3 * 2)
    seen = ngrams._seen(0, *(np.full((1, 4), token) for _ in range(3)), np.zeros(1, np.int64))
    assert ngrams.probabilities(model, 0, seen, np.array([[token]])) == pytest.approx(bigram)


def test_an_unseen_context_falls_back_to_the_shorter_one():
    short, long = (ngrams.fit(contexts, TRAIN)
                   for contexts in (((), ("own",)), ((), ("own",), ("own", "others"))))
    strange = [np.array([[3, 55, 7, 50]])] * 3 + [np.zeros(1, np.int64)]
    every = np.arange(VOCABULARY)[None]
    p = [ngrams.probabilities(model, 0, ngrams._seen(0, *strange), every)
         for model in (short, long)]
    assert p[0] == pytest.approx(p[1])


def test_what_a_voice_may_see():
    grid = np.array([[60, 61, 62, 63]] * 2 + [[64, 65, 66, 67]] * 2 + [[68, 69, 70, 71]])
    tokens, previous, left, beat = ngrams._read(from_grid(grid, pickup=2))
    expected = [ngrams.START] * 3 + to_tokens(np.array([60, 60])).tolist()
    assert left[:, 0].tolist() == expected
    assert previous[:, 0].tolist() == [ngrams.START, *to_tokens(grid[:-1, 0]).tolist()]
    assert beat.tolist() == [14, 15, 0, 1, 2]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 3), st.integers(0, 7), st.integers(50, 70))
def test_no_probability_looks_at_what_is_yet_to_come(rank, step, pitch):
    """Changing a note changes the price of no note that is chosen before it."""
    grid = np.random.default_rng(7).integers(55, 60, (8, 4))
    changed = grid.copy()
    changed[step, ngrams.ORDER[rank]] = pitch
    model = ngrams.fit(ngrams.LADDER["Markov with back-off"], TRAIN[:3])
    prices = []
    for read in (ngrams._read(from_grid(grid)), ngrams._read(from_grid(changed))):
        prices.append(
            np.hstack([ngrams.probabilities(model, r, ngrams._seen(r, *read), read[0][:, [voice]])
                       for r, voice in enumerate(ngrams.ORDER)]))
    before = np.arange(8)[:, None] * 4 + np.arange(4) < 4 * step + rank
    assert (prices[0] == prices[1])[before].all()


@pytest.mark.parametrize("semitones", [-2, 3])
def test_transposing_a_piece_hardly_changes_its_cost(semitones):
    model = ngrams.fit(ngrams.LADDER["Markov with back-off"], TRAIN)
    pieces = datasets.chorales("valid")[:10]
    here, there = (per_cell(model, group)
                   for group in (pieces, [transpose(piece, semitones) for piece in pieces]))
    assert there == pytest.approx(here, rel=0.05)


def test_the_extremes_of_the_vocabulary_survive_all_transpositions():
    edges = from_grid(np.tile([HIGHEST, HIGHEST, LOWEST, LOWEST], (8, 1)))
    model = ngrams.fit(ngrams.LADDER["Markov with back-off"], [edges])
    assert per_cell(model, [edges]) < 1


def test_known_pieces_are_cheaper_than_new_ones():
    model = ngrams.fit(ngrams.LADDER["Markov with back-off"], TRAIN)
    assert per_cell(model, TRAIN) < 0.8 * per_cell(model, datasets.chorales("valid")[:10])


def test_sampling_repeats_with_its_seed_and_follows_the_plan():
    model = ngrams.fit(ngrams.LADDER["Markov with back-off"], TRAIN)
    plan = planning.plan_chorale(1, key=2)
    first, again, other = (ngrams.sample(model, plan, 3, seed=seed) for seed in (1, 1, 2))
    assert all((a.pitches == b.pitches).all() for a, b in zip(first, again))
    assert any((a.pitches != b.pitches).any() for a, b in zip(first, other))
    assert len(first) == 3 and (first[0].pitches != first[1].pitches).any()
    assert all((s.beat == plan.beat).all() and (s.fermata == plan.fermata).all() and s.key == 2
               for s in first)


def test_samples_follow_the_counts():
    model = ngrams.fit(ngrams.LADDER["unigram"], TRAIN)
    drawn = np.concatenate([to_tokens(s.pitches)
                            for s in ngrams.sample(model, planning.plan_chorale(1), 200, seed=1)])
    for rank, voice in enumerate(ngrams.ORDER):
        p = ngrams.probabilities(model, rank, {"own": np.zeros(1, np.int64)},
                                 np.arange(VOCABULARY)[None])[0]
        share = np.bincount(drawn[:, voice], minlength=VOCABULARY) / len(drawn)
        assert np.abs(share - p).max() < 5 * np.sqrt(p.max() / len(drawn))


def test_samples_cost_what_the_model_expects():
    """Were the sampler to see something else than the counting did, its music would surprise the
    model itself.
    """
    model = ngrams.fit(ngrams.LADDER["Markov with back-off"], TRAIN)
    pieces = ngrams.sample(model, planning.plan_chorale(2), 20, seed=1)
    expected = []
    for read in map(ngrams._read, pieces):
        every = np.tile(np.arange(VOCABULARY), (len(read[0]), 1))
        for rank in range(4):
            p = ngrams.probabilities(model, rank, ngrams._seen(rank, *read), every)
            expected.append(-(p * np.log(p)).sum(axis=1).mean())
    assert per_cell(model, pieces) == pytest.approx(np.mean(expected), rel=0.05)


def test_it_can_be_fitted_to_bars():
    bars = [from_grid(score.pitches[16:32]) for score in TRAIN]
    model = ngrams.fit(ngrams.LADDER["bigram with beat"], bars)
    made = ngrams.sample(model, bars[0], 2, seed=3)
    assert made[0].pitches.shape == (16, 4) and (made[0].pitches != REST).mean() > 0.9


def test_a_network_and_the_counts_agree_on_order_and_augmentation():
    assert ngrams.ORDER == chorale_lstm.ORDER
    assert ngrams.TRANSPOSITIONS == chorale_lstm.TRANSPOSITIONS


@pytest.mark.parametrize("contexts,pieces,told",
                         [((("own", "mood"),), TRAIN, "no context mood"), (((),), [], "no pieces"),
                          (((),), [from_grid(np.full((8, 2), 60))], "2 voices"),
                          (((),), [from_grid(np.full((8, 4), 100))], "Transpose")])
def test_bad_input(contexts, pieces, told):
    with pytest.raises(ValueError, match=told):
        ngrams.fit(contexts, pieces)


def test_measuring_refuses_other_than_four_voices():
    with pytest.raises(ValueError, match="3 voices"):
        ngrams.nats(ngrams.fit(((),), TRAIN[:2]), [from_grid(np.full((8, 3), 60))])
