#!/usr/bin/python3
"""Random schemas with random messages against Google's own library: JSON written and read, JSON in other spellings and with faults, and
the wire check on mutated bytes. Usage: random_schemas.py TEXT_TOOL [--seed N] [--schemas N] [--messages N] [--mutants N]

A seed stays a seed: every fault names the one that replays it with --seed N --schemas 1."""
import argparse
import copy
import json
import os
import random
import sys
import tempfile
import warnings

import json_against_python as base
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message as message_module, message_factory
from google.protobuf import any_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2

F = descriptor_pb2.FieldDescriptorProto
KNOWN_FILES = [module.DESCRIPTOR for module in (any_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)]
KNOWN = ["Timestamp", "Duration", "FieldMask", "Struct", "Value", "ListValue", "Any", "Empty"] + [
    kind + "Value" for kind in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")]
SCALARS = [F.TYPE_DOUBLE, F.TYPE_FLOAT, F.TYPE_INT64, F.TYPE_UINT64, F.TYPE_INT32, F.TYPE_FIXED64, F.TYPE_FIXED32, F.TYPE_BOOL, F.TYPE_STRING,
           F.TYPE_BYTES, F.TYPE_UINT32, F.TYPE_SFIXED32, F.TYPE_SFIXED64, F.TYPE_SINT32, F.TYPE_SINT64]
KEYS = [F.TYPE_INT64, F.TYPE_UINT64, F.TYPE_INT32, F.TYPE_FIXED64, F.TYPE_FIXED32, F.TYPE_BOOL, F.TYPE_STRING, F.TYPE_UINT32, F.TYPE_SFIXED32,
        F.TYPE_SFIXED64, F.TYPE_SINT32, F.TYPE_SINT64]
NAMES = ["a", "name", "first_name", "x1", "field_2b", "URL", "someThing", "trailing_", "_leading", "double__under", "value", "type", "seconds", "i_d"]

# What the daemon refuses and protobuf's parsers let in, by what is said of it. All else that differs is a fault.
STRICTER = {
    "occurs twice": "protobuf merges a singular field that comes again over what was checked",
    "is set together with": "of two members of a oneof protobuf keeps the last",
    "is a group": "a known field that is a group, or is written as one: groups are not served",
    "holds a group": "groups of unknown fields: as deep as the sender likes",
    "is written as": "protobuf keeps a known field of another wire type as an unknown one",
    "is not a value of": "protobuf keeps a closed enum's other numbers as unknown fields",
    "is required": "Python parses without proto2's required fields",
    "is nested deeper than": "64 levels here, 100 there",
    "holds a field with the number": "0 ends a message for the C++ parser (with a warning), and a tag counts modulo 2^32",
    "of no known wire type": "6 and 7, behind which the C++ parser stops as at an end",
}


def json_name(name):
    out, upper = "", False
    for c in name:
        if c == "_":
            upper = True
        else:
            out += c.upper() if upper else c
            upper = False
    return out


class Schema:
    """One random file: its descriptor, its classes, and the set that holds it."""

    def __init__(self, rng, number):
        self.rng = rng
        self.is_proto2 = rng.random() < 0.35
        self.file = descriptor_pb2.FileDescriptorProto(name="gen/s%d.proto" % number, package="gen.s%d" % number,
                                                       syntax="proto2" if self.is_proto2 else "proto3")
        self.file.dependency.extend(file.name for file in KNOWN_FILES)
        self.enums = [self.add_enum("Kind%d" % i) for i in range(rng.randrange(1, 3))]
        self.names = ["Part%d" % i for i in range(rng.randrange(1, 4))] + ["Whole"]
        for index, name in enumerate(self.names):
            self.add_message(name, index)
        self.pool = descriptor_pool.DescriptorPool()
        self.set = descriptor_pb2.FileDescriptorSet()
        for known in KNOWN_FILES:
            proto = descriptor_pb2.FileDescriptorProto()
            known.CopyToProto(proto)
            self.pool.Add(proto)
            self.set.file.append(proto)
        self.pool.Add(self.file)
        self.set.file.append(self.file)
        factory = message_factory.MessageFactory(self.pool)
        self.classes = {}
        for full_name in [self.file.package + "." + name for name in self.names] + ["google.protobuf." + name for name in KNOWN]:
            self.classes[full_name] = factory.GetPrototype(self.pool.FindMessageTypeByName(full_name))

    def add_enum(self, name):
        enum = self.file.enum_type.add(name=name)
        numbers = [0] + self.rng.sample([1, 2, 5, -1, 2**31 - 1, -2**31, 77], self.rng.randrange(4))
        for i, number in enumerate(numbers):
            enum.value.add(name="%s_V%d" % (name.upper(), i), number=number)
        if self.rng.random() < 0.3:
            enum.options.allow_alias = True
            enum.value.add(name=name.upper() + "_ALIAS", number=numbers[-1])
        return "." + self.file.package + "." + name

    def type_of(self, field, index, kinds):
        """Set a field's type: a scalar, an enum, a known type or a message of the file that is there already, or the message itself."""
        draw = self.rng.random()
        if draw < 0.5:
            field.type = self.rng.choice(SCALARS)
        elif draw < 0.6:
            field.type, field.type_name = F.TYPE_ENUM, self.rng.choice(self.enums)
        elif draw < 0.85:
            field.type, field.type_name = F.TYPE_MESSAGE, ".google.protobuf." + self.rng.choice(KNOWN)
        else:
            field.type, field.type_name = F.TYPE_MESSAGE, ".%s.%s" % (self.file.package, self.names[self.rng.randrange(index + 1)])

    def add_map(self, message, field, index):
        entry = message.nested_type.add(name="".join(part[:1].upper() + part[1:] for part in field.name.split("_")) + "Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=F.LABEL_OPTIONAL, type=self.rng.choice(KEYS), json_name="key")
        value = entry.field.add(name="value", number=2, label=F.LABEL_OPTIONAL, json_name="value")
        self.type_of(value, index, None)
        field.label, field.type = F.LABEL_REPEATED, F.TYPE_MESSAGE
        field.type_name = ".%s.%s.%s" % (self.file.package, message.name, entry.name)

    def default_of(self, field):
        if field.type == F.TYPE_STRING:
            field.default_value = "d\u00e9f"
        elif field.type == F.TYPE_BOOL:
            field.default_value = "true"
        elif field.type in (F.TYPE_INT32, F.TYPE_SINT64, F.TYPE_UINT32, F.TYPE_FIXED64):
            field.default_value = "42"
        elif field.type in (F.TYPE_DOUBLE, F.TYPE_FLOAT):
            field.default_value = self.rng.choice(["inf", "-1.5", "nan"])

    def add_message(self, name, index):
        rng, message = self.rng, self.file.message_type.add(name=name)
        numbers = rng.sample(list(range(1, 40)) + [100, 2047, 2048, 18999, 20000, 536870911], 14)
        optionals = []
        oneof = message.oneof_decl.add(name="choice") and 0 if rng.random() < 0.6 else None
        for number, field_name in zip(numbers, rng.sample(NAMES, rng.randrange(1, len(NAMES)))):
            field = message.field.add(name=field_name, number=number, label=F.LABEL_OPTIONAL, json_name=json_name(field_name))
            if rng.random() < 0.1:
                field.json_name = rng.choice(["other ", "with space ", "\u00fcml ", "@at "]) + field_name
            draw = rng.random()
            if draw < 0.2:
                self.add_map(message, field, index)
                continue
            self.type_of(field, index, None)
            if draw < 0.4:
                field.label = F.LABEL_REPEATED
                if field.type not in (F.TYPE_STRING, F.TYPE_BYTES, F.TYPE_MESSAGE) and rng.random() < 0.5:
                    field.options.packed = rng.random() < 0.5
            elif draw < 0.55 and oneof is not None:
                field.oneof_index = 0
            elif self.is_proto2:
                if field.type != F.TYPE_MESSAGE and rng.random() < 0.1:
                    field.label = F.LABEL_REQUIRED
                elif rng.random() < 0.3:
                    self.default_of(field)
            elif draw < 0.7:
                field.proto3_optional = True
                optionals.append(field)
        if oneof is not None and not any(field.HasField("oneof_index") for field in message.field):
            field = message.field.add(name="lone", number=41, label=F.LABEL_OPTIONAL, type=F.TYPE_STRING, json_name="lone", oneof_index=0)
        for field in optionals:
            field.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name="_" + field.name)
        # The members of a oneof stand together.
        fields = sorted(message.field, key=lambda field: field.HasField("oneof_index") and not field.proto3_optional)
        fields = [copy.deepcopy(field) for field in fields]
        del message.field[:]
        message.field.extend(fields)

    def full_name(self):
        return self.file.package + "." + self.rng.choice(self.names)


class Filler:
    """base.fill with the classes of this schema, and proto2's required fields always there."""

    def __init__(self, schema):
        self.schema = schema

    def any(self, rng, message, depth):
        name = rng.choice(["gen"] + KNOWN) if depth < 3 else "Duration"
        name = self.schema.file.package + "." + rng.choice(self.schema.names) if name == "gen" else "google.protobuf." + name
        if rng.random() < 0.1:
            return
        inner = self.schema.classes[name]()
        self.message(rng, inner, depth + 1)
        message.type_url = rng.choice(["type.googleapis.com/", "example.org/types/"]) + name
        message.value = inner.SerializeToString(deterministic=True)

    def message(self, rng, message, depth=0):
        name = message.DESCRIPTOR.full_name
        if name == "google.protobuf.Any":
            return self.any(rng, message, depth)
        if name.startswith("google.protobuf.") and base.fill_known(rng, message, depth):
            return
        for field in message.DESCRIPTOR.fields:
            if field.label != field.LABEL_REQUIRED and rng.random() < (0.4 if depth < 2 else 0.8):
                continue
            self.field(rng, message, field, depth)

    def scalar(self, rng, field):
        value = base.scalar(rng, field)
        closed = field.cpp_type == field.CPPTYPE_ENUM and self.schema.is_proto2
        while closed and value not in field.enum_type.values_by_number:
            value = base.scalar(rng, field)
        return value

    def field(self, rng, message, field, depth):
        is_message = field.cpp_type == field.CPPTYPE_MESSAGE
        at = getattr(message, field.name)
        if is_message and depth > 4:
            return
        if is_message and field.message_type.GetOptions().map_entry:
            value_field = field.message_type.fields_by_name["value"]
            for _ in range(rng.randrange(4)):
                key = base.scalar(rng, field.message_type.fields_by_name["key"])
                if value_field.cpp_type == field.CPPTYPE_MESSAGE:
                    at[key].SetInParent()
                    self.message(rng, at[key], depth + 1)
                else:
                    at[key] = self.scalar(rng, value_field)
        elif field.label == field.LABEL_REPEATED:
            for _ in range(rng.randrange(4)):
                if is_message:
                    self.message(rng, at.add(), depth + 1)
                else:
                    at.append(self.scalar(rng, field))
        elif is_message:
            at.SetInParent()
            self.message(rng, at, depth + 1)
        else:
            setattr(message, field.name, self.scalar(rng, field))


def respell(rng, value, depth=0):
    """The same JSON said otherwise: numbers as texts, whole numbers with a point, nulls for what is not said."""
    if isinstance(value, dict):
        out = {key: respell(rng, inner, depth + 1) for key, inner in value.items()}
        return out
    if isinstance(value, list):
        return [respell(rng, inner, depth + 1) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int) and rng.random() < 0.3:
        return rng.choice([str(value), float(value)])
    if isinstance(value, str) and value.lstrip("-").isdigit() and rng.random() < 0.3:
        return int(value)
    return value


JUNK = [None, True, False, 0, 1, -1, 1.5, 1e300, 2**31, 2**32, 2**63, -2**63, 2**64, "", "x", "0", "1", "-1", "1.0", "1e3", "1.5", " 1", "1 ", "+1", "01", "0x1", "1e",
        "NaN", "Infinity", "-Infinity", "nan", "inf", "true", "YQ==", "YQ", "-_8=", "+/8=", "Y", "a,bC", "1s", "1.5s", "s", "-1.000000001s", "1.0000000001s",
        "2020-02-30T00:00:00Z", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00+01:00", "2020-01-01T00:00:00.1234567890Z", "2020-01-01t00:00:00z", "KIND0_V0",
        "KIND0_V1", "kind0_v0", [], [0], ["x"], [None], {}, {"a": 1}, {"1": 1}, {"@type": "type.googleapis.com/google.protobuf.Empty"}, {"value": 1},
        {"@type": "type.googleapis.com/google.protobuf.Int32Value", "value": 5}, {"@type": "x"}]


# Where Python's json_format and the specification differ: what we say of it, for which values (None: all), and why.
LARGE = {repr(value) for value in JUNK if isinstance(value, (int, float)) and abs(value) > 2**31 - 1}
NARROWER = [
    ("base64 text", None, "Python skips in base64 what is no letter of it"),
    ("must be an object", {"''", "[]"}, "Python takes anything that is empty for an empty message"),
    ("must be a duration", {"'1.0000000001s'"}, "Python rounds what is below a nanosecond"),
    ("is required", None, "Python reads without proto2's required fields"),
    ("must be a whole number from -2147483648 to 2147483647", LARGE, "Python lets an enum's number beyond 32 bits in"),
    ("must be a whole number", {"True", "False", "1.5"}, "Python makes an enum's number of truths and fractions"),
    ("must be a number", {"True", "False"}, "Python makes floats of truths"),
    ("", {"'01'", "'+1'", "' 1'", "'1 '", "'inf'", "'nan'", "('name', '01')"}, "numbers in quotes are of JSON's grammar, not of Python's int() and float()"),
]
WIDER = [("", {"'1e3'", "'1.0'", "('name', '1.0')"}, "a whole number may be written with a point or an exponent, in quotes, too")]


def spoil(rng, value, spoilt):
    """One place of a JSON value becomes something else, which is put into `spoilt`."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(list(value))
        out = dict(value)
        if rng.random() < 0.1:
            name = rng.choice(["", "1", "-1", "true", "nobody", key + "x", key.upper(), "01", "1.0"])
            out[name] = out.pop(key)
            spoilt.append(("name", name))
        else:
            out[key] = spoil(rng, value[key], spoilt)
        return out
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return value[:at] + [spoil(rng, value[at], spoilt)] + value[at + 1:]
    spoilt.append(rng.choice(JUNK))
    return spoilt[-1]


def mutate(rng, wire, other):
    wire = bytearray(wire)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        at = rng.randrange(len(wire) + 1)
        draw = rng.randrange(8)
        if draw == 0 and wire:
            wire[at % len(wire)] ^= 1 << rng.randrange(8)
        elif draw == 1 and wire:
            wire[at % len(wire)] = rng.choice([0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x0b, 0x0c])
        elif draw == 2:
            del wire[at:]
        elif draw == 3:
            del wire[at:at + rng.randrange(1, 4)]
        elif draw == 4:
            wire[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 4)))
        elif draw == 5:
            wire[at:at] = other[rng.randrange(len(other) + 1):][:rng.randrange(1, 20)]
        elif draw == 6:
            wire += other
        else:
            wire[at:at] = rng.choice([b"\x80" * 9 + b"\x01", b"\xff" * 9 + b"\x01", b"\xff" * 9 + b"\x7f", b"\x80\x00", b"\xf2\xff\xff\xff\x7f\x01x"])
    return bytes(wire)


def equal(schema, left, right):
    """Equal on the wire; what an Any holds may be ordered otherwise, and is compared as JSON then."""
    if base.same(left, right):
        return True
    try:
        texts = [base.normal(json.loads(json_format.MessageToJson(message, descriptor_pool=schema.pool))) for message in (left, right)]
    except (json_format.Error, ValueError, TypeError):
        return False
    return "google.protobuf.Any" in str(schema.file) and texts[0] == texts[1]


class Run:
    def __init__(self, args):
        self.args = args
        self.counts = {"schemas": 0, "messages": 0, "written": 0, "read": 0, "respelled": 0, "spoilt": 0, "mutants": 0, "accepted by both": 0, "refused by both": 0,
                       "stricter": 0}
        self.stricter = {}
        self.faults = []

    def fault(self, seed, name, what, *shown):
        self.faults.append("seed %d, %s: %s\n  %s" % (seed, name, what, "\n  ".join(str(part)[:1500] for part in shown)))

    def differs(self, known, answer, spoilt):
        """Is it one of the values that Python's json_format and the specification see differently?"""
        for said, values, reason in known:
            if spoilt and said in answer and (values is None or repr(spoilt[0]) in values):
                self.stricter[reason] = self.stricter.get(reason, 0) + 1
                return True
        return False

    def check_read(self, seed, schema, tool, name, text, what, spoilt=()):
        answer = tool.ask("read", name, text.encode("utf-8", "surrogatepass").hex())
        theirs = schema.classes[name]()
        try:
            json_format.Parse(text, theirs, descriptor_pool=schema.pool)
        except (json_format.ParseError, ValueError, TypeError, AttributeError, KeyError, message_module.Error) as error:
            if not answer.startswith("!") and not self.differs(WIDER, answer, spoilt):
                self.fault(seed, name, what + ": read, though Python refuses %r" % (spoilt,), error, text, answer)
            return
        if answer.startswith("!"):
            if not self.differs(NARROWER, answer, spoilt):
                self.fault(seed, name, what + ": refused %r: %s" % (spoilt, answer), text)
            return
        ours = schema.classes[name].FromString(bytes.fromhex(answer))
        if not equal(schema, ours, theirs):
            self.fault(seed, name, what + ": read otherwise", text, ours, theirs)

    def check_json(self, seed, schema, tool, name, message):
        wire = message.SerializeToString()
        ours = tool.ask("write", name, wire.hex())
        try:
            theirs = json_format.MessageToJson(message, descriptor_pool=schema.pool, ensure_ascii=False)
        except (json_format.Error, ValueError, TypeError) as error:
            if not ours.startswith("!"):
                self.fault(seed, name, "written, though Python refuses", error, ours)
            return
        if ours.startswith("!"):
            self.fault(seed, name, "not written: " + ours, theirs)
            return
        self.counts["written"] += 1
        if base.normal(json.loads(ours)) != base.normal(json.loads(theirs)):
            self.fault(seed, name, "written otherwise", ours, json.dumps(json.loads(theirs)))
        for text in (ours, theirs):
            self.counts["read"] += 1
            self.check_read(seed, schema, tool, name, text, "canonical")
        other = json_format.MessageToJson(message, descriptor_pool=schema.pool, preserving_proto_field_name=True, use_integers_for_enums=True)
        self.counts["respelled"] += 2
        self.check_read(seed, schema, tool, name, other, "proto names, enums as numbers")
        self.check_read(seed, schema, tool, name, json.dumps(respell(schema.rng, json.loads(theirs))), "respelled")
        for _ in range(self.args.mutants):
            self.counts["spoilt"] += 1
            spoilt = []
            text = json.dumps(spoil(schema.rng, json.loads(theirs), spoilt))
            self.check_read(seed, schema, tool, name, text, "spoilt", spoilt)

    def check_mutant(self, seed, schema, tool, name, wire):
        answer = tool.ask("check", name, wire.hex())
        if tool.process.poll() is not None:
            raise SystemExit("seed %d: the check ended on %s %s" % (seed, name, wire.hex()))
        self.counts["mutants"] += 1
        try:
            message = schema.classes[name].FromString(wire)
            theirs = None
            for _ in message.ListFields():
                pass
        except (message_module.DecodeError, UnicodeDecodeError) as error:
            theirs = error
        if not answer.startswith("!"):
            if theirs:
                self.fault(seed, name, "accepted, though Python refuses", theirs, wire.hex())
            self.counts["accepted by both"] += 1
            return
        if theirs:
            self.counts["refused by both"] += 1
            return
        reason = next((reason for reason in STRICTER if reason in answer), None)
        if not reason and schema.is_proto2 and "is not valid UTF-8" in answer:
            reason = "is not valid UTF-8 (proto2)"
        if not reason and "malformed" in answer and has_long_varint(wire):
            reason = "is malformed (a varint of ten bytes beyond 64 bits)"
        self.counts["stricter"] += 1
        if reason:
            self.stricter[reason] = self.stricter.get(reason, 0) + 1
        else:
            self.fault(seed, name, "refused, though Python accepts: " + answer, wire.hex())

    def schema(self, seed, folder):
        rng = random.Random(seed)
        schema = Schema(rng, seed)
        path = os.path.join(folder, "set")
        with open(path, "wb") as file:
            file.write(schema.set.SerializeToString())
        tool = base.Tool(self.args.tool, path)
        filler = Filler(schema)
        self.counts["schemas"] += 1
        last = b""
        for _ in range(self.args.messages):
            name = schema.full_name()
            message = schema.classes[name]()
            filler.message(rng, message)
            if not message.IsInitialized():
                continue
            self.counts["messages"] += 1
            self.check_json(seed, schema, tool, name, message)
            wire = message.SerializeToString()
            for _ in range(self.args.mutants):
                self.check_mutant(seed, schema, tool, name, mutate(rng, wire, last))
            last = wire
        tool.process.stdin.close()
        tool.process.wait()


def has_long_varint(wire):
    """Ten bytes of a varint that hold more than 64 bits: protobuf drops what is too much."""
    run = 0
    for byte in wire:
        if run == 9 and byte > 1:
            return True
        run = run + 1 if byte & 0x80 else 0
    return False


# Python 3.21's json_format reads an Empty inside an Any without "value", as it writes it; we write the same and read both.


def quiet():
    """libprotobuf says on stderr what it refuses; what Python raises is enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.stderr = sys.stdout
    warnings.simplefilter("ignore")


def main():
    quiet()
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--schemas", type=int, default=40)
    parser.add_argument("--messages", type=int, default=15)
    parser.add_argument("--mutants", type=int, default=5)
    run = Run(parser.parse_args())
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(run.args.seed, run.args.seed + run.args.schemas):
            run.schema(seed, folder)
    for fault in run.faults[:20]:
        print(fault)
    print(", ".join("%d %s" % (count, what) for what, count in run.counts.items()) + ", %d faults" % len(run.faults))
    for reason, count in sorted(run.stricter.items()):
        print("differs %6d  %s%s" % (count, reason, ": " + STRICTER[reason] if reason in STRICTER else ""))
    sys.exit(1 if run.faults else 0)


if __name__ == "__main__":
    main()
