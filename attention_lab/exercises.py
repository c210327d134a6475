"""What a learner does: ``predict.<name>()`` before an answer, ``check.<name>(answer)`` after it.

A façade: each grader and each question lives in the room of its notebook, and is loaded when it is
first asked for.
"""

from attention_lab.grading.base import Checks, Verdict
from attention_lab.ui.prediction import Predictions

__all__ = ["Verdict", "check", "grade", "predict"]

ROOMS = {
    "start_here": ["strongest_key"],
    "attention_weights": [
        "stable_softmax",
        "three_scores",
        "choose_query",
        "softmax_formula",
        "move_rows",
    ],
    "weighted_sum": [
        "sum_by_loop",
        "sum_by_product",
        "two_weightings",
        "repair_flow_chart",
        "equal_values",
    ],
    "qkv_worked_example": [
        "attention_in_three_lines",
        "repaired_derivation",
        "find_query",
        "predict_shapes",
        "true_statements",
    ],
    "scale_and_temperature": [
        "variance_of_scores",
        "temperature_for",
        "sparsemax_jacobian",
        "tempered_softmax",
        "zero_gradients",
    ],
    "alignment": ["additive_scores", "alignment_score", "greedy_decoding", "order_of_papers"],
    "masks": [
        "causal_and_padding",
        "safe_softmax",
        "one_convention",
        "cached_mask",
        "find_leaks",
    ],
    "transformer_code": [
        "predict_outcomes",
        "repaired",
        "contradictions",
        "copy_weights",
        "runs_when",
    ],
    "position": [
        "sines_and_cosines",
        "rotation_of_sines",
        "rotary",
        "alibi",
        "needs_positions",
        "position_from_mean",
    ],
    "encoder_decoder": [
        "parameter_count",
        "post_norm_decoder",
        "missing_piece",
        "batch_decoding",
        "teaching_leak",
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
predict = Predictions("attention_lab.labs")
