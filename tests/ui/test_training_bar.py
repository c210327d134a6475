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


def test_neither_a_step_nor_a_long_name_moves_the_bar():
    bar = TrainingBar(1000)
    before = bar.layout.height, bar.bar.layout.width, len(bar.children)
    for bar.name in ("dot", "a" * 300):
        for step in (1, 10, 1000):
            bar(step, 1e-9 * step)
            assert (bar.layout.height, bar.bar.layout.width, len(bar.children)) == before
    assert before[0].endswith("px")
    assert bar.label.layout.overflow == "hidden"
    assert bar.bar.layout.flex == "none"  # else a long name would squeeze it
