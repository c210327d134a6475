"""The bar of a training."""

from attention_lab.widgets import TrainingBar


def test_training_bar_follows_a_training():
    bar = TrainingBar(25)
    assert bar.twin_html() == "<div>25 steps</div>"
    seen = []
    bar.bar.observe(lambda change: seen.append(change["new"]), names="value")
    bar.name = "dot"
    for step in range(1, 26):
        bar(step, 1 / step)
    assert seen == [1, 10, 20, 25]
    assert bar.label.value == "dot: step 25 of 25, loss 0.04"
    assert "dot: step 25" in bar.twin_text()
