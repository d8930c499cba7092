"""Questions that need several runs of an experiment, or a look into what it left behind."""

from serlab.studies import controls, few_shot, layer_probes, speaker_probe, trade_off, transfer

__all__ = ["controls", "few_shot", "layer_probes", "speaker_probe", "trade_off", "transfer"]
