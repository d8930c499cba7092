"""Questions that need several runs of an experiment, or a look into what it left behind."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "acoustic_models",
        "advice",
        "calibration",
        "controls",
        "few_shot",
        "kept_model",
        "label_plan",
        "layer_probes",
        "layer_weights",
        "leave_one_out",
        "random_split",
        "robustness",
        "source_choice",
        "source_stage",
        "speaker_probe",
        "target_head",
        "trade_off",
        "unlabelled_accuracy",
        "voice_and_text",
    ],
)
