"""Read an author's module: refuse in plain words what cannot work, and note the edits that make it kernel functions."""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from crypto_bot.authoring.constants import kind_of_constant
from crypto_bot.authoring.edits import Text
from crypto_bot.authoring.kinds import Cells, Choice, Kind, Many, Simple, kind_of_value
from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.module import Cell, Module, Wake
from crypto_bot.authoring.ordinary import memory_reader, run_top_level, wake_reader
from crypto_bot.authoring.parameters import Parameter, Parameters, choices_of, parameters_of
from crypto_bot.authoring.parts import Parts, parts_of
from crypto_bot.authoring.rewriting import Rewriting
from crypto_bot.authoring.scope import Facts, Scope, argument_kind, local_names
from crypto_bot.authoring.source import TOO_DEEP, Source, open_source
from crypto_bot.authoring.statements import result_of
from crypto_bot.authoring.uses import Uses, is_timeframe
from crypto_bot.domain.timeframe import timeframe_ns

_NUMBERS: Mapping[type, Simple] = {bool: Simple.FLAG, int: Simple.WHOLE, float: Simple.DECIMAL}


def read(path: Path) -> Module:
    """Read a strategy's file; Mistake when it cannot work."""
    return read_source(open_source(path))


def read_text(text: str, path: Path) -> Module:
    """Read a strategy from its text; `path` is the name it goes by in sentences and debuggers."""
    return read_source(Source(path, text.replace("\r\n", "\n").replace("\r", "\n")))


def read_source(source: Source) -> Module:
    """Read a strategy: first by its grammar alone, then with what its top level gives."""
    try:
        return _read(source)
    except RecursionError:
        raise Mistake(source.path, 0, TOO_DEEP) from None


def _read(source: Source) -> Module:
    parts = parts_of(source, source.parse())
    namespace = run_top_level(source)
    parameters = parameters_of(source, parts.parameters, namespace)
    memory_of = memory_reader(parts, namespace)
    cells = memory_of(parameters.defaults)
    facts = Facts(parts, _constants(parts, namespace), _parameters(parameters), _cells(cells))
    Reading(facts, namespace).all_functions()
    rewriting = _rewritten(facts)
    uses = rewriting.uses
    timeframe, wake, warmup = _timeframe(parts, parameters), _wake(parts), _warmup(parts)
    if uses.unknown_reach is not None and warmup is None:
        text = "how far this looks back is not known before the run; declare warmup = ... at the top of the file"
        source.refuse(uses.unknown_reach, text)
    wake_of = wake_reader(parts, namespace, wake)
    wake_of(parameters.defaults)
    if wake == "fills":
        _refuse_indicators(parts, uses)
    return Module(
        path=source.path,
        source=source.text,
        edits=tuple(rewriting.edits),
        indicators=tuple(uses.indicators),
        reaches=tuple(uses.reaches),
        frames=tuple(uses.frames),
        functions=tuple(parts.functions),
        parameters=parameters,
        cells=cells,
        memory_of=memory_of,
        timeframe=timeframe,
        chosen_timeframe="timeframe" in parameters.names,
        wake=wake,
        wake_of=wake_of,
        warmup=warmup,
        takes_memory="m" in parts.arguments("step"),
        namespace=namespace,
    )


class Reading:
    """The author's functions, read one by one: each for every combination of kinds that it is called with."""

    def __init__(self, facts: Facts, namespace: Mapping[str, object]) -> None:
        """Keep what holds in all functions; `namespace` has the defaults of their arguments."""
        self._facts, self._namespace = facts, namespace
        self._results: dict[tuple[str, tuple[Kind, ...]], Kind] = {}
        self._called: set[str] = set()

    def all_functions(self) -> None:
        """Read step and what it calls, then the functions that nothing calls."""
        for name in ("step", *self._facts.parts.functions):
            if name not in self._called:
                self._result(name, {})

    def call(self, _: ast.Call, name: str, given: Mapping[str, Kind]) -> Kind:
        """Return the kind of what a function gives back when it is called with these kinds."""
        return self._result(name, {**self._defaults(name), **given})

    def _result(self, name: str, given: Mapping[str, Kind]) -> Kind:
        function = self._facts.parts.functions[name]
        names = [argument.arg for argument in function.args.args]
        kinds = {each: given.get(each, argument_kind(each)) for each in names}
        key = (name, tuple(kinds.values()))
        if key not in self._results:
            self._called.add(name)
            local = local_names(self._facts, function)
            scope = Scope(self._facts, function, self.call, kinds, frozenset(names), local)
            self._results[key] = result_of(scope)
        return self._results[key]

    def _defaults(self, name: str) -> Mapping[str, Kind]:
        arguments = [argument.arg for argument in self._facts.parts.functions[name].args.args]
        values = cast("tuple[object, ...] | None", getattr(self._namespace[name], "__defaults__", None)) or ()
        named = arguments[len(arguments) - len(values) :]
        return {each: kind_of_value(value) or Simple.UNKNOWN for each, value in zip(named, values, strict=True)}


def _rewritten(facts: Facts) -> Rewriting:
    parts = facts.parts
    rewriting = Rewriting(Uses(facts), Text(parts.source.text))
    for ordinary in parts.ordinary.values():
        rewriting.take_out(ordinary)
    for constant in (*parts.constants.values(), *parts.settings.values()):
        if isinstance(constant, ast.AnnAssign):
            rewriting.annotation(constant.annotation)
    for parameter in parts.parameters.values():
        if choices_of(parameter.annotation):
            rewriting.annotation(parameter.annotation)
    for function in parts.functions.values():
        rewriting.function(function)
    return rewriting


# ---- the kinds of what is not local


def _constants(parts: Parts, namespace: Mapping[str, object]) -> Mapping[str, Kind]:
    return {name: kind_of_constant(parts.source, node, name, namespace[name]) for name, node in parts.constants.items()}


def _parameters(parameters: Parameters) -> Mapping[str, Kind]:
    def kind(parameter: Parameter) -> Kind:
        if parameter.choices:
            return Choice(parameter.choices)
        number = _NUMBERS[parameter.number]
        return Many(number) if parameter.many else number

    return {parameter.name: kind(parameter) for parameter in parameters.declared}


def _cells(cells: Mapping[str, Cell]) -> Mapping[str, Cells]:
    kinds = {"int": Simple.WHOLE, "float": Simple.DECIMAL}
    return {name: Cells(kinds[cell.kind], cell.count) for name, cell in cells.items()}


# ---- settings


def _setting(parts: Parts, name: str) -> object:
    node = parts.settings.get(name)
    return node.value.value if node is not None and isinstance(node.value, ast.Constant) else None


def _timeframe(parts: Parts, parameters: Parameters) -> str | None:
    node, given = parts.settings.get("timeframe"), _setting(parts, "timeframe")
    if "timeframe" in parameters.names:
        return _chosen_timeframe(parts, parameters.declared[parameters.names.index("timeframe")])
    if node is None:
        return None
    try:
        timeframe_ns(str(given))
    except ValueError:
        parts.source.refuse(node, f"timeframe is {given!r}; write it as '5m', '4h', '1d' or '1w'")
    return str(given)


def _chosen_timeframe(parts: Parts, parameter: Parameter) -> str:
    """Return the default of the parameter that names the bars to decide on."""
    node = parts.parameters["timeframe"]
    if "timeframe" in parts.settings:
        parts.source.refuse(node, "timeframe stands at the top of the file and in Params; keep one of the two")
    if not parameter.choices or not all(is_timeframe(name) for name in parameter.choices):
        text = (
            "the parameter timeframe names the bars to decide on; declare it as timeframe: Literal['1h', '1d'] = '1d'"
        )
        parts.source.refuse(node, text)
    return str(parameter.default)


def _wake(parts: Parts) -> Wake:
    """Return the most that the strategy may sleep."""
    if "wake" in parts.ordinary:
        return "fills"
    node, given = parts.settings.get("wake"), _setting(parts, "wake")
    if node is not None and given not in ("bars", "fills"):
        parts.source.refuse(node, f"wake is {given!r}; write 'bars' or 'fills'")
    return "fills" if given == "fills" else "bars"


def _warmup(parts: Parts) -> int | None:
    node, given = parts.settings.get("warmup"), _setting(parts, "warmup")
    if node is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= 10**9:
        parts.source.refuse(node, f"warmup is {given!r}; write the number of bars, a whole number, 1 or more")
    return given


def _refuse_indicators(parts: Parts, uses: Uses) -> None:
    """Raise the Mistake when a strategy that wakes for fills wants what is worked out at every bar."""
    wake = "wake(p)" if "wake" in parts.ordinary else "wake = 'fills'"
    own = parts.settings.get("timeframe") or parts.parameters.get("timeframe")
    if own is not None:
        text = "a strategy that wakes for fills has no timeframe of its own; take away timeframe, or wake"
        parts.source.refuse(own, text)
    if uses.frames:
        text = f"a strategy that wakes for fills has no other timeframe; take timeframe=... away, or {wake}"
        raise Mistake(parts.source.path, uses.frames[0].line, text)
    if uses.indicators:
        use = uses.indicators[0]
        text = f"a strategy that wakes for fills has no indicators, and {use.word} is one; take away {wake}"
        raise Mistake(parts.source.path, use.line, text)
