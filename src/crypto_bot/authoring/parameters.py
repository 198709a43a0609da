"""An author's class Params: what may be given for each parameter, as text or as numbers, and what comes of it."""

import ast
import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from numbers import Real
from typing import NoReturn, TypeAlias, cast

from crypto_bot.authoring.kinds import either
from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.refusals import did_you_mean, listed
from crypto_bot.authoring.source import Source
from crypto_bot.authoring.watching import watched

Number: TypeAlias = int | float | bool
Value: TypeAlias = Number | str | tuple[int, ...] | tuple[float, ...]
ParameterSet: TypeAlias = tuple[Value, ...]
"""An instance of an author's Params."""

Given: TypeAlias = str | Number | Decimal | Sequence[str | Number | Decimal]
"""What a command line, a configuration, a sweep or a script may give for a parameter."""


class Configured(str):
    """Text that stood under [strategy.NAME] of the configuration: a mistake in it names that section."""

    __slots__ = ()


LARGEST = 2**53
"""Beyond it a decimal number no longer holds every whole number: parameters travel as decimals."""

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_CALLED = {int: "a whole number", float: "a number", bool: "True or False"}
_TYPES = {"int": int, "float": float, "bool": bool}


@dataclass(frozen=True)
class Parameter:
    """One parameter: the type of its number, or of the numbers of its tuple (`many`), and its default.

    With `choices` it is one of these names, and `number` is the type of its place among them.
    """

    name: str
    number: type[int] | type[float] | type[bool]
    many: bool
    default: Value
    choices: tuple[str, ...] = ()

    def read(self, given: Given) -> Value:
        """Return the value in the parameter's own type; ValueError with a sentence when it is none."""
        if self.choices:
            return self._chosen(given)
        if not self.many:
            if isinstance(given, Sequence) and not isinstance(given, str):
                raise ValueError(f"{self.name} must be {_CALLED[self.number]}, not {_shown(given)}")
            return self._number(given, given)
        items: Sequence[str | Number | Decimal]
        if isinstance(given, str):
            inner = given.strip().removeprefix("(").removesuffix(")").strip().removesuffix(",")
            items = inner.split(",") if inner else []
        else:
            items = given if isinstance(given, Sequence) else (given,)
        if not items:
            raise ValueError(f"{self.name} must hold at least one number, as in {self.name}=5,10,20")
        return cast(Value, tuple(self._number(item, given) for item in items))

    def flat(self, value: Value) -> tuple[Number, ...]:
        """Return a value of this parameter as numbers: those of a tuple, and of a name its place."""
        if isinstance(value, str):
            return (self.choices.index(value),)
        return value if isinstance(value, tuple) else (value,)

    def _chosen(self, given: Given) -> str:
        name = given.strip() if isinstance(given, str) else ""
        if name not in self.choices:
            near = did_you_mean(name, self.choices)
            raise ValueError(f"{self.name} must be {either(self.choices)}, not {_shown(given)}{near}")
        return name

    def _number(self, item: Given, given: Given) -> Number:
        """Convert one number; `given` is the whole of what was given, for the sentence."""
        wrong = ValueError(f"{self.name} must be {self._called}, not {_shown(given)}")
        if self.number is bool:
            word = str(item).strip().lower()
            if word not in (*_TRUE, *_FALSE, "1.0", "0.0"):
                raise wrong
            return word in (*_TRUE, "1.0")
        if isinstance(item, bool) or not isinstance(item, str | Real | Decimal):
            raise wrong
        try:
            number = Decimal(item.strip()) if isinstance(item, str) else Decimal(str(item))
        except InvalidOperation:
            raise wrong from None
        if not number.is_finite() or abs(number) > LARGEST:
            raise ValueError(f"{self.name} is {_shown(given)}; a parameter lies between -2**53 and 2**53")
        if self.number is float:
            return float(number)
        if number != number.to_integral_value():
            raise wrong
        return int(number)

    @property
    def _called(self) -> str:
        if not self.many:
            return _CALLED[self.number]
        return "whole numbers, as in 5,10,20" if self.number is int else "numbers, as in 0.5,1,2"


def _shown(given: object) -> str:
    text = given.strip() if isinstance(given, str) else str(given)
    text = text if len(text) <= 40 else f"{text[:40]}..."
    return text if text and text.isprintable() else repr(text)


@dataclass(frozen=True)
class Parameters:
    """All parameters of one strategy, in the order of its class Params."""

    source: Source
    params: type[ParameterSet]
    declared: tuple[Parameter, ...]
    check: Callable[[ParameterSet], object] | None

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(parameter.name for parameter in self.declared)

    @property
    def defaults(self) -> ParameterSet:
        """The set that an author gets who gives nothing; check(p) is not asked."""
        return self._make({})

    def read(self, given: Mapping[str, Given]) -> ParameterSet:
        """Return the author's Params with these values, each in its own type, and the defaults for the rest.

        Raises Mistake for a name that is none, a value that does not fit, and whatever check(p) refuses.
        """
        declared = {parameter.name: parameter for parameter in self.declared}
        for name in given:
            if name not in declared:
                known = f"there are {listed(declared)}" if declared else "there are none"
                self._refuse(f"there is no parameter {name}; {known}{did_you_mean(name, declared)}", given[name])
        values = {}
        for name, value in given.items():
            try:
                values[name] = declared[name].read(value)
            except ValueError as error:
                self._refuse(str(error), value)
        chosen = self._make(values)
        self._ask(chosen, given)
        return chosen

    def flat(self, chosen: ParameterSet) -> tuple[Number, ...]:
        """Return a set as the kernel takes it: one number after the other."""
        pairs = zip(self.declared, chosen, strict=True)
        return tuple(number for parameter, value in pairs for number in parameter.flat(value))

    def _make(self, values: Mapping[str, Value]) -> ParameterSet:
        make = cast(Callable[..., ParameterSet], self.params)
        return make(*(values.get(parameter.name, parameter.default) for parameter in self.declared))

    def _ask(self, chosen: ParameterSet, given: Mapping[str, Given]) -> None:
        """Run the author's check(p): it refuses by assert, by an error, or by returning False.

        The author's sentence says what is allowed; what the parameters are that it names is added.
        """
        if self.check is None:
            return
        if watched(self.source, partial(self._checked, chosen, given), doing="check(p)") is False:
            self._refuse("check(p) refuses these parameters")

    def _checked(self, chosen: ParameterSet, given: Mapping[str, Given]) -> object:
        try:
            return self.check(chosen) if self.check is not None else None
        except (AssertionError, ValueError) as error:
            text = str(error)
            if text:
                named = [name for name in self.names if re.search(rf"\b{name}\b", text)]
                blamed = [given[name] for name in named if name in given]
                self._refuse(f"{text}{self._told(named, chosen)}", *blamed)
            raise self.source.blame(error, "check(p) refuses these parameters") from None

    def _told(self, named: Sequence[str], chosen: ParameterSet) -> str:
        """Say what parameters are: `; fast is 200, slow is 100`."""
        values = dict(zip(self.names, chosen, strict=True))
        told = (
            f"{name} is {value:.15g}" if isinstance(value := values[name], float) else f"{name} is {value}"
            for name in named
        )
        return f"; {', '.join(told)}" if named else ""

    def _refuse(self, text: str, *blamed: Given) -> NoReturn:
        """Refuse in the name of the file, or of the section of the configuration when that gave all that is blamed."""
        configured = bool(blamed) and all(isinstance(value, Configured) for value in blamed)
        raise Mistake(self.source.path, 0, text, f"[strategy.{self.source.path.stem}]" if configured else "")


def choices_of(annotation: ast.expr) -> tuple[str, ...]:
    """Return the names that `Literal["one", "two"]` leaves to choose from; none for any other declaration."""
    match annotation:
        case ast.Subscript(value=ast.Name(id="Literal"), slice=ast.Tuple(elts=named)):
            pass
        case ast.Subscript(value=ast.Name(id="Literal"), slice=single):
            named = [single]
        case _:
            return ()
    names = tuple(each.value for each in named if isinstance(each, ast.Constant) and isinstance(each.value, str))
    return names if len(names) == len(named) == len(set(names)) and all(names) else ()


def parameters_of(source: Source, declared: Mapping[str, ast.AnnAssign], namespace: Mapping[str, object]) -> Parameters:
    """Return the parameters that the module's class Params declares; Mistake for a default of another type."""
    found = []
    made = namespace.get("Params")
    defaults = cast(Mapping[str, object], getattr(made, "_field_defaults", {}))
    for name, node in declared.items():
        choices = choices_of(node.annotation)
        if choices:
            found.append(Parameter(name, int, False, cast(str, defaults[name]), choices))
            continue
        declaration = ast.unparse(node.annotation)
        many = declaration.startswith("tuple")
        kind = _TYPES[declaration.removeprefix("tuple[").removesuffix(", ...]")]
        value = defaults[name]
        if isinstance(value, tuple) != many:
            shape = "a tuple of numbers" if many else "one number"
            source.refuse(node, f"parameter {name} is declared {declaration}, so its default must be {shape}")
        try:
            default = Parameter(name, kind, many, 0).read(cast(Given, value))
        except ValueError as error:
            source.refuse(node, f"the default does not fit the declaration: {error}")
        found.append(Parameter(name, kind, many, default))
    check = namespace.get("check")
    return Parameters(
        source,
        cast(type[ParameterSet], made or namedtuple("Params", ())),
        tuple(found),
        cast("Callable[[ParameterSet], object]", check) if callable(check) else None,
    )
