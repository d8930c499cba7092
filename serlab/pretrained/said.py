"""What the makers of published encoders say they trained on; read by :mod:`serlab.pretrained.heard`."""

from __future__ import annotations

from dataclasses import dataclass

_RADFORD = "Radford et al. 2023, Robust speech recognition via large-scale weak supervision"
_HSU = "Hsu et al. 2021, HuBERT"
_CHEN = "Chen et al. 2022, WavLM"
_BAEVSKI = "Baevski et al. 2020, wav2vec 2.0"
_BABU = "Babu et al. 2022, XLS-R"
_CONNEAU = "Conneau et al. 2021, Unsupervised cross-lingual representation learning for speech recognition"
_ROBUST = "Hsu et al. 2021, Robust wav2vec 2.0"
_MMS = "Pratap et al. 2024, Scaling speech technology to 1,000+ languages"
_SEAMLESS = "Seamless Communication et al. 2023, Seamless"
_MA = "Ma et al. 2024, emotion2vec"
_PLUS = "the model card of emotion2vec+; Ma et al. 2024, EmoBox"
_SUPERB = "Yang et al. 2021, SUPERB: emotion recognition; the model's card"

_WHISPER = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg "
    "lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so "
    "af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su"
)
#: VoxLingua107 (Valk & Alumäe 2021); XLS-R and MMS have heard all of it, and languages beside.
_VOXLINGUA = (
    "ab af am ar as az ba be bg bn bo br bs ca ceb cs cy da de el en eo es et eu fa fi fo fr gl gn gu gv "
    "ha haw he hi hr ht hu hy ia id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt "
    "my ne nl nn no oc pa pl ps pt ro ru sa sco sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt "
    "uk ur uz vi war yi yo zh"
)
#: EmoBox, whose emotions emotion2vec+ was tuned on.
_EMOBOX = (
    "aesdd", "ased", "ASVP-ESD", "cafe", "CASIA", "cremad", "EMNS", "emodb", "EmoV-DB", "emovo",
    "emozionalmente", "eNTERFACE", "ESD", "iemocap", "jl", "M3ED", "MEAD", "MELD", "MER2023", "mesd",
    "MSP-Podcast", "oreau", "PAVOQUE", "Polish", "ravdess", "RESD", "savee", "shemo", "subesco", "tess",
    "turev", "urdu",
)  # fmt: skip
_EMOTION2VEC = ("LibriSpeech", "iemocap", "MELD", "CMU-MOSEI", "MEAD", "MSP-Podcast")
_LIBRISPEECH, _LIBRI_LIGHT = ("LibriSpeech",), ("Libri-Light",)
_BOTH = (*_LIBRI_LIGHT, *_LIBRISPEECH)
_OF_ROBUST = (*_LIBRI_LIGHT, "CommonVoice", "Switchboard", "Fisher")
_OF_XLSR = ("MLS", "CommonVoice", "BABEL")


@dataclass(frozen=True, kw_only=True)
class Said:
    """Models of the same past: their names and languages with spaces between, see ``Heard`` for the rest."""

    models: str
    source: str
    languages: str = "en"
    complete: bool = True
    pretrained_on: tuple[str, ...] = ()
    tuned_on: tuple[str, ...] = ()


SAID: tuple[Said, ...] = (
    Said(models="whisper-tiny.en whisper-base.en whisper-small.en whisper-medium.en", source=_RADFORD),
    Said(
        models="whisper-tiny whisper-base whisper-small whisper-medium whisper-large whisper-large-v2",
        languages=_WHISPER,
        source=_RADFORD,
    ),
    Said(
        models="whisper-large-v3 whisper-large-v3-turbo",
        languages=f"{_WHISPER} yue",
        source=f"{_RADFORD}; the model card of large-v3",
    ),
    Said(
        models="wav2vec2-base wav2vec2-base-960h wav2vec2-large wav2vec2-large-960h",
        pretrained_on=_LIBRISPEECH,
        source=_BAEVSKI,
    ),
    Said(models="wav2vec2-large-lv60", pretrained_on=_LIBRI_LIGHT, source=_BAEVSKI),
    Said(
        models="wav2vec2-large-960h-lv60 wav2vec2-large-960h-lv60-self",
        pretrained_on=_BOTH,
        source=f"{_BAEVSKI}; the model's card",
    ),
    Said(models="wav2vec2-large-robust", pretrained_on=_OF_ROBUST, source=_ROBUST),
    Said(
        models="wav2vec2-large-robust-12-ft-emotion-msp-dim",
        pretrained_on=_OF_ROBUST,
        tuned_on=("MSP-Podcast",),
        source=f"{_ROBUST}; Wagner et al. 2023, Dawn of the transformer era in speech emotion recognition",
    ),
    Said(
        models="wav2vec2-large-xlsr-53",
        languages="en de nl fr es it pt pl ky ru sv tr tt zh",
        complete=False,
        pretrained_on=_OF_XLSR,
        source=_CONNEAU,
    ),
    Said(
        models="wav2vec2-lg-xlsr-en-speech-emotion-recognition",
        complete=False,
        pretrained_on=_OF_XLSR,
        tuned_on=("ravdess",),
        source=f"the model's card; {_CONNEAU}",
    ),
    Said(
        models="wav2vec2-xls-r-300m wav2vec2-xls-r-1b wav2vec2-xls-r-2b",
        languages=_VOXLINGUA,
        complete=False,
        pretrained_on=("VoxPopuli", "MLS", "CommonVoice", "VoxLingua107", "BABEL"),
        source=_BABU,
    ),
    Said(
        models="mms-300m mms-1b",
        languages=_VOXLINGUA,
        complete=False,
        pretrained_on=("MMS-lab-U", "MLS", "CommonVoice", "VoxLingua107", "BABEL", "VoxPopuli"),
        source=_MMS,
    ),
    Said(models="w2v-bert-2.0", languages="en de fr es it pt nl ru zh", complete=False, source=_SEAMLESS),
    Said(models="hubert-base-ls960", pretrained_on=_LIBRISPEECH, source=_HSU),
    Said(models="hubert-large-ll60k hubert-xlarge-ll60k", pretrained_on=_LIBRI_LIGHT, source=_HSU),
    Said(models="hubert-large-ls960-ft hubert-xlarge-ls960-ft", pretrained_on=_BOTH, source=_HSU),
    Said(models="wavlm-base", pretrained_on=_LIBRISPEECH, source=_CHEN),
    Said(
        models="wavlm-base-plus wavlm-large",
        pretrained_on=(*_LIBRI_LIGHT, "GigaSpeech", "VoxPopuli"),
        source=_CHEN,
    ),
    Said(
        models="wav2vec2-base-superb-er hubert-base-superb-er",
        pretrained_on=_LIBRISPEECH,
        tuned_on=("iemocap",),
        source=_SUPERB,
    ),
    Said(
        models="wav2vec2-large-superb-er hubert-large-superb-er",
        pretrained_on=_LIBRI_LIGHT,
        tuned_on=("iemocap",),
        source=_SUPERB,
    ),
    Said(models="emotion2vec_base", pretrained_on=_EMOTION2VEC, source=_MA),
    Said(
        models="emotion2vec_base_finetuned",
        pretrained_on=_EMOTION2VEC,
        tuned_on=("iemocap",),
        source=_MA,
    ),
    Said(
        models="emotion2vec_plus_seed emotion2vec_plus_base emotion2vec_plus_large",
        languages="en zh de fr it es pl el fa bn tr ur ru am",
        complete=False,
        pretrained_on=_EMOTION2VEC,
        tuned_on=_EMOBOX,
        source=_PLUS,
    ),
)
