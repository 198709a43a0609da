"""Compile a tree of functions as one piece: optimised together, turned into machine code once.

numba optimises every function by itself, makes machine code of it, and optimises it again inside each of
its callers: a chain of ten inlined functions is paid for ten times. Here the functions below an entry point,
its parts, are only lowered to LLVM's language; the entry point links them, hides them, and is optimised as a
whole. Entry points that call one another are not copied into each other: the call stays a call, by a name
that is the same in every process, so that each can be kept on disk by itself.

Uses numba's own way to customise a compiler (a pipeline with other passes) and, of the inside of its code
libraries, what `PartLibrary`, `WholeLibrary` and `entry` name.
"""

from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import llvmlite.binding as llvm
from llvmlite import ir
from numba import _dynfunc, types
from numba.core import cgutils, sigutils, typing
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import NativeLowering
from numba.extending import intrinsic as untyped_intrinsic

intrinsic: Callable[[Callable[..., Any]], Any] = untyped_intrinsic
"""Makes a function of the compiler's own language callable from compiled code; numba has no types."""

_ENTRIES: WeakSet[Any] = WeakSet()
_ROUNDS = 2
"""Times that LLVM goes over an entry point: the second one simplifies what the first has inlined."""


class PartLibrary(JITCodeLibrary):  # type: ignore[misc] # numba has no types
    """The module of one part: never optimised, never machine code."""

    def finalize(self) -> None:
        """Leave the module as it is, for an entry point to link."""
        self._raise_if_finalized()
        self._finalize_dynamic_globals()
        self._finalized = True


class LinkedLibrary(JITCodeLibrary):  # type: ignore[misc] # numba has no types
    """The module of a function and of every part below it."""

    def add_linking_library(self, library: Any) -> None:
        """Link a library and, of a part, everything that it calls; another entry point is not linked."""
        if library in self._linking_libraries or library in _ENTRIES:
            return
        super().add_linking_library(library)
        if isinstance(library, PartLibrary):
            for below in library._linking_libraries:
                self.add_linking_library(below)


class WholeLibrary(LinkedLibrary):
    """The module of an entry point: optimised as a whole, twice."""

    def _optimize_final_module(self) -> None:
        self._hide_parts()
        for _ in range(_ROUNDS):
            passes, builder = self._codegen._module_pass_manager()
            passes.run(self._final_module, builder)

    def _hide_parts(self) -> None:
        for function in self._final_module.functions:
            if function.linkage == llvm.Linkage.linkonce_odr:
                function.linkage = "internal"


class ColdLibrary(WholeLibrary):
    """The module of an entry point that few runs need: optimised for little time of the compiler."""

    def _optimize_final_module(self) -> None:
        self._hide_parts()
        passes, builder = self._codegen._module_pass_manager(opt=1, loop_vectorize=False, slp_vectorize=False)
        passes.run(self._final_module, builder)


@register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(NativeLowering):  # type: ignore[misc] # numba has no types
    _name = "part_lowering"

    def run_pass(self, state: Any) -> bool:
        """Lower a part; what Python would call is an empty shell, by which callers know it."""
        state.library = PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        description = lowered.fndesc
        shell = _dynfunc.make_function(
            description.lookup_module(), description.qualname, "", 0, lowered.env, (state.library,)
        )
        state.targetctx.insert_user_function(shell, description, [state.library])
        state["cr"] = lowered._replace(cfunc=shell)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _LinkedLowering(NativeLowering):  # type: ignore[misc] # numba has no types
    _name = "linked_lowering"

    def run_pass(self, state: Any) -> bool:
        """Lower a function that is optimised with its parts before it is put into its callers."""
        state.library = LinkedLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        return bool(super().run_pass(state))


@register_pass(mutates_CFG=True, analysis_only=False)
class _WholeLowering(NativeLowering):  # type: ignore[misc] # numba has no types
    _name = "whole_lowering"
    library = WholeLibrary

    def run_pass(self, state: Any) -> bool:
        """Lower an entry point under a name without the counter that numba adds."""
        identity = state.func_ir.func_id
        identity.unique_id = 0
        identity.unique_name = identity.func_qualname
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return bool(super().run_pass(state))


@register_pass(mutates_CFG=True, analysis_only=False)
class _ColdLowering(_WholeLowering):
    _name = "cold_lowering"
    library = ColdLibrary


class _Compiler(CompilerBase):  # type: ignore[misc] # numba has no types
    """numba's own passes, with another `lowering` than its own."""

    lowering: type[NativeLowering]

    def define_pipelines(self) -> list[PassManager]:
        """Return the usual passes with that one in its place."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [(self.lowering if kind is NativeLowering else kind, text) for kind, text in passes.passes]
        passes._finalized = False
        passes.finalize()
        return [passes]


class Part(_Compiler):
    """How a part is compiled."""

    lowering = _PartLowering


class Linked(_Compiler):
    """How a function is compiled that is a whole before it is a part."""

    lowering = _LinkedLowering


class Whole(_Compiler):
    """How an entry point is compiled."""

    lowering = _WholeLowering


class Cold(_Compiler):
    """How an entry point is compiled that few runs need."""

    lowering = _ColdLowering


def part(dispatcher: Any) -> Any:
    """Let a part be compiled once for integers of every value, not once more for each constant; return it."""
    compile_for: Callable[..., Any] = dispatcher.compile

    def compile_wide(signature: Any) -> Any:
        arguments, returned = sigutils.normalize_signature(signature)
        arguments = tuple(types.unliteral(argument) for argument in arguments)
        return compile_for(arguments if returned is None else typing.signature(returned, *arguments))

    dispatcher.compile = compile_wide
    return dispatcher


def entry(dispatcher: Any) -> Any:
    """Note a compiled entry point, so that others call it and do not copy it; return it.

    Its module for linking, which was read from the disk with the machine code, is given back: nobody links it.
    """
    for overload in dispatcher.overloads.values():
        _ENTRIES.add(overload.library)
        overload.library._shared_module = None
    return dispatcher


def references(kind: Any) -> tuple[Any, Any]:
    """Return two functions for compiled code: one lends a value of this type as an address, one borrows it from there.

    The value lies on the stack of the function that lends it, and must not be borrowed after that has returned.
    """

    @intrinsic
    def lend(typing_context: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = cgutils.alloca_once_value(builder, arguments[0])
            return builder.ptrtoint(place, context.get_value_type(types.int64))

        return types.int64(kind), generate

    @intrinsic
    def borrow(typing_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.load(builder.inttoptr(arguments[0], context.get_value_type(kind).as_pointer()))

        return kind(types.int64), generate

    return lend, borrow


@intrinsic
def hasten(typing_context: Any, array: Any, place: Any) -> Any:
    """Ask for an element of an array to be brought near, for it is needed soon; a place outside does no harm."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        shown = context.make_array(kind)(context, builder, arguments[0])
        indices = cgutils.unpack_tuple(builder, arguments[1], kind.ndim)
        address = builder.bitcast(
            cgutils.get_item_pointer(context, builder, kind, shown, indices, wraparound=False), cgutils.voidptr_t
        )
        whole = ir.IntType(32)
        prefetch = builder.module.declare_intrinsic(
            "llvm.prefetch",
            [cgutils.voidptr_t],
            ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, whole, whole, whole]),
        )
        # To be read (0), and kept in every cache (3), as data (1).
        builder.call(prefetch, [address, whole(0), whole(3), whole(1)])
        return context.get_dummy_value()

    return types.void(array, place), generate
