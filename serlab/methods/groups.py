"""Names for several methods of several families: what a paper compares, and choices for a purpose."""

from __future__ import annotations

GROUPS: dict[str, tuple[str, ...]] = {
    # The paper's columns, in the order of its tables 2 and 3.
    "andova-lustrek": (
        "majority", "rf-source", "rf-target", "rf-pooled", "dbn", "fcnn", "rf-multitask", "rf-neutral",
        "rf-distribution",
    ),
    # What a reader of the paper would ask for next to them.
    "further": (
        "rf-source-z", "rf-pooled-z", "rf-coral", "svm-source", "svm-target", "svm-pooled", "svm-source-z",
        "svm-coral",
    ),
    # The paper's network and ablation, then what it compares with.
    "durrani-arshad": (
        "encdec-target", "encdec-target-320", "encdec-source", "encdec-pooled", "encdec-transfer",
        "encdec-from-encoder", "encdec-from-encoder-attention", "encdec-from-decoder", "encdec-from-all",
        "dbn-target", "dbn-source", "dbn", "sae-svm-target", "sae-svm-source", "sae-svm",
    ),
    # Controls, adapters on one network, the networks and inputs of table 4, adapters of vectors.
    "baklouti": (
        "light-target", "light-source", "light-source-z", "light-adabn", "light-unaligned", "light-mmd",
        "light-unaligned-z", "light-mmd-z", "light-mkmmd", "light-lmmd", "light-jmmd", "light-coral",
        "light-dann", "light-gan", "light-addi", "light-saddi", "light-finetuned",
        "light-unaligned-supervised", "light-mmd-supervised", "cnnlstm-source", "mfsc-source", "cqt-source",
        "dbn-source", "sae-svm-source", "svm-source", "svm-source-z", "svm-coral", "svm-tca",
        "svm-subspace", "svm-ot",
    ),
    # Of these, an adapter of each kind with its controls: what a demonstration has time for.
    "adaptation": (
        "light-target", "light-source", "light-adabn", "light-unaligned", "light-mmd", "light-lmmd",
        "light-coral", "light-dann", "light-saddi", "light-finetuned", "light-unaligned-supervised",
        "light-mmd-supervised", "svm-source", "svm-coral", "svm-tca",
    ),
    # What takes minutes: frozen layers, their control, and what the target adds.
    "tdnn": (
        "tdnn-frozen-target", "tdnn-frozen-13-target", "tdnn-frozen-prefinal-target", "tdnn-random-target",
        "tdnn-random-13-target", "tdnn-random-prefinal-target", "tdnn-frozen-source",
        "tdnn-frozen-source-z", "tdnn-random-source", "tdnn-frozen-finetuned",
        "rf-target", "rf-source", "rf-source-z",
    ),
    # The paper's network in its layers and ways of training, with controls; the systems of its table 3;
    # and functionals with a forest.
    "zhou-beigi": (
        "tdnn-frozen-target", "tdnn-frozen-13-target", "tdnn-frozen-prefinal-target", "tdnn-random-target",
        "tdnn-random-13-target", "tdnn-random-prefinal-target", "tdnn-tuned-target",
        "tdnn-scratch-target", "rnnelm-target", "convlstm-target", "ctcblstm-target",
        "tdnn-frozen-source", "tdnn-frozen-source-z", "tdnn-random-source", "tdnn-tuned-source",
        "tdnn-scratch-source", "tdnn-frozen-finetuned", "rf-target", "rf-source-z",
    ),
    # On a pretrained encoder: linear, with learned weights of its layers, adapted; and the same forest.
    "encoders": (
        "probe-target", "probe-source", "probe-source-z", "probe-selftrained", "probe-cautious",
        "probe-pooled-z", "probe-selftrained-pooled",
        "layer2-source", "layer2-source-z", "encoder-target", "encoder-linear-target", "encoder-source",
        "encoder-source-z", "encoder-adabn", "encoder-unaligned", "encoder-mmd", "encoder-lmmd",
        "encoder-coral", "encoder-dann", "encoder-finetuned", "rf-target", "rf-source", "rf-source-z",
    ),
}  # fmt: skip

#: Baseline of an experiment -> methods whose gain over their own control is what it is run for, declared
#: before anything is seen: the question of the paper with that baseline. They alone are given a verdict,
#: and are corrected for each other, whatever else is run beside them.
PRIMARY: dict[str, tuple[str, ...]] = {
    "rf-target": ("rf-pooled", "rf-source-z"),
    "svm-target": ("svm-pooled", "svm-source-z"),
    "ridge-target": ("ridge-pooled", "ridge-source-z", "ridge-source-voices"),
    "dbn-target": ("dbn",),
    "fcnn-target": ("fcnn",),
    "acnn-target": ("acnn-pooled", "acnn-finetuned", "acnn-source-z"),
    "encdec-target": ("encdec-transfer",),
    "sae-svm-target": ("sae-svm",),
    "light-target": ("light-finetuned", "light-adabn", "light-mmd"),
    "vgg16-target": ("vgg16-finetuned", "vgg16-source-z", "vgg16-mmd"),
    "tdnn-frozen-target": ("tdnn-frozen-target", "tdnn-frozen-finetuned", "tdnn-frozen-source-z"),
    "tdnn-tuned-target": ("tdnn-tuned-target", "tdnn-tuned-finetuned"),
    "probe-target": ("probe-pooled-z", "probe-source-z", "probe-selftrained"),
    "encoder-target": ("encoder-finetuned", "encoder-source-z", "encoder-mmd"),
    "top-target": ("top-finetuned",),
    "lora-target": ("lora-target", "lora-source", "lora-finetuned"),
}
