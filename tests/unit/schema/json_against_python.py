#!/usr/bin/python3
"""The text forms against Google's own library: random messages both ways through JSON, and the
descriptors of what describe_write prints. Usage: json_against_python.py TEXT_TOOL SET PROTOC INCLUDE..."""
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

try:
    from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
    from google.protobuf import any_pb2, duration_pb2, empty_pb2, field_mask_pb2  # noqa: F401
    from google.protobuf import struct_pb2, timestamp_pb2, wrappers_pb2  # noqa: F401
    from google.protobuf.descriptor import FieldDescriptor as F
except ImportError as missing:
    print("skipped: python3-protobuf is missing:", missing)
    sys.exit(77)

MESSAGES = 400
PACKAGE = "lyceum.texttest.v1."

TEXTS = ["", "a", "Zo\u00eb \u20ac \U0001f600", 'quo"te\\', "tab\tnew\nline", "\u2028\x7f\x01", "orcid"]
INTS = {
    F.CPPTYPE_INT32: [0, 1, -1, 2**31 - 1, -2**31, 1000],
    F.CPPTYPE_INT64: [0, 1, -1, 2**63 - 1, -2**63, 2**53 + 1],
    F.CPPTYPE_UINT32: [0, 1, 2**32 - 1],
    F.CPPTYPE_UINT64: [0, 1, 2**64 - 1, 2**63],
}
DOUBLES = [0.0, 1.0, -1.5, 0.1, 1e300, 5e-324, 1.7976931348623157e308, 123456789.123, float("inf"), float("nan"), 1e22]
FLOATS = [0.0, 1.0, -1.5, 0.1, 3.4e38, 1e-45, 16777216.0, float("-inf"), float("nan")]


def as_float(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def scalar(rng, field):
    kind = field.cpp_type
    if kind in INTS:
        return rng.choice(INTS[kind])
    if kind == F.CPPTYPE_DOUBLE:
        return rng.choice(DOUBLES)
    if kind == F.CPPTYPE_FLOAT:
        return as_float(rng.choice(FLOATS))
    if kind == F.CPPTYPE_BOOL:
        return rng.random() < 0.5
    if kind == F.CPPTYPE_ENUM:
        return rng.choice([value.number for value in field.enum_type.values] + ([] if field.enum_type.name == "NullValue" else [99]))
    if field.type == F.TYPE_BYTES:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(6)))
    return rng.choice(TEXTS)


def fill_value(rng, value, depth):
    kind = rng.randrange(6 if depth < 4 else 4)
    if kind == 0:
        value.null_value = 0
    elif kind == 1:
        value.number_value = rng.choice([0, 1, -2.5, 1e21])
    elif kind == 2:
        value.string_value = rng.choice(TEXTS)
    elif kind == 3:
        value.bool_value = rng.random() < 0.5
    elif kind == 4:
        value.struct_value.SetInParent()
        fill_struct(rng, value.struct_value, depth + 1)
    else:
        value.list_value.SetInParent()
        for _ in range(rng.randrange(3)):
            fill_value(rng, value.list_value.values.add(), depth + 1)


def fill_struct(rng, message, depth):
    for key in rng.sample(TEXTS, rng.randrange(3)):
        fill_value(rng, message.fields[key], depth + 1)


def fill_known(rng, message, depth):
    name = message.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        message.seconds = rng.choice([0, -1, -62135596800, 253402300799, rng.randrange(-2**35, 2**35), 951782400])
        message.nanos = rng.choice([0, 1, 500000000, 999999999, 123000, 10000000])
    elif name == "google.protobuf.Duration":
        sign = rng.choice([1, -1])
        message.seconds = sign * rng.choice([0, 1, 315576000000 - 1, 3600])
        message.nanos = sign * rng.choice([0, 1, 500000000, 999999999, 123000])
    elif name == "google.protobuf.FieldMask":
        message.paths.extend(rng.sample(["a", "orcid_id.name", "long_field_name", "x.y_z"], rng.randrange(3)))
    elif name == "google.protobuf.Struct":
        fill_struct(rng, message, depth)
    elif name == "google.protobuf.Value":
        fill_value(rng, message, depth)
    elif name == "google.protobuf.ListValue":
        for _ in range(rng.randrange(3)):
            fill_value(rng, message.values.add(), depth)
    elif name == "google.protobuf.Any":
        inner = CLASSES[PACKAGE + "Scalars"]()
        if rng.random() < 0.5:
            fill(rng, inner, depth + 1)
        else:
            inner = CLASSES["google.protobuf.Duration"]()
            fill_known(rng, inner, depth + 1)
        message.type_url = "type.googleapis.com/" + inner.DESCRIPTOR.full_name
        message.value = inner.SerializeToString(deterministic=True)
    elif name.endswith("Value"):
        message.value = scalar(rng, message.DESCRIPTOR.fields_by_name["value"])
    else:
        return False
    return True


def fill(rng, message, depth=0):
    if message.DESCRIPTOR.full_name.startswith("google.protobuf.") and fill_known(rng, message, depth):
        return
    for field in message.DESCRIPTOR.fields:
        if rng.random() < (0.4 if depth < 3 else 0.8):
            continue
        is_message = field.cpp_type == F.CPPTYPE_MESSAGE
        if is_message and depth > 5:
            continue
        if is_message and field.message_type.GetOptions().map_entry:
            key_field = field.message_type.fields_by_name["key"]
            value_field = field.message_type.fields_by_name["value"]
            entries = getattr(message, field.name)
            for _ in range(rng.randrange(4)):
                key = scalar(rng, key_field)
                if value_field.cpp_type == F.CPPTYPE_MESSAGE:
                    fill(rng, entries[key], depth + 1)
                else:
                    entries[key] = scalar(rng, value_field)
        elif field.label == F.LABEL_REPEATED:
            for _ in range(rng.randrange(4)):
                if is_message:
                    fill(rng, getattr(message, field.name).add(), depth + 1)
                else:
                    getattr(message, field.name).append(scalar(rng, field))
        elif is_message:
            getattr(message, field.name).SetInParent()
            fill(rng, getattr(message, field.name), depth + 1)
        else:
            setattr(message, field.name, scalar(rng, field))


def normal(value):
    """Numbers as floats, so that 5 and 5.0 are equal."""
    if isinstance(value, dict):
        return {key: normal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [normal(inner) for inner in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return value


class Tool:
    def __init__(self, path, descriptor_set):
        self.process = subprocess.Popen([path, descriptor_set], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *words):
        self.process.stdin.write((" ".join(words) + "\n").encode())
        self.process.stdin.flush()
        answer = self.process.stdout.readline().decode()
        if not answer:
            raise SystemExit("the tool ended on: %s" % " ".join(words))
        return answer.rstrip("\n")


def same(left, right):
    """Equal on the wire; maps sorted, NaN equal to itself."""
    return left.SerializeToString(deterministic=True) == right.SerializeToString(deterministic=True)


def check_json(tool, pool, name, seed):
    rng = random.Random(seed)
    message = CLASSES[name]()
    fill(rng, message)
    wire = message.SerializeToString()
    theirs = json_format.MessageToJson(message, descriptor_pool=pool, float_precision=None)
    ours = tool.ask("write", name, wire.hex())
    if normal(json.loads(ours)) != normal(json.loads(theirs)):
        return "written otherwise\n%s\n%s" % (ours, json.dumps(json.loads(theirs)))
    for text in (theirs, ours):
        answer = tool.ask("read", name, text.encode().hex())
        if answer.startswith("!"):
            return "refused: %s\n%s" % (answer, text)
        back = CLASSES[name].FromString(bytes.fromhex(answer))
        # An Any holds bytes: those of its JSON, put in order.
        again = CLASSES[name]()
        json_format.Parse(text, again, descriptor_pool=pool)
        if not same(back, again):
            return "read otherwise\n%s\n%s\n%s" % (text, back, again)
    return None


def strip(message):
    """A descriptor without what its text may order freely, in comparable form."""
    message = descriptor_pb2.DescriptorProto.FromString(message.SerializeToString())
    fields = sorted((field.number, field.SerializeToString(deterministic=True)) for field in message.field)
    inner = sorted((kind.name, strip(kind)) for kind in message.nested_type)
    enums = sorted((kind.name, kind.SerializeToString()) for kind in message.enum_type)
    del message.field[:], message.nested_type[:], message.enum_type[:]
    return (message.SerializeToString(), fields, inner, enums)


def options_again(pool, descriptor):
    """Options in pieces and as a whole are the same message: parse and write them with the pool that knows them."""
    def again(options):
        if options.ByteSize() == 0:
            return
        kind = message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName(options.DESCRIPTOR.full_name))
        whole = kind.FromString(options.SerializeToString())
        options.ParseFromString(whole.SerializeToString(deterministic=True))
    for field in getattr(descriptor, "field", []):
        again(field.options)
    for method in getattr(descriptor, "method", []):
        again(method.options)
    for inner in getattr(descriptor, "nested_type", []):
        options_again(pool, inner)


def check_describe(tool, pool, files, name, protoc, includes):
    text = bytes.fromhex(tool.ask("describe", name)).decode()
    # What is of another package stands in a section of its own; the first is the one asked for.
    section = text.split("\nsyntax = ")[0]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "described.proto")
        with open(path, "w") as file:
            file.write(section)
        done = subprocess.run([protoc, "-I", folder] + ["-I" + include for include in includes] +
                              ["--descriptor_set_out=" + path + ".fds", path], capture_output=True, text=True)
        if done.returncode:
            return "protoc refuses it:\n%s\n%s" % (done.stderr, section)
        described = descriptor_pb2.FileDescriptorSet.FromString(open(path + ".fds", "rb").read()).file[0]
    originals = {}
    for file in files:
        if file.package == described.package:
            for kind in list(file.message_type) + list(file.enum_type) + list(file.service):
                originals[kind.name] = kind
    for kind in list(described.message_type) + list(described.enum_type) + list(described.service):
        original = originals[kind.name]
        options_again(pool, kind)
        options_again(pool, original)
        is_message = isinstance(kind, descriptor_pb2.DescriptorProto)
        if strip(kind) != strip(original) if is_message else kind != original:
            return "not the same: %s\n%s\n%s" % (kind.name, kind, original)
    wanted = name.split("/")[0].rsplit(".", 1)[1]
    return None if wanted in section else "does not hold %s" % wanted


def main():
    tool_path, set_path, protoc, includes = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    files = descriptor_pb2.FileDescriptorSet.FromString(open(set_path, "rb").read()).file
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    for file in files:
        for kind in file.message_type:
            name = (file.package + "." if file.package else "") + kind.name
            CLASSES[name] = factory.GetPrototype(pool.FindMessageTypeByName(name))
    tool = Tool(tool_path, set_path)
    faults = 0
    names = [PACKAGE + name for name in ("Scalars", "Lists", "Maps", "Known", "Kind", "Everything")]
    names = [name for name in names if name in CLASSES]
    for seed in range(MESSAGES if names else 0):
        fault = check_json(tool, pool, names[seed % len(names)], seed)
        if fault:
            faults += 1
            print("seed %d, %s: %s" % (seed, names[seed % len(names)], fault))
    count = 0
    for file in files:
        if file.package.startswith("google."):
            continue
        tops = [kind.name for kind in list(file.service)] or [kind.name for kind in list(file.message_type)]
        for top in tops:
            count += 1
            fault = check_describe(tool, pool, files, file.package + "." + top, protoc, includes)
            if fault:
                faults += 1
                print("describe %s.%s: %s" % (file.package, top, fault))
    print("%d messages, %d descriptions, %d faults" % (MESSAGES if names else 0, count, faults))
    sys.exit(1 if faults else 0)


CLASSES = {}
if __name__ == "__main__":
    main()
