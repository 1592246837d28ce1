"""The version that the command line tells is the one that the package was installed with."""

from importlib.metadata import version

from scanner.version import __version__


def test_the_version_is_that_of_the_installed_package() -> None:
    assert version("mailsunset") == __version__
