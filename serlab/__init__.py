"""serlab: does speech in another language help to recognise emotion here?"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("serlab")
except PackageNotFoundError:  # imported from a checkout that is not installed
    __version__ = "0+unknown"
