"""What a learner does: ``predict.<name>()`` before an answer, ``check.<name>(answer)`` after it.

A façade: each grader and each question lives in the room of its notebook, and is loaded when it is
first asked for.
"""

from typing import Any

from attention_lab.grading.base import Checks, Verdict
from attention_lab.grading.predict import Choices, Number, Predictions

__all__ = ["Verdict", "board", "check", "grade", "predict", "progress"]

ROOMS = {
    "start_here": ["strongest_key"],
    "attention_weights": [
        "break_a_softmax",
        "log_sum_exp",
        "cosine_scores",
        "choose_query",
        "softmax_readings",
    ],
    "weighted_sum": [
        "sum_in_one_loop",
        "hide_a_key",
        "two_weightings",
        "self_attention_chart",
        "outputs_on_a_line",
    ],
    "qkv_worked_example": [
        "ask_both",
        "repaired_derivation",
        "find_query",
        "next_in_circle",
        "true_statements",
    ],
    "scale_and_temperature": [
        "variance_of_scores",
        "temperature_for",
        "sparsemax_jacobian",
        "tempered_softmax",
        "zero_gradients",
    ],
    "alignment": [
        "additive_scores",
        "alignment_error_rate",
        "log_probability",
        "what_is_shown",
    ],
    "masks": [
        "causal_and_padding",
        "safe_softmax",
        "one_convention",
        "cached_mask",
        "find_leaks",
    ],
    "transformer_code": [
        "find_faults",
        "repaired",
        "grouped_query",
        "runs_when",
        "copy_weights",
    ],
    "position": [
        "read_the_clocks",
        "add_positions",
        "rotary_by_halves",
        "forget_gates",
        "needs_positions",
        "position_from_mean",
    ],
    "encoder_decoder": [
        "parameter_count",
        "post_norm_decoder",
        "missing_piece",
        "batch_decoding",
        "teaching_leak",
        "kv_cache",
    ],
    "programmable_rules": [
        "shared_question",
        "exact_pairs",
        "several_spans",
        "budget_of_keys",
        "break_one_rule",
        "make_it_say",
    ],
    "programmable_weights": [
        "sharp_enough",
        "right_align",
        "least_frequent",
        "carry_column",
        "two_number_adder",
        "last_induction",
    ],
    "cost": [
        "cross_attention_work",
        "grouped_without_copies",
        "logits_one_by_one",
        "merge_parts",
        "causal_by_tiles",
        "cheaper_order",
        "rolling_cache",
    ],
    "vision": [
        "put_together",
        "channel_gates",
        "begins_as_identity",
        "kernel_as_scores",
        "images_needed",
        "occlusion_by_window",
        "real_differences",
    ],
    "speech": [
        "peak_frequency",
        "key_of_sound",
        "share_on_target",
        "next_weights",
        "windowed_weights",
        "window_needed",
        "shortest_failing",
        "what_sound_shows",
    ],
    "interpretation": [
        "keeps_the_answer",
        "deletion_effects",
        "attention_rollout",
        "weight_times_norm",
        "induction_score",
        "said_of_heads",
    ],
    "applications": [
        "best_span",
        "interests",
        "area_under_curve",
        "contrastive_loss",
        "match_objects",
        "my_mode",
    ],
    "claim_by_claim": [
        "contradicting_pairs",
        "sound_references",
        "impossible_numbers",
        "refuting_experiments",
        "share_of_right",
        "number_in_cell",
        "three_differences",
    ],
    "puzzles": [
        "key_before",
        "all_but_itself",
        "first_and_last",
        "every_third",
        "window_repaired",
        "prompt_reads_itself",
        "documents_by_id",
        "dilated_back",
        "window_with_sinks",
        "blocks_of_a_layout",
        "tree_of_guesses",
        "grid_neighbours",
        "grid_at_the_edge",
        "halving",
        "lift_to_share",
        "may_say_nothing",
        "count_so_far",
        "look_where_told",
        "turn_back_one",
        "say_the_word",
        "break_the_copy",
        "few_keys",
        "say_it_within_limits",
    ],
}
check = Checks(
    {
        name: f"attention_lab.labs.{room}.exercises"
        for room, names in ROOMS.items()
        for name in names
    }
)
grade = check.grade


def _card(asked: Choices | Number, name: str) -> Any:
    from attention_lab.ui.prediction import PredictionCard  # ipywidgets, for those who ask

    return PredictionCard(asked, name)


def board() -> Any:
    """Show which puzzles are solved; the table changes when a puzzle is checked."""
    from attention_lab.labs.puzzles.board import Board

    return Board()


def progress(*, reset: bool = False) -> Any:
    """Show what you have solved and guessed, notebook by notebook.

    It is kept in the file ``.attention_lab_progress.json`` beside the notebooks, and is sent
    nowhere. ``progress(reset=True)`` begins anew; the old file stays, under another name. (The
    board of the puzzles forgets when the kernel is started again.)
    """
    from attention_lab.ui.progress_table import ProgressTable, begin_anew

    begun = begin_anew() if reset else ""
    predictions: dict[str, list[str]] = {}
    for name in dir(predict):
        predictions.setdefault(predict.room_of(name), []).append(name)
    return ProgressTable(ROOMS, predictions, begun)


predict = Predictions("attention_lab.labs", _card)
