"""Figures, and a table beside each.

Every function is pure: it returns a :class:`matplotlib.figure.Figure` that
pyplot does not know of, and changes no global setting. What a figure shows is
a table that can be printed beside it: its argument, or what the ``*_table``
function next to it returns. What is to be seen is also said in words, in the
figure's ``alt``.
"""

from serlab.plotting.confusions import (
    confusion_table,
    mean_confusion_table,
    plot_confusions,
    plot_mean_confusions,
)
from serlab.plotting.corpora import SPEAKERS_PER_ROW, counts_table, plot_counts
from serlab.plotting.display import display_table, latex_table
from serlab.plotting.embeddings import (
    MOST_IN_LEGEND,
    before_after_table,
    embedding_coordinates,
    embedding_table,
    plot_before_after,
    plot_embedding,
)
from serlab.plotting.features import (
    feature_distribution_table,
    most_shifted_features,
    one_feature_of,
    plot_feature_distribution,
    shifted_in,
)
from serlab.plotting.few_shot import break_even, plot_few_shot, plot_few_shot_gains
from serlab.plotting.gains import VERDICTS, plot_gain
from serlab.plotting.gaps import groups_of, groups_table, not_compared_table, plot_groups
from serlab.plotting.layers import layer_weight_table, plot_layer_weights, plot_probes
from serlab.plotting.leave_one_out import (
    plot_helping,
    plot_known_before,
    plot_left_out,
    plot_left_out_curve,
)
from serlab.plotting.listening import heard_table, plot_among, plot_heard
from serlab.plotting.networks import (
    PEAKED,
    attention_positions,
    attention_table,
    plot_attention_positions,
    plot_loss_terms,
    plot_training,
)
from serlab.plotting.predicted import plot_over_time
from serlab.plotting.reliability import (
    plot_reliability,
    reliability_curves,
    reliability_of,
    reliability_table,
)
from serlab.plotting.robustness import plot_robustness, robustness_table
from serlab.plotting.runs import plot_matrix, plot_methods_by_run, plot_ranks
from serlab.plotting.scores import (
    ACCESS,
    per_class_table,
    plot_confounds,
    plot_folds,
    plot_published,
    plot_uar,
)
from serlab.plotting.shift import (
    plot_shift,
    plot_shift_change,
    shift_change_table,
    shift_coordinates,
    shift_table,
)
from serlab.plotting.source_choice import plot_source_sets, plot_source_worth
from serlab.plotting.style import GREY, LINES, MARKERS, PALETTE, Figure, img, png
from serlab.plotting.texts import DAGGER, MISSING
from serlab.plotting.trade_off import (
    NO_ALIGNMENT,
    ORACLE,
    chosen_table,
    cost_table,
    plot_sweep,
    selector_table,
    selectors,
)
from serlab.plotting.unlabelled import plot_estimates, plot_label_plans
from serlab.plotting.utterance import plot_utterance

# In the order of a report: what there is, how it went, and why.
__all__ = [  # noqa: RUF022
    # style
    "GREY", "LINES", "MARKERS", "PALETTE", "Figure", "img", "png", "DAGGER", "MISSING", "display_table",
    "latex_table",
    # corpora
    "SPEAKERS_PER_ROW", "counts_table", "plot_counts",
    # features
    "feature_distribution_table", "most_shifted_features", "one_feature_of", "plot_feature_distribution",
    "shifted_in",
    # shift
    "shift_coordinates", "shift_table", "plot_shift", "shift_change_table", "plot_shift_change",
    # scores
    "ACCESS", "plot_uar", "plot_folds", "per_class_table", "plot_confounds",
    "plot_published",
    # gains
    "VERDICTS", "plot_gain",
    # gaps
    "groups_of", "groups_table", "not_compared_table", "plot_groups",
    # reliability, robustness
    "plot_reliability", "reliability_curves", "reliability_of", "reliability_table",
    "plot_robustness", "robustness_table",
    # confusions
    "confusion_table", "plot_confusions", "mean_confusion_table", "plot_mean_confusions",
    # runs
    "plot_matrix", "plot_methods_by_run", "plot_ranks",
    # few-shot
    "plot_few_shot", "plot_few_shot_gains", "break_even",
    # trade-off
    "NO_ALIGNMENT", "ORACLE", "selectors", "chosen_table", "selector_table", "cost_table", "plot_sweep",
    # sources
    "plot_source_sets", "plot_source_worth", "plot_left_out", "plot_left_out_curve", "plot_helping",
    "plot_known_before",
    # what is not labelled
    "plot_estimates", "plot_label_plans", "plot_over_time",
    # layers
    "plot_probes", "layer_weight_table", "plot_layer_weights",
    # networks
    "plot_training", "plot_loss_terms", "PEAKED", "attention_positions", "attention_table",
    "plot_attention_positions",
    # embeddings
    "MOST_IN_LEGEND", "embedding_coordinates", "embedding_table", "plot_embedding", "before_after_table",
    "plot_before_after",
    # utterance
    "plot_utterance",
    # listening
    "heard_table", "plot_heard", "plot_among",
]  # fmt: skip
