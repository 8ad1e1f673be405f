import pytest

from mlmodel.network.head import Head
from mlmodel.releases.release import load_release
from mlmodel.retraining import BaseSet, Network, network_of, read_base_set


@pytest.fixture(scope="package")
def base() -> BaseSet:
    return read_base_set()


@pytest.fixture(scope="package")
def active() -> Network:
    release = load_release()
    return network_of(release.settings, Head.load(release.head))
