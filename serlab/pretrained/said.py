"""What the makers of published encoders say they trained on; read by :mod:`serlab.pretrained.heard`.

Each entry was compared, in November 2026, with what its makers publish: papers, model cards, the READMEs of
fairseq, unilm and EmoBox, Whisper's own list of languages. ``checked`` is False where only part could be.
"""

from __future__ import annotations

from dataclasses import dataclass

_RADFORD = "Radford et al. 2023, Robust speech recognition (arXiv 2212.04356)"
_HSU = "Hsu et al. 2021, HuBERT (arXiv 2106.07447)"
_CHEN = "Chen et al. 2022, WavLM (arXiv 2110.13900)"
_BAEVSKI = "Baevski et al. 2020, wav2vec 2.0 (arXiv 2006.11477)"
_BABU = "Babu et al. 2022, XLS-R: 436,000 hours, 128 languages (arXiv 2111.09296)"
_CONNEAU = "Conneau et al. 2021, XLSR-53 (arXiv 2006.13979)"
_ROBUST = "Hsu et al. 2021, Robust wav2vec 2.0 (arXiv 2104.01027)"
_MMS = "Pratap et al. 2024, MMS: 491,000 hours, 1,406 languages (arXiv 2305.13516)"
_SEAMLESS = "Seamless Communication 2023: 4.5 million hours, 143 languages (arXiv 2312.05187)"
_MA = "Ma et al. 2024, emotion2vec (arXiv 2312.15185)"
_PLUS = "the model card of emotion2vec+; Ma et al. 2024, EmoBox (arXiv 2406.07162)"
_SUPERB = "Yang et al. 2021, SUPERB: emotion recognition (arXiv 2105.01051); the model's card"

_WHISPER = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg "
    "lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so "
    "af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su"
)
#: XLSR-53: the parts of MLS, CommonVoice and BABEL that fairseq's README lists.
_XLSR = (
    "nl en fr de it pl pt es ar eu br zh cv dv eo et cnh id ia ga ja kab rw ky lv mn fa ru sah sl sv ta tt "
    "tr cy as bn yue ceb ka ht kk ku lo ps sw tl tpi vi zu"
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
_OF_MMS = ("MMS-lab-U", *_OF_XLSR, "VoxLingua107", "VoxPopuli")


@dataclass(frozen=True, kw_only=True)
class Said:
    """Models of the same past: their names and languages with spaces between, see ``Heard`` for the rest.

    ``checked``: whether all of it was found where its makers say it.
    """

    models: str
    source: str
    languages: str = "en"
    complete: bool = True
    pretrained_on: tuple[str, ...] = ()
    tuned_on: tuple[str, ...] = ()
    tuned: str = ""
    checked: bool = True


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
        languages=_XLSR,
        pretrained_on=_OF_XLSR,
        source=_CONNEAU,
    ),
    Said(
        models="wav2vec2-lg-xlsr-en-speech-emotion-recognition",
        languages=_XLSR,
        pretrained_on=_OF_XLSR,
        tuned_on=("ravdess",),
        source=f"the model's card; {_CONNEAU}",
    ),
    Said(
        models="wav2vec2-xls-r-300m wav2vec2-xls-r-1b wav2vec2-xls-r-2b",
        languages=_VOXLINGUA,
        complete=False,
        pretrained_on=("VoxPopuli", "MLS", "CommonVoice", "VoxLingua107", "BABEL"),
        source=f"{_BABU}; the models' card",
    ),
    Said(
        models="mms-300m mms-1b",
        languages=_VOXLINGUA,
        complete=False,
        pretrained_on=_OF_MMS,
        source=_MMS,
        checked=False,
    ),
    *(
        Said(
            models=f"mms-1b-{ending}",
            languages=_VOXLINGUA,
            complete=False,
            pretrained_on=(*_OF_MMS, *labelled),
            source=f"{_MMS}; fairseq's README of MMS",
            checked=False,
        )
        for ending, labelled in (
            ("fl102", ("FLEURS",)),
            ("l1107", ("MMS-lab",)),
            ("all", ("MMS-lab", "FLEURS")),
        )
    ),
    Said(
        models="w2v-bert-2.0",
        languages="en de fr es it pt nl ru zh",
        complete=False,
        source=f"{_SEAMLESS}; which languages they are was not found in words",
        checked=False,
    ),
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
    Said(
        models="emotion2vec_base",
        complete=False,
        pretrained_on=_EMOTION2VEC,
        source=f"{_MA}: 262 hours; which corpora they are was not found in words",
        checked=False,
    ),
    Said(
        models="emotion2vec_base_finetuned",
        complete=False,
        pretrained_on=_EMOTION2VEC,
        tuned="nine emotions",
        source=f"{_MA}; the README of emotion2vec: tuned iteratively, on recordings that it does not name",
        checked=False,
    ),
    Said(
        models="emotion2vec_plus_seed",
        languages="en zh de fr it es pl el fa bn tr ur ru am",
        complete=False,
        pretrained_on=_EMOTION2VEC,
        tuned_on=_EMOBOX,
        source=f"{_PLUS}: 201 hours of it",
        checked=False,
    ),
    Said(
        models="emotion2vec_plus_base emotion2vec_plus_large",
        languages="en zh de fr it es pl el fa bn tr ur ru am",
        complete=False,
        pretrained_on=_EMOTION2VEC,
        tuned_on=_EMOBOX,
        tuned="nine emotions",
        source=f"{_PLUS}; 4,788 and 42,526 hours more, labelled by a predecessor, which nobody names",
        checked=False,
    ),
)
