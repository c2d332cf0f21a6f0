"""Tools of the user's own: typed Python functions with a docstring.

    @tool
    def weather(city: str, days: int = 1) -> str:
        "Tell the weather of a city."

The docstring is the tool's description and the annotations become its schema;
arguments are converted to the annotated types before the call. A plain function
runs in a thread, so that it may block; an `async def` runs in the run's own loop.
A generator streams: each piece of text is a live delta, and the pieces together
are the output. pydantic, which converts the arguments, is imported only when a
function is decorated.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints, overload

from ..jsontext import Written
from ..processes.threads import blocking, pieces_of
from ..tool_protocol import Tool, ToolContext, ToolError, ToolReturn
from .exact_json import validated

if TYPE_CHECKING:
    from pydantic import BaseModel


@overload
def tool(function: Callable[..., Any]) -> FunctionTool: ...


@overload
def tool(*, read_only: bool) -> Callable[[Callable[..., Any]], FunctionTool]: ...


def tool(function: Callable[..., Any] | None = None, *, read_only: bool = False) -> Any:
    """Make a typed function a tool for `SessionOptions.tools`; it stays callable.

    The function's name and docstring are the tool's; a text in `Annotated[...]`
    describes an argument. A `ToolError` that it raises, or any other exception,
    is reported to the model as the call's failure. `read_only` promises that the
    function changes nothing and sends nothing: a plug-in's tool is then offered with
    `--read-only` and `--network off`, too.

    Raises TypeError if an argument has no annotation or cannot be passed by name.
    """
    if function is None:
        return partial(FunctionTool, read_only=read_only)
    return FunctionTool(function, read_only=read_only)


class FunctionTool(Tool):
    """A function as a tool, named after the function. Made by `tool`."""

    #: The user added it for the model to use.
    harmless = True

    def __init__(self, function: Callable[..., Any], *, read_only: bool = False) -> None:
        self.function = function
        self.opaque = not read_only  # type: ignore[misc]
        self.__doc__ = function.__doc__
        self._model = _arguments_model(function)
        schema = self._model.model_json_schema()
        # A title only repeats the name, in every request.
        for described in (schema, *schema.get("properties", {}).values()):
            described.pop("title", None)
        # Class variables of a built-in tool, but each function has its own.
        self.name = function.__name__  # type: ignore[misc]
        self.description = inspect.getdoc(function) or function.__name__  # type: ignore[misc]
        self.parameters = schema  # type: ignore[misc]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself."""
        return self.function(*args, **kwargs)

    def problems(self, arguments: dict[str, Any]) -> list[str]:
        """Return what in the arguments does not fit the annotations."""
        from pydantic import ValidationError

        try:
            self._read(arguments)
        except ValidationError as error:
            return [_problem(one["loc"], one["msg"]) for one in error.errors(include_url=False)]
        return []

    def _read(self, arguments: dict[str, Any]) -> BaseModel:
        """Return the arguments as the annotated types. Raises pydantic's ValidationError."""
        text = arguments.text if isinstance(arguments, Written) else ""
        model: BaseModel = validated(self._model.model_validate_json, arguments, text)
        return model

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        """Call the function, stream what it yields, and return what it returns."""
        model = self._read(arguments)
        given = {
            field.alias or name: getattr(model, name)
            for name, field in type(model).model_fields.items()
        }
        try:
            return await self._call(given, context)
        except ToolError:
            raise
        except (Exception, SystemExit) as error:  # SystemExit would end the loop, and the host
            raise ToolError(f"{type(error).__name__}: {error}") from error

    async def _call(self, given: dict[str, Any], context: ToolContext) -> ToolReturn:
        function = self.function

        async def show(piece: Any) -> None:
            context.output(_text(piece))
            await context.drain()

        if inspect.isasyncgenfunction(function):
            async with aclosing(function(**given)) as pieces:
                async for piece in pieces:
                    await show(piece)
            return ToolReturn(None)
        if inspect.isgeneratorfunction(function):
            await pieces_of(function(**given), show)
            return ToolReturn(None)
        if inspect.iscoroutinefunction(function):
            return ToolReturn(_text(await function(**given)))
        returned = await blocking(partial(function, **given))
        return ToolReturn(_text(await returned if inspect.isawaitable(returned) else returned))


def _arguments_model(function: Callable[..., Any]) -> type[BaseModel]:
    """Return a pydantic model of a function's arguments."""
    from pydantic import ConfigDict, Field, create_model

    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    parameters = inspect.signature(function).parameters
    for number, (name, parameter) in enumerate(parameters.items()):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"{function.__name__}: a tool cannot take *{name}: name each argument")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise TypeError(
                f"{function.__name__}: a tool cannot take the positional-only argument {name}"
            )
        if name not in hints:
            raise TypeError(f"{function.__name__}: the argument {name} needs a type annotation")
        annotation = hints[name]
        default = ... if parameter.default is parameter.empty else parameter.default
        words = [one for one in _metadata(annotation) if isinstance(one, str)]
        # Under names of our own: pydantic reserves some (`json`, `copy`, `_x`).
        field = Field(default, alias=name, description=words[0] if words else None)
        fields[f"argument_{number}"] = (annotation, field)
    return create_model(function.__name__, __config__=ConfigDict(extra="forbid"), **fields)


def _metadata(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()


def _problem(place: tuple[int | str, ...], message: str) -> str:
    path = ".".join(map(str, place))
    return f"{path}: {message}" if path else message


def _text(value: Any) -> str:
    """Return a function's value as the model reads it: text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    from pydantic_core import to_json

    return to_json(value, fallback=str).decode()
