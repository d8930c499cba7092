"""A model of an experiment's sources, kept beside its answers, to be tried on recordings."""

from __future__ import annotations

from pathlib import Path

from serlab import deployment
from serlab.deployment import Model, UnusableModel
from serlab.errors import ParameterError
from serlab.experiment import NotKept, Session, scratch_folder

#: Folder of the model in that of the run.
FOLDER = "model"


def of(session: Session, *, method: str = "ridge") -> Model:
    """A model of the sources on the features of an experiment; of a finished run it is read from its folder.

    The target is not learned from: its recordings are strangers to the model, as those of a reader are.

    Parameters
    ----------
    session : Session
        With one source or more.
    method : str
        Of :data:`serlab.deployment.FAMILIES`.

    Raises
    ------
    NotKept
        If a finished run keeps no model.
    ParameterError
        If there is no source, or features are no vectors.
    """
    parameters = session.parameters
    folder = Path(session.folder or scratch_folder(parameters)) / FOLDER
    try:
        found = deployment.load_model(folder)
    except UnusableModel as error:
        if session.finished is not None:
            raise NotKept(f"this run keeps no model: {error}") from None
    else:
        if found.family == method:
            return found
    if not parameters.sources:
        raise ParameterError("a model is learned from sources, and none is chosen")
    return deployment.train(
        parameters.sources, out=folder, method=method, features=parameters.features,
        encoder=str(parameters.options.get("encoder", "")), scheme=parameters.scheme,
        data=parameters.data or None, force=folder.exists(), jobs=parameters.jobs, watch=session.watch,
    )  # fmt: skip
