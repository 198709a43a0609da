"""The house is tidy: every rule holds in every file, and each finding says where and what to do."""

import pytest

from tests.style import exemptions, honesty, purity, sizes, texts
from tests.style.tree import PACKAGE, ROOT, Finding, Rule, Source, python_sources, text_sources

CODE_RULES = (*sizes.RULES, *honesty.RULES, *purity.RULES)


def told(source: Source, finding: Finding) -> str:
    return f"{source.path}:{finding.line}: {finding.message}"


@pytest.mark.parametrize("rule", CODE_RULES, ids=lambda rule: rule.__name__)
def test_code_keeps(rule: Rule) -> None:
    found = [told(source, finding) for source in python_sources() for finding in rule(source)]
    assert not found, f"{rule.__doc__}\n" + "\n".join(found)


@pytest.mark.parametrize("rule", texts.RULES, ids=lambda rule: rule.__name__)
def test_texts_keep(rule: Rule) -> None:
    found = [told(source, finding) for source in text_sources() for finding in rule(source)]
    assert not found, f"{rule.__doc__}\n" + "\n".join(found)


def test_the_tree_is_seen() -> None:
    """A tidy test that reads no files passes always."""
    seen = {source.path for source in text_sources()}
    assert {"pyproject.toml", "Makefile", ".ci/run", "src/crypto_bot/domain/units.py", "tests/style/tree.py"} <= seen


def test_every_folder_of_the_package_is_a_room() -> None:
    folders = {path.parent for path in (ROOT / PACKAGE).rglob("*.py")}
    missing = [folder.relative_to(ROOT).as_posix() for folder in folders if not (folder / "__init__.py").exists()]
    assert not missing, f"an __init__.py that says what is in the room is missing in {missing}"


@pytest.mark.parametrize(
    ("rule", "table"),
    [
        (sizes.parameters, exemptions.PARAMETERS),
        (honesty.broad_except, exemptions.BORDERS),
        (honesty.loose_types, exemptions.LOOSE_TYPES),
    ],
    ids=["parameters", "broad_except", "loose_types"],
)
def test_no_exemption_is_idle(rule: Rule, table: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each exempted file would break the rule, and each exempted function by its own name."""
    kept = dict(table)
    for place in list(table):
        monkeypatch.delitem(table, place)
    by_place = {source.place: source for source in python_sources()}
    idle = []
    for place, why in kept.items():
        found = [finding.message for finding in rule(by_place[place])] if place in by_place else []
        names = list(why) if isinstance(why, dict) else [""]
        idle += [f"{place} {name}" for name in names if not any(message.startswith(name) for message in found)]
    assert not idle, f"these exemptions are needed no more: {idle}"
