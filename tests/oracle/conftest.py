import pytest
from subjects import Subject


@pytest.fixture(scope="session")
def subjects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("oracle")
    made = {}

    def subject_of(name):
        if name not in made:
            made[name] = Subject(name, folder)
        return made[name]

    yield subject_of
    for subject in made.values():
        subject.close()
