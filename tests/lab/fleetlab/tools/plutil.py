"""plutil: lint, convert, extract and print property lists, XML, binary or JSON."""

import base64
import datetime
import json
import plistlib
import sys

from . import getopt
from .registry import served

_USAGE = "Usage: plutil [command_option] [other_options] file..."


class PlistError(ValueError):
    """A file that is no property list."""


def _read(path):
    try:
        if path == "-":
            return sys.stdin.buffer.read()
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise FileNotFoundError(path) from error


def parse(data, allow_json=True):
    """Returns the value of a property list in any form that plutil takes."""
    head = data.lstrip()[:1]
    if data.startswith(b"bplist00") or head == b"<":
        try:
            return plistlib.loads(data)
        except Exception as error:  # plistlib raises whatever its parser meets
            line = data.count(b"\n", 0, len(data)) + 1
            raise PlistError(f"Encountered unexpected EOF on line {line} while looking for close tag: {error}") from error
    if allow_json and head in (b"{", b"["):
        try:
            return json.loads(data)
        except ValueError as error:
            raise PlistError(f"JSON text did not parse: {error}") from error
    shown = data.lstrip()[:1].decode(errors="replace") or "EOF"
    raise PlistError(f"Unexpected character {shown} at line 1")


def _plain(value):
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, (bytes, datetime.datetime)):
        raise PlistError("Invalid object in plist for destination format")
    return value


def _without_null(value):
    if value is None:
        raise PlistError("Invalid object in plist for destination format")
    if isinstance(value, dict):
        return {key: _without_null(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_null(item) for item in value]
    return value


def render(value, form, readable=False):
    """Returns bytes of the value in one of plutil's forms."""
    if form == "json":
        separators = None if readable else (",", ":")
        text = json.dumps(_plain(value), indent=2 if readable else None, separators=separators, sort_keys=readable,
                          ensure_ascii=False)
        return text.replace("/", "\\/").encode()
    if form == "binary1":
        return plistlib.dumps(_without_null(value), fmt=plistlib.FMT_BINARY)
    return plistlib.dumps(_without_null(value), sort_keys=True)


def _find(value, key_path):
    for part in key_path.split("."):
        if isinstance(value, list):
            value = value[int(part)]
        elif isinstance(value, dict):
            value = value[part]
        else:
            raise KeyError(key_path)
    return value


def _raw(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return "\n".join(value) if isinstance(value, dict) else str(len(value))
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, float):
        return f"{value:f}"
    return str(value)


def _debug(value, depth=0):
    pad = "  " * (depth + 1)
    if isinstance(value, dict):
        inner = "".join(f'{pad}"{key}" => {_debug(value[key], depth + 1)}\n' for key in sorted(value))
        return "{\n" + inner + "  " * depth + "}"
    if isinstance(value, list):
        inner = "".join(f"{pad}{index} => {_debug(item, depth + 1)}\n" for index, item in enumerate(value))
        return "[\n" + inner + "  " * depth + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _missing(path):
    return (
        f"{path}: file does not exist or is not readable or is not a regular file (Error Domain=NSCocoaErrorDomain"
        f' Code=260 "The file “{path}” couldn’t be opened because there is no such file.")'
    )


def _options(words):
    """Splits -s, -r, -n, -o PATH, -e EXT from file names."""
    options, files = {}, []
    index = 0
    while index < len(words):
        word = words[index]
        if word in ("-s", "-r", "-n"):
            options[word] = True
        elif word in ("-o", "-e"):
            index += 1
            options[word] = words[index] if index < len(words) else None
        elif word == "--":
            files += words[index + 1 :]
            break
        elif word.startswith("-") and word != "-":
            raise getopt.UsageError(f"unrecognized option: {word}")
        else:
            files.append(word)
        index += 1
    return options, files


def _write(data, path, options):
    target = options.get("-o", path)
    if target == "-":
        sys.stdout.buffer.write(data)
        return
    with open(target, "wb") as file:
        file.write(data)


def _lint(words):
    options, files = _options(words)
    if not files:
        print("No files specified.\n" + _USAGE, file=sys.stderr)
        return 1
    code = 0
    for path in files:
        shown = "<stdin>" if path == "-" else path
        try:
            parse(_read(path), allow_json=False)
            if "-s" not in options:
                print(f"{shown}: OK")
        except FileNotFoundError:
            print(_missing(path))
            code = 1
        except PlistError as error:
            print(f"{shown}: {error}")
            code = 1
    return code


def _convert(words):
    if not words or words[0] not in ("xml1", "binary1", "json", "swift", "objc"):
        print("Unknown format specifier: " + (words[0] if words else ""), file=sys.stderr)
        return 1
    options, files = _options(words[1:])
    code = 0
    for path in files:
        try:
            _write(render(parse(_read(path)), words[0], "-r" in options), path, options)
        except FileNotFoundError:
            print(_missing(path), file=sys.stderr)
            code = 1
        except (PlistError, OSError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            code = 1
    return code


def _extract(words):
    if len(words) < 3:
        print(_USAGE, file=sys.stderr)
        return 1
    key, form = words[0], words[1]
    options, files = _options(words[2:])
    code = 0
    for path in files:
        try:
            value = _find(parse(_read(path)), key)
        except FileNotFoundError:
            print(_missing(path), file=sys.stderr)
            code = 1
            continue
        except PlistError as error:
            print(f"{path}: {error}", file=sys.stderr)
            code = 1
            continue
        except (KeyError, IndexError, ValueError):
            print(f"{path}: Could not extract value, error: No value at that key path or invalid key path: {key}",
                  file=sys.stderr)
            code = 1
            continue
        if form == "raw":
            end = "" if "-n" in options else "\n"
            _write((_raw(value) + end).encode(), "-" if "-o" not in options else path, options)
        else:
            _write(render(value, form), path, options)
    return code


@served("/usr/bin/plutil")
def plutil(arguments, _context):
    """Runs one of plutil's commands; without one it lints."""
    words = arguments[1:]
    try:
        if not words:
            print("No files specified.\n" + _USAGE, file=sys.stderr)
            return 1
        if words[0] == "-lint":
            return _lint(words[1:])
        if words[0] == "-convert":
            return _convert(words[1:])
        if words[0] == "-extract":
            return _extract(words[1:])
        if words[0] == "-type" and len(words) == 3:
            value = _find(parse(_read(words[2])), words[1])
            kinds = {bool: "bool", int: "integer", str: "string", dict: "dictionary", list: "array", float: "float"}
            print(kinds.get(type(value), "data"))
            return 0
        if words[0] == "-p" and len(words) > 1:
            print(_debug(parse(_read(words[-1]))))
            return 0
        if words[0].startswith("-") and words[0] not in ("-s", "-"):
            print(f"unrecognized option: {words[0]}\n{_USAGE}", file=sys.stderr)
            return 1
        return _lint(words)
    except FileNotFoundError as error:
        print(_missing(str(error)), file=sys.stderr)
    except (PlistError, KeyError, IndexError, ValueError, getopt.UsageError) as error:
        print(f"{words[-1]}: {error}", file=sys.stderr)
    return 1
