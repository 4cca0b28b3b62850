# JSON for POSIX sh: sourced into, or pasted at the top of, every script of ours that reads or changes a JSON file.
# POSIX awk only (BWK awk, mawk): bytes, no intervals, no gawk functions; and no single quote in the program.
#
#   json_flatten [FILE]      JSON on standard input (or FILE) -> one line a leaf: `/pointer<TAB>raw token`, in the order of
#                            the document. Empty objects and arrays are leaves (`{}`, `[]`). A root scalar has the pointer "".
#   json_merge FILE OPS      FILE with the lines of OPS applied, on standard output, as Python's json.dump(indent=2) writes
#                            it: no newline at the end. Lines: `set<TAB>/pointer<TAB>JSON on one line`, `remove<TAB>/pointer`.
#                            Every other scalar keeps its bytes and every other key its place. A new key comes last in its
#                            object; missing objects on the way are made; what stands in the way and is no object is replaced.
#   json_values FILE POINTERS   the lines of OPS that would give another file what FILE holds at each pointer of POINTERS (one
#                            a line): `set` where it holds something, `remove` where not.
#   json_text                JSON strings, one a line -> their text (UTF-8), one a line.
#   json_get FLAT POINTER    the raw token of a pointer in the output of json_flatten kept in the file FLAT; exit 1: not there.
#
# Pointers are RFC 6901 (`~0` is `~`, `~1` is `/`). Names are compared decoded; an escape that is not printable ASCII, and the
# backslash, stay as JSON writes them, so that a pointer is always one line. Of a repeated name the last value counts, in the
# place of the first, as Python reads it.
#
# Exit status: 0; 65 (EX_DATAERR) malformed JSON or operation, with `json: line N: ...` on standard error. Strict RFC 8259:
# no comments, no trailing commas, no NaN, no raw control characters in strings; nested at most 100 deep.
JSON_AWK='
function bad(what) {
	if (!failed) printf "json: %s%s\n", (where == "" ? "line " lines + 0 ": " : where ": "), what > "/dev/stderr"
	failed = 1
	exit 65
}
function node(kind, token) {
	nodes++
	kinds[nodes] = kind
	tokens[nodes] = token
	counts[nodes] = 0
	return nodes
}
# The name that a raw JSON string is compared by.
function decoded(raw,    body, out, at, c, code) {
	body = substr(raw, 2, length(raw) - 2)
	if (index(body, "\\") == 0) return body
	out = ""
	while ((at = index(body, "\\")) > 0) {
		out = out substr(body, 1, at - 1)
		c = substr(body, at + 1, 1)
		code = 0
		if (c == "u") {
			code = hex(substr(body, at + 2, 4))
			if (code < 32 || code > 126 || code == 92) code = 0
		}
		if (c == "\"" || c == "/") { out = out c; body = substr(body, at + 2) }
		else if (code) { out = out sprintf("%c", code); body = substr(body, at + 6) }
		else if (c == "u") { out = out substr(body, at, 6); body = substr(body, at + 6) }
		else { out = out substr(body, at, 2); body = substr(body, at + 2) }
	}
	return out body
}
function hex(digits,    i, n) {
	n = 0
	for (i = 1; i <= length(digits); i++) n = n * 16 + index("0123456789abcdef", tolower(substr(digits, i, 1))) - 1
	return n
}
function utf8(n) {
	if (n < 128) return sprintf("%c", n)
	if (n < 2048) return sprintf("%c%c", 192 + int(n / 64), 128 + n % 64)
	if (n < 65536) return sprintf("%c%c%c", 224 + int(n / 4096), 128 + int(n / 64) % 64, 128 + n % 64)
	return sprintf("%c%c%c%c", 240 + int(n / 262144), 128 + int(n / 4096) % 64, 128 + int(n / 64) % 64, 128 + n % 64)
}
# The text of a raw JSON string. NUL cannot travel through a shell: it is left out.
function text(raw,    body, out, at, c, code, low) {
	body = substr(raw, 2, length(raw) - 2)
	out = ""
	while ((at = index(body, "\\")) > 0) {
		out = out substr(body, 1, at - 1)
		c = substr(body, at + 1, 1)
		body = substr(body, at + 2)
		if (c == "u") {
			code = hex(substr(body, 1, 4))
			body = substr(body, 5)
			if (code >= 55296 && code < 56320 && substr(body, 1, 2) == "\\u") {
				low = hex(substr(body, 3, 4))
				if (low >= 56320 && low < 57344) {
					code = 65536 + (code - 55296) * 1024 + low - 56320
					body = substr(body, 7)
				}
			}
			if (code) out = out utf8(code)
		}
		else if (c == "b") out = out "\b"
		else if (c == "f") out = out "\f"
		else if (c == "n") out = out "\n"
		else if (c == "r") out = out "\r"
		else if (c == "t") out = out "\t"
		else out = out c
	}
	return out body
}
function begin() {
	depth = 0
	state = "value"
	root = 0
}
# Puts a node where the next value belongs.
function attach(child,    parent, name, k) {
	if (depth == 0) { root = child; state = "done"; return }
	parent = stack[depth]
	if (kinds[parent] == "[") { k = ++counts[parent]; children[parent, k] = child; state = "next"; return }
	name = decoded(key)
	if ((parent, name) in places) k = places[parent, name]
	else { k = ++counts[parent]; places[parent, name] = k; keys[parent, k] = key }
	children[parent, k] = child
	state = "next"
}
function token(t, c,    child) {
	if (c == "{" || c == "[") {
		if (state != "value" && state != "first value") bad("a value where none belongs")
		child = node(c, "")
		attach(child)
		if (depth >= 100) bad("nested deeper than 100")
		stack[++depth] = child
		state = (c == "{") ? "first key" : "first value"
	}
	else if (c == "}" || c == "]") {
		if (depth == 0 || kinds[stack[depth]] != (c == "}" ? "{" : "[")) bad("a closing bracket without its opening one")
		if (state != "next" && state != (c == "}" ? "first key" : "first value")) bad("a closing bracket too early")
		state = (--depth == 0) ? "done" : "next"
	}
	else if (c == ",") {
		if (state != "next") bad("a comma where none belongs")
		state = (kinds[stack[depth]] == "{") ? "key" : "value"
	}
	else if (c == ":") {
		if (state != "colon") bad("a colon where none belongs")
		state = "value"
	}
	else if (state == "first key" || state == "key") {
		if (c != "\"") bad("a name must be a string")
		key = t
		state = "colon"
	}
	else if (state == "value" || state == "first value") attach(node("", t))
	else bad("a value where none belongs")
}
function feed(line,    c, n) {
	while (1) {
		sub(/^[ \t\r]+/, "", line)
		if (line == "") return
		c = substr(line, 1, 1)
		if (c == "\"") {
			if (!match(line, /^"([^"\\\001-\037]|\\["\\\/bfnrt]|\\u[0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f])*"/)) bad("a broken string")
			n = RLENGTH
		}
		else if (index("{}[],:", c)) n = 1
		else {
			if (!match(line, /^[-+.0-9A-Za-z_]+/)) bad("an unexpected character")
			n = RLENGTH
			if (substr(line, 1, n) !~ /^(true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?)$/) bad("an unknown word or a broken number")
		}
		token(substr(line, 1, n), c)
		line = substr(line, n + 1)
	}
}
function finish() {
	if (state != "done") bad("the end comes too early")
	return root
}
function pointer(name,    out, at, c) {
	if (index(name, "~") == 0 && index(name, "/") == 0) return name
	out = ""
	for (at = 1; at <= length(name); at++) {
		c = substr(name, at, 1)
		out = out (c == "~" ? "~0" : (c == "/" ? "~1" : c))
	}
	return out
}
function flat(at, path,    k) {
	if (kinds[at] == "") printf "%s\t%s\n", path, tokens[at]
	else if (counts[at] == 0) printf "%s\t%s\n", path, (kinds[at] == "{" ? "{}" : "[]")
	else for (k = 1; k <= counts[at]; k++)
		if (!((at, k) in gone)) flat(children[at, k], path "/" (kinds[at] == "{" ? pointer(decoded(keys[at, k])) : k - 1))
}
function dump(at, indent,    k, inner, first) {
	if (kinds[at] == "") { printf "%s", tokens[at]; return }
	first = 1
	inner = indent "  "
	for (k = 1; k <= counts[at]; k++) {
		if ((at, k) in gone) continue
		printf "%s\n%s", (first ? kinds[at] : ","), inner
		if (kinds[at] == "{") printf "%s: ", keys[at, k]
		dump(children[at, k], inner)
		first = 0
	}
	if (first) printf "%s", (kinds[at] == "{" ? "{}" : "[]")
	else printf "\n%s%s", indent, (kinds[at] == "{" ? "}" : "]")
}
# A node on one line.
function compact(at,    k, out) {
	if (kinds[at] == "") return tokens[at]
	out = ""
	for (k = 1; k <= counts[at]; k++)
		out = out (k > 1 ? ", " : "") (kinds[at] == "{" ? keys[at, k] ": " : "") compact(children[at, k])
	return kinds[at] out (kinds[at] == "{" ? "}" : "]")
}
# What a pointer leads to; 0: nothing.
function reached(path,    parts, n, i, at) {
	n = split_pointer(path, parts)
	at = top
	for (i = 1; i <= n; i++) {
		if (kinds[at] != "{" || !((at, parts[i]) in places)) return 0
		at = children[at, places[at, parts[i]]]
	}
	return at
}
function values(file,    line, at) {
	while ((getline line < file) > 0) {
		at = reached(line)
		if (at) printf "set\t%s\t%s\n", line, compact(at)
		else printf "remove\t%s\n", line
	}
}
# Splits a pointer into parts[1..]; the number of parts.
function split_pointer(path, parts,    n, i, out, rest, at) {
	if (substr(path, 1, 1) != "/") bad("a pointer must begin with a slash")
	n = split(substr(path, 2), parts, "/")
	if (path == "/") { n = 1; parts[1] = "" }
	for (i = 1; i <= n; i++) {
		rest = parts[i]
		out = ""
		while ((at = index(rest, "~")) > 0) {
			out = out substr(rest, 1, at - 1)
			if (substr(rest, at + 1, 1) == "0") out = out "~"
			else if (substr(rest, at + 1, 1) == "1") out = out "/"
			else bad("a broken pointer")
			rest = substr(rest, at + 2)
		}
		parts[i] = out rest
	}
	return n
}
function quoted(name,    out, at) {
	out = ""
	while ((at = index(name, "\"")) > 0) {
		out = out substr(name, 1, at - 1) "\\\""
		name = substr(name, at + 1)
	}
	return "\"" out name "\""
}
function set(path, value,    parts, n, i, at, k, next_at) {
	n = split_pointer(path, parts)
	at = top
	for (i = 1; i <= n; i++) {
		if ((at, parts[i]) in places) {
			k = places[at, parts[i]]
			if ((at, k) in gone) { k = 0 }
		}
		else k = 0
		if (k == 0) {
			k = ++counts[at]
			places[at, parts[i]] = k
			keys[at, k] = quoted(parts[i])
			children[at, k] = (i < n) ? node("{", "") : 0
		}
		if (i == n) { children[at, k] = value; return }
		next_at = children[at, k]
		if (kinds[next_at] != "{") { next_at = node("{", ""); children[at, k] = next_at }
		at = next_at
	}
}
function drop(path,    parts, n, i, at) {
	n = split_pointer(path, parts)
	at = top
	for (i = 1; i <= n; i++) {
		if (kinds[at] != "{" || !((at, parts[i]) in places)) return
		if ((at, places[at, parts[i]]) in gone) return
		if (i == n) { gone[at, places[at, parts[i]]] = 1; return }
		at = children[at, places[at, parts[i]]]
	}
}
function apply(file,    line, at, op, rest, value, status) {
	lines = 0
	while ((status = (getline line < file)) > 0) {
		lines++
		where = "operation " lines
		at = index(line, "\t")
		op = substr(line, 1, at - 1)
		rest = substr(line, at + 1)
		if (at && op == "set") {
			at = index(rest, "\t")
			if (!at) bad("a set without a value")
			begin()
			feed(substr(rest, at + 1))
			value = finish()
			set(substr(rest, 1, at - 1), value)
		}
		else if (at && op == "remove") drop(rest)
		else bad("neither set nor remove")
	}
	if (status < 0) { where = file; bad("cannot be read") }
}
BEGIN {
	mode = ENVIRON["JSON_MODE"]
	begin()
}
mode == "text" {
	lines++
	begin()
	feed($0)
	finish()
	if (substr(tokens[root], 1, 1) != "\"") bad("not a string")
	print text(tokens[root])
	next
}
{
	lines++
	feed($0)
}
END {
	if (failed) exit 65
	if (mode != "text") {
		top = finish()
		if (mode == "flatten") flat(top, "")
		else if (mode == "values") values(ENVIRON["JSON_OPERATIONS"])
		else {
			if (kinds[top] != "{") bad("the document is no object")
			apply(ENVIRON["JSON_OPERATIONS"])
			dump(top, "")
		}
	}
}
'
json_flatten() {
	if [ "$#" -gt 0 ]; then
		LC_ALL=C JSON_MODE=flatten awk "$JSON_AWK" <"$1"
	else
		LC_ALL=C JSON_MODE=flatten awk "$JSON_AWK"
	fi
}
json_merge() {
	LC_ALL=C JSON_MODE=merge JSON_OPERATIONS=$2 awk "$JSON_AWK" <"$1"
}
json_values() {
	LC_ALL=C JSON_MODE=values JSON_OPERATIONS=$2 awk "$JSON_AWK" <"$1"
}
json_text() {
	LC_ALL=C JSON_MODE=text awk "$JSON_AWK"
}
json_get() {
	LC_ALL=C JSON_POINTER=$2 awk -F '\t' 'BEGIN { wanted = ENVIRON["JSON_POINTER"]; status = 1 }
		$1 == wanted { print substr($0, length($1) + 2); status = 0; exit }
		END { exit status }' <"$1"
}
