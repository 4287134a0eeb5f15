"""Values as plain data, for questions and answers; the kernel and the grader both use this module.

Numbers, texts, booleans, None and lists stand for themselves. Everything else is a dictionary with one of these keys,
so that no value of a notebook can be mistaken for another:

| key | value |
|---|---|
| `float` | a number that JSON cannot represent, by its name |
| `array` | with `dtype` and `shape`: the elements or, if there are many, their bytes in base64 |
| `dict`, `tuple`, `set` | pairs, or members |
| `frame`, `series` | a pandas table: columns with name, type and values, and the `index` in the same form |
| `time` | a point in time, in ISO format |
| `object` | the name of a type, with the requested `attributes` |
| `opaque` | the name of a type whose values cannot be sent |
| `code` | source code, with the values `given` to it and the `expression` to evaluate; only sent to the kernel |
"""

from __future__ import annotations

import base64
import contextlib
import functools
import math
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

TIME_LIMIT = "TimeLimit"
"""The name of the error if a question took too long."""

MAX_BYTES = 2_400_000
"""Maximum number of bytes in the arrays of one value; in base64 they fit into one message."""

MAX_ITEMS = 20_000
"""Maximum number of members of lists, dictionaries and table columns in one value."""

MAX_TEXT = 10_000
MAX_DEPTH = 8
MANY = 64
"""Number of elements from which on an array is sent as bytes."""


class CodeValue(types.SimpleNamespace):
    """A value given as code: the `source`, the values `given` to it by name, and the `expression` that evaluates to the
    value. It has no methods, because a notebook can find every class of its process."""


Run = Callable[[dict[str, Any]], Any]
"""Creates a value from the data of code."""


def encode(value: Any, attributes: tuple[str, ...] = (), left: list[int] | None = None, depth: int = 0) -> Any:
    """Encode a value as plain data.

    Args:
        value: any value.
        attributes: the attributes to send of objects that cannot be sent in another form.
        left: how many bytes and members may still be sent.
        depth: the depth at which the value is nested in another one.

    Returns:
        Plain data; a value that is too large, too deep or of an unknown type becomes `opaque`.
    """
    if left is None:
        left = [MAX_BYTES, MAX_ITEMS]
        try:
            return _encode(value, attributes, left, 0)
        except OverflowError:
            return _opaque(value)
    return _encode(value, attributes, left, depth)


def _encode(value: Any, attributes: tuple[str, ...], left: list[int], depth: int) -> Any:
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        value = value.item()
    kind = type(value)
    if value is None or kind in (bool, int):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, str):
        return str(value)[:MAX_TEXT]
    if depth > MAX_DEPTH:
        return _opaque(value)
    if kind is CodeValue:
        given = {name: encode(each, (), left, depth + 1) for name, each in value.given.items()}
        return {"code": value.source, "given": given, "expression": value.expression}
    for encoder in (_encode_members, _encode_table, _encode_array):
        if (data := encoder(value, attributes, left, depth)) is not None:
            return data
    if attributes:
        found = dict(_find_attributes(value, attributes))
        own = {name: encode(each, (), left, depth + 1) for name, each in found.items()}
        return {"object": kind.__name__[:200], "attributes": own}
    return _opaque(value)


def _find_attributes(value: Any, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Yield the attributes that exist; a name such as `a.b` means an attribute of an attribute."""
    for name in names:
        with contextlib.suppress(AttributeError):
            yield name, functools.reduce(getattr, name.split("."), value)


def _opaque(value: Any) -> dict[str, str]:
    return {"opaque": type(value).__name__[:200]}


def _encode_members(value: Any, attributes: tuple[str, ...], left: list[int], depth: int) -> Any:
    if isinstance(value, dict):
        pairs = list(dict.items(value))
        _spend(left, 0, len(pairs))
        return {"dict": [[encode(each, attributes, left, depth + 1) for each in pair] for pair in pairs]}
    if not isinstance(value, (list, tuple, set, frozenset)):
        return None
    _spend(left, 0, len(value))
    members = [encode(each, attributes, left, depth + 1) for each in value]
    if isinstance(value, list):
        return members
    return {"tuple" if isinstance(value, tuple) else "set": members}


def _encode_table(value: Any, attributes: tuple[str, ...], left: list[int], depth: int) -> Any:
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        columns = [_encode_column(value.iloc[:, place], left, depth) for place in range(value.shape[1])]
        return {"frame": columns, "index": _encode_column(value.index, left, depth)}
    if isinstance(value, pd.Series):
        return {"series": _encode_column(value, left, depth), "index": _encode_column(value.index, left, depth)}
    if isinstance(value, pd.Index):
        return encode(value.to_numpy(), attributes, left, depth)
    if isinstance(value, (pd.Timestamp, np.datetime64)):
        return None if pd.isna(value) else {"time": pd.Timestamp(value).isoformat()}
    if value is pd.NaT or value is pd.NA:
        return {"float": "nan"}
    return None


def _encode_column(column: Any, left: list[int], depth: int) -> dict[str, Any]:
    """Encode a column of a table, or its index."""
    dtype = str(column.dtype)[:100]
    name = encode(column.name, (), left, depth + 1)
    if (names := getattr(column, "names", None)) is not None:
        values = encode(column.tolist(), (), left, depth + 1)
        return {"name": name, "names": encode(list(names), (), left, depth + 1), "dtype": dtype, "values": values}
    if getattr(column.dtype, "kind", "O") in "biuf" and isinstance(column.dtype, np.dtype):
        return {"name": name, "dtype": dtype, "values": encode(column.to_numpy(), (), left, depth + 1)}
    return {"name": name, "dtype": dtype, "values": encode(column.tolist(), (), left, depth + 1)}


def _encode_array(value: Any, attributes: tuple[str, ...], left: list[int], depth: int) -> Any:
    if not hasattr(type(value), "__array__"):
        return None
    array = np.asarray(value)
    if array.dtype.kind in "OUS":
        members = encode(array.reshape(-1).tolist(), (), left, depth + 1)
        return {"array": members, "dtype": "object", "shape": list(array.shape)}
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        return None
    _spend(left, array.nbytes, 0)
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    is_plain = array.size <= MANY and (array.dtype.kind != "f" or bool(np.isfinite(array).all()))
    content: Any = array.reshape(-1).tolist() if is_plain else base64.b64encode(array.tobytes()).decode("ascii")
    return {"array": content, "dtype": array.dtype.name, "shape": list(array.shape)}


def _spend(left: list[int], size: int, members: int) -> None:
    left[0] -= size
    left[1] -= members
    if min(left) < 0:
        raise OverflowError("the value is too large to be sent")


def decode(data: Any, run: Run | None = None) -> Any:
    """Create a value from its plain data; `opaque` data become an object with the attribute `opaque`.

    Args:
        data: the result of `encode`, which may have been forged.
        run: creates the values that are given as code; without it, code is refused.

    Raises:
        ValueError, TypeError, KeyError and others: the data do not have the declared form.
    """
    if isinstance(data, list):
        return [decode(each, run) for each in data]
    if not isinstance(data, dict):
        return data
    if "code" in data and run is not None:
        return run(data)
    (kind, decoder), *_ = [(key, decoder) for key, decoder in DECODERS.items() if key in data]
    return decoder(data, data[kind], run)


def _decode_array(data: dict[str, Any], content: Any, run: Run | None) -> Any:
    shape = [int(size) for size in data["shape"]]
    if data["dtype"] == "object":
        array = np.empty(len(content), dtype=object)
        array[:] = decode(content)
        return array.reshape(shape)
    dtype = np.dtype(str(data["dtype"]))
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise ValueError(f"arrays of {dtype} are not sent")
    if isinstance(content, str):
        return np.frombuffer(base64.b64decode(content), dtype.newbyteorder("<")).astype(dtype).reshape(shape)
    return np.array(content, dtype=dtype).reshape(shape)


def _decode_frame(data: dict[str, Any], columns: Any, run: Run | None) -> Any:
    import pandas as pd

    index = _decode_index(data["index"])
    named = [pd.Series(decode(each["values"]), index, dtype=str(each["dtype"])) for each in columns]
    frame = pd.DataFrame(dict(enumerate(named)), index=index)
    frame.columns = pd.Index([decode(each["name"]) for each in columns])
    return frame


def _decode_series(data: dict[str, Any], column: Any, run: Run | None) -> Any:
    import pandas as pd

    values, name = decode(column["values"]), decode(column["name"])
    return pd.Series(values, _decode_index(data["index"]), dtype=str(column["dtype"]), name=name)


def _decode_index(column: Any) -> Any:
    import pandas as pd

    values, name = decode(column["values"]), decode(column["name"])
    if isinstance(values, list) and values and all(isinstance(each, tuple) for each in values):
        return pd.MultiIndex.from_tuples(values, names=decode(column["names"]))
    return pd.Index(values, dtype=str(column["dtype"]), name=name)


def _decode_time(data: Any, text: Any, run: Run | None) -> Any:
    import pandas as pd

    return pd.Timestamp(str(text))


def _decode_object(data: Any, name: Any, run: Any) -> types.SimpleNamespace:
    made = types.SimpleNamespace()
    for path, value in data["attributes"].items():
        *outer, last = str(path).split(".")
        place = made
        for part in outer:
            place = vars(place).setdefault(part, types.SimpleNamespace())
        setattr(place, last, decode(value))
    return made


DECODERS: dict[str, Any] = {
    "float": lambda data, name, run: float({"nan": "nan", "inf": "inf", "-inf": "-inf"}[name]),
    "array": _decode_array,
    "dict": lambda data, pairs, run: {decode(name, run): decode(value, run) for name, value in pairs},
    "tuple": lambda data, members, run: tuple(decode(members, run)),
    "set": lambda data, members, run: set(decode(members, run)),
    "frame": _decode_frame,
    "series": _decode_series,
    "time": _decode_time,
    "object": _decode_object,
    "opaque": lambda data, name, run: types.SimpleNamespace(opaque=str(name)[:200]),
}
"""The functions that create a value from its data, by the key of the data."""
