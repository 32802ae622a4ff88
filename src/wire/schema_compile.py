#!/usr/bin/env python3
"""schema_compile.py FOLDER OUT.c NAME: the JSON schemas of a folder as a `const struct schema NAME` (see schema.h).

Refuses what it does not know: a keyword that were left out silently would make the verdict another one than the schema's."""
import json
import pathlib
import posixpath
import re
import sys

from regex import Dfa

TYPES = {"null": 1, "boolean": 2, "object": 4, "array": 8, "number": 16, "string": 32, "integer": 64}
NOTHING = 0xFFFF
SILENT = {"$schema", "$id", "$comment", "title", "description", "definitions", "additionalItems"}
# `format` says what an expression says; both as in ajv-formats 3 (its `uri`: RFC 3986). idn-hostname is not asserted there.
HEX16 = "[0-9a-f]{1,4}"
OCTET = r"(25[0-5]|2[0-4]\d|[01]?\d\d?)"
LAST32 = rf"({HEX16}:{HEX16}|({OCTET}\.){{3}}{OCTET})"
IPV6 = (rf"((({HEX16}:){{6}}|::({HEX16}:){{5}}|({HEX16})?::({HEX16}:){{4}}|(({HEX16}:){{0,1}}{HEX16})?::({HEX16}:){{3}}|"
        rf"(({HEX16}:){{0,2}}{HEX16})?::({HEX16}:){{2}}|(({HEX16}:){{0,3}}{HEX16})?::{HEX16}:|(({HEX16}:){{0,4}}{HEX16})?::){LAST32}|"
        rf"(({HEX16}:){{0,5}}{HEX16})?::{HEX16}|(({HEX16}:){{0,6}}{HEX16})?::)")
PCHAR = r"([a-z0-9\-._~!$&'()*+,;=:@]|%[0-9a-f]{2})"
FORMATS = {
    "uri": r"^([a-z][a-z0-9+\-.]*:)(\/?\/(([a-z0-9\-._~!$&'()*+,;=:]|%[0-9a-f]{2})*@)?"
           rf"(\[({IPV6}|[Vv][0-9a-f]+\.[a-z0-9\-._~!$&'()*+,;=:]+)\]|({OCTET}\.){{3}}{OCTET}|"
           r"([a-z0-9\-._~!$&'()*+,;=]|%[0-9a-f]{2})*)(:\d*)?"
           rf"(\/{PCHAR}*)*|\/({PCHAR}+(\/{PCHAR}*)*)?|{PCHAR}+(\/{PCHAR}*)*)"
           r"(\?([a-z0-9\-._~!$&'()*+,;=:@\/?]|%[0-9a-f]{2})*)?(#([a-z0-9\-._~!$&'()*+,;=:@\/?]|%[0-9a-f]{2})*)?$",
    "email": r"^[a-z0-9!#$%&'*+\/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+\/=?^_`{|}~-]+)*@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+"
             r"[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
    "idn-hostname": None,
}


class Compiler:
    def __init__(self, folder):
        self.documents = {}
        for path in sorted(folder.glob("*/*.json")):
            self.documents[f"{path.parent.name}/{path.name}"] = json.loads(path.read_text())
        self.nodes, self.node_of = [None], {}
        self.lists, self.list_of = [0], {}
        self.rows, self.automata, self.automaton_of = [{}], [None], {}
        self.values, self.value_of = [], {}
        self.numbers, self.key_sets, self.key_set_of = [0.0], [[]], {}
        self.keys = {}
        self.kinds = {}
        for name, document in self.documents.items():
            number = self.node(name, document, posixpath.splitext(posixpath.basename(name))[0])
            kinds = self.kinds_of(name, document)
            if kinds and len(kinds) == 1:
                self.kinds[kinds[0]] = number
        for kind in self.kinds:
            self.key(kind)

    def key(self, name):
        return self.keys.setdefault(name, len(self.keys))

    def list(self, items):
        items = tuple(items)
        if not items:
            return 0
        if items not in self.list_of:
            self.list_of[items] = len(self.lists)
            self.lists += [len(items), *items]
        return self.list_of[items]

    def value(self, value):
        key = (type(value), value)
        if key not in self.value_of:
            self.value_of[key] = len(self.values)
            self.values.append(value)
        return self.value_of[key]

    def number(self, value):
        self.numbers.append(float(value))
        return len(self.numbers) - 1

    def key_set(self, names):
        names = tuple(sorted(self.key(n) for n in names))
        if names not in self.key_set_of:
            self.key_set_of[names] = len(self.key_sets)
            self.key_sets.append(names)
        return self.key_set_of[names]

    def automaton(self, text, ignore_case=False):
        if text not in self.automaton_of:
            self.automaton_of[text] = len(self.automata)
            self.automata.append(Dfa(text, ignore_case))
        return self.automaton_of[text]

    def resolve(self, name, reference):
        path, _, fragment = reference.partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
        at, called = self.documents[target], posixpath.splitext(posixpath.basename(target))[0]
        for step in filter(None, fragment.split("/")):
            at, called = at[step], step
        return target, at, called

    def kinds_of(self, name, schema):
        """What `type`, where it is there, must be one of; None where that is open."""
        found = schema.get("properties", {}).get("type", {}).get("enum")
        for inner in schema.get("allOf", []):
            other_name, other = (self.resolve(name, inner["$ref"])[:2] if "$ref" in inner else (name, inner))
            found = self.kinds_of(other_name, other) or found
        return found

    def node(self, name, schema, called=None):
        """Number of the node of a schema; a schema that says nothing is 0."""
        if id(schema) in self.node_of:
            return self.node_of[id(schema)]
        number = len(self.nodes)
        self.node_of[id(schema)] = number
        self.nodes.append(None)
        self.nodes[number] = self.fields(name, schema, called)
        return number

    def fields(self, name, schema, called):
        out = {"name": called}
        every = []
        for keyword, value in schema.items():
            if keyword in SILENT:
                continue
            many = lambda: [self.node(name, inner) for inner in value]
            if keyword == "$ref":
                target, document, known_as = self.resolve(name, value)
                every.append(self.node(target, document, known_as))
            elif keyword == "type":
                out["types"] = TYPES[value]
            elif keyword == "allOf":
                every += many()
            elif keyword == "anyOf":
                out["any"] = self.list(many())
            elif keyword == "oneOf":
                out["one"] = self.list(many())
            elif keyword in ("not", "items", "contains", "then"):
                out[keyword] = self.node(name, value)
            elif keyword in ("if", "propertyNames"):
                out[{"if": "if_", "propertyNames": "names"}[keyword]] = self.node(name, value)
            elif keyword == "properties":
                row = {self.key(k): self.node(name, inner) for k, inner in value.items()}
                self.rows.append(row)
                out["properties"] = len(self.rows) - 1
            elif keyword == "patternProperties":
                out["patterns"] = self.list(n for p, inner in value.items() for n in (self.automaton(p), self.node(name, inner)))
            elif keyword == "additionalProperties":
                out["additional"] = self.node(name, value) if value is not False else NOTHING
            elif keyword == "required":
                out["required"] = self.key_set(value)
            elif keyword in ("enum", "const"):
                out["values"] = self.list(self.value(v) for v in (value if keyword == "enum" else [value]))
            elif keyword == "pattern":
                out["pattern"] = self.automaton(value)
            elif keyword == "format":
                expression = FORMATS[value]
                if expression:
                    out["format"] = self.automaton(expression, ignore_case=True)
            elif keyword in ("minimum", "maximum"):
                out[keyword] = self.number(value)
            elif keyword in ("minItems", "minProperties", "minLength", "maxLength"):
                out[re.sub("[IPL]", lambda m: "_" + m[0].lower(), keyword)] = value
            else:
                raise SystemExit(f"{name}: the keyword {keyword} is not known to schema_compile.py")
        out["all"] = self.list(every)
        kinds = self.kinds_of(name, schema)
        if kinds:
            out["kinds"] = self.list(self.value(v) for v in kinds)
        return out


def name_hash(name):
    """The same as key_hash() of schema.c."""
    data = name.encode()
    first = int.from_bytes(data[:8], "little")
    last = int.from_bytes(data[-8:], "little")
    mask = (1 << 64) - 1
    mixed = (first * 0x9E3779B97F4A7C15 + last * 0xC2B2AE3D27D4EB4F + len(data)) & mask
    return ((mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9 & mask) >> 40


def rows(out, values, width=24):
    for i in range(0, len(values), width):
        out.write("\t" + ", ".join(str(v) for v in values[i:i + width]) + ",\n")


def text_literal(text):
    return '"' + "".join(c if 32 <= ord(c) < 127 and c not in '"\\?' else f"\\{ord(c):03o}" for c in text) + '"'


def value_literal(value):
    return f"{{.boolean = {str(value).lower()}}}" if isinstance(value, bool) else f"{{{text_literal(value)}, {len(value.encode())}}}"


def key_set_literal(keys, words):
    bits = [0] * words
    for key in keys:
        bits[key // 64] |= 1 << key % 64
    return "{{" + ", ".join(f"UINT64_C(0x{b:x})" for b in bits) + "}}"


def emit(compiler, out, name):
    keys = list(compiler.keys)
    words = int(re.search(r"SCHEMA_KEY_WORDS = (\d+)", (pathlib.Path(__file__).parent / "schema.h").read_text())[1])
    if len(keys) > 64 * words:
        raise SystemExit(f"schema_compile.py: {len(keys)} names; SCHEMA_KEY_WORDS of schema.h is too small")
    out.write('/* Made by schema_compile.py. */\n#include "wire/schema.h"\n\n')
    out.write("static const uint16_t lists[] = {\n")
    rows(out, compiler.lists)
    out.write("};\nstatic const uint16_t properties[] = {\n")
    for row in compiler.rows:
        rows(out, [row.get(k, 0) for k in range(len(keys))], 64)
    out.write("};\nstatic const struct schema_key_set key_sets[] = {\n")
    for keys_of in compiler.key_sets:
        out.write(f"\t{key_set_literal(keys_of, words)},\n")
    out.write("};\n")
    for i, dfa in enumerate(compiler.automata[1:], 1):
        out.write(f"static const uint16_t table_{i}[] = {{\n")
        rows(out, [t for row in dfa.table for t in row], 40)
        out.write(f"}};\nstatic const uint8_t classes_{i}[] = {{\n")
        rows(out, dfa.classes, 64)
        out.write(f"}};\nstatic const uint8_t state_{i}[] = {{\n")
        rows(out, [(s in dfa.accepting) | (set(row) == {s}) << 1 for s, row in enumerate(dfa.table)], 64)
        out.write("};\n")
    out.write("static const struct schema_automaton automata[] = {\n\t{NULL},\n")
    for i, dfa in enumerate(compiler.automata[1:], 1):
        known = [n for n, key in enumerate(keys) if dfa.matches(key.encode())]
        out.write(f"\t{{table_{i}, classes_{i}, state_{i}, {max(dfa.classes) + 1}, {dfa.begin}, {key_set_literal(known, words)}}},\n")
    out.write("};\nstatic const struct schema_value values[] = {\n")
    for value in compiler.values:
        out.write(f"\t{value_literal(value)},\n")
    out.write("};\nstatic const struct schema_value keys[] = {\n")
    for key in keys:
        out.write(f"\t{value_literal(key)},\n")
    out.write("};\nstatic const double numbers[] = {" + ", ".join(map(repr, compiler.numbers)) + "};\n")
    size = 1 << (4 * len(keys)).bit_length()
    slots = [0] * size
    for number, key in enumerate(keys):
        at = name_hash(key) & (size - 1)
        while slots[at]:
            at = (at + 1) & (size - 1)
        slots[at] = number + 1
    out.write("static const uint16_t slots[] = {\n")
    rows(out, slots, 64)
    out.write("};\nstatic const uint16_t kind_nodes[] = {\n")
    rows(out, [compiler.kinds.get(k, 0) for k in keys], 64)
    out.write("};\nstatic const struct schema_node nodes[] = {\n\t{0},\n")
    for node in compiler.nodes[1:]:
        fields = [f".{k} = {text_literal(v) if k == 'name' else v}" for k, v in node.items() if v]
        out.write("\t{" + ", ".join(fields or ["0"]) + "},\n")
    out.write(f"}};\n\nextern const struct schema {name};\nconst struct schema {name} = {{nodes, lists, properties, key_sets, automata, values, numbers, "
              f"keys, slots, kind_nodes, {size - 1}, {len(keys)}}};\n")
    for document in ("common/bundle.json", "common/core.json", "common/cyber-observable-core.json"):
        constant = posixpath.basename(document)[:-5].replace("-", "_")
        number = compiler.node_of[id(compiler.documents[document])]
        out.write(f"extern const uint16_t {name}_{constant};\nconst uint16_t {name}_{constant} = {number};\n")


def main():
    compiler = Compiler(pathlib.Path(sys.argv[1]))
    with open(sys.argv[2], "w") as out:
        emit(compiler, out, sys.argv[3])


main()
