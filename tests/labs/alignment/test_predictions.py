"""What the predictions of notebook 05 say of the kept trainings is so."""

import pytest

from attention_lab.exercises import predict
from attention_lab.labs.alignment.learning import at_same_rate, best, kind_of, turned
from attention_lab.models.data.translation import ENGLISH, FRENCH, phrases
from attention_lab.models.seq2seq import Seq2Seq
from attention_lab.models.vocabulary import Vocabulary

unseen = phrases(5000)[4500:]


def mean_share(kind, holds):
    runs = at_same_rate(kind)
    return sum(run.share([holds(p) for p in unseen]) for run in runs) / len(runs)


def test_the_additive_score_has_a_tenth_of_the_parameters_and_the_decoder_nine_of_its_matrices():
    asked = predict["additive_share"]
    assert asked.right == "about 1 in 10"
    assert f"{len(ENGLISH)} English and {len(FRENCH)} French words" in asked.question
    model = Seq2Seq(len(Vocabulary(ENGLISH)), len(Vocabulary(FRENCH)), 64, "additive")
    sizes = {name: each.numel() for name, each in model.named_parameters()}
    score = sizes["query_weight"] + sizes["key_weight"] + sizes["vector"]
    assert score == 2 * 64**2 + 64
    assert f"{score / sum(sizes.values()):.3f}" == asked.shown_by
    assert sizes["decoder.weight_ih"] + sizes["decoder.weight_hh"] == 9 * 64**2


def test_larger_steps_bring_one_vector_to_nine_of_ten_from_each_start():
    asked = predict["one_vector_larger_steps"]
    assert all(asked.reply(run.exact).is_right for run in best("none"))
    assert not asked.reply(best("dot")[0].exact).is_right


def test_five_words_are_easier_than_four_and_the_numbers_of_the_question_are_the_kept_ones():
    asked = predict["four_or_five"]
    shares = {n: mean_share("none", lambda p, n=n: len(p.english) == n) for n in (3, 4, 5)}
    assert f"{shares[3]:.2f}" in asked.question
    assert f"{shares[4]:.2f}" in asked.question
    assert shares[5] == pytest.approx(asked.right, abs=5e-3)


def test_without_the_turning_the_phrases_are_nearly_as_hard():
    def behind(p):
        adjectives = sum(kind_of(word) == "adjective" for word in p.english)
        return len(p.english) == 4 and adjectives == 2 and turned(p)

    assert predict["adjectives_in_order"].right == "a little more than a third"
    assert mean_share("none", behind) == pytest.approx(1 / 3, abs=0.05)
    assert 1 / 3 < mean_share("kept", behind) < 0.45


def test_where_determiners_look_depends_on_the_start():
    assert predict["where_les_looks"].right == "from 0.2 to 0.6, by the start"
    shares = [hits / n for n, hits, *_ in (run.looks["determiner"] for run in best("dot"))]
    assert min(shares) >= 0.2
    assert 0.5 < max(shares) <= 0.6
    assert max(shares) > 2 * min(shares)
