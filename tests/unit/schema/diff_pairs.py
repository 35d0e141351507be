#!/usr/bin/python3
"""Each rule of `lyceum schema diff` with a change that breaks it and the nearest one that may be made. The pairs are .proto
texts, compiled here; the line that has to be named ends in `//!`. Usage: diff_pairs.py LYCEUM PROTOC INCLUDE..."""
import os
import re
import subprocess
import sys
import tempfile

PROTO3 = 'syntax = "proto3"; package pair.v1; import "lyceum/v1/options.proto"; import "lyceum/v1/label.proto";\n'
PROTO2 = PROTO3.replace("proto3", "proto2")


def enum(*lines):
    return PROTO3 + "enum Kind { //!\n" + "\n".join(lines) + "\n}\n"


def message(*lines, mark=False, head=PROTO3):
    return head + "message Part {}\n" + ("message Note { //!\n" if mark else "message Note {\n") + "\n".join(lines) + "\n}\n"


def method(line, *more):
    return PROTO3 + "message Ask { string id = 1; }\nmessage Answer { string id = 1; }\nmessage Other { string id = 1; }\nservice Desk {\n" + line + "\n}\n" + "".join(more)


def rules(before, breaking, allowed, kind="string"):
    def field(text, mark=""):
        return message("%s name = 2%s;%s" % (kind, " [%s]" % text if text else "", mark))
    return field(before), field(breaking, " //!"), field(allowed)


# Rule: (old, breaking, allowed). A breaking version breaks that rule and no other.
PAIRS = {
    "ENUM_SAME_JSON_FORMAT": (
        PROTO3 + "enum Kind { NONE = 0; }\n", PROTO2 + "enum Kind { NONE = 0; } //!\n", PROTO3 + "// Said better.\nenum Kind { NONE = 0; }\n"),
    "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED": (
        enum("NONE = 0;", "ONE = 1;"), enum("reserved 1;", "NONE = 0;"), enum("reserved 1;", 'reserved "ONE";', "NONE = 0;")),
    "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED": (
        enum("NONE = 0;", "ONE = 1;"), enum('reserved "ONE";', "reserved 2 to max;", "NONE = 0;"),
        enum('reserved "ONE";', "reserved 1 to 4;", "NONE = 0;", "TWO = 5;")),
    "ENUM_VALUE_SAME_NAME": (
        PROTO3 + "enum Kind { NONE = 0;\nONE = 1;\n}\n", PROTO3 + "enum Kind { NONE = 0;\nFIRST = 1; //!\n}\n",
        PROTO3 + "enum Kind { option allow_alias = true; NONE = 0;\nFIRST = 1;\nONE = 1;\n}\n"),
    "FIELD_NO_DELETE_UNLESS_NAME_RESERVED": (
        message("string a = 1;", "string b = 2;"), message("reserved 2;", "string a = 1;", mark=True),
        message("reserved 2;", 'reserved "b";', "string a = 1;")),
    "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED": (
        message("string a = 1;", "string b = 2;"), message('reserved "b";', "string a = 1;", mark=True),
        message("reserved 2 to 3;", 'reserved "b";', "string a = 1;")),
    "FIELD_SAME_DEFAULT": (
        message("optional int32 a = 1 [default = 3];", head=PROTO2), message("optional int32 a = 1 [default = 4]; //!", head=PROTO2),
        message("optional int32 a = 1 [default = 3, deprecated = true];", "optional int32 b = 2 [default = 7];", head=PROTO2)),
    "FIELD_SAME_JSON_NAME": (
        message("string first_name = 1;"), message('string first_name = 1 [json_name = "given"]; //!'),
        message('string first_name = 1 [json_name = "firstName"];')),
    "FIELD_SAME_NAME": (
        message('string a = 1 [json_name = "x"];'), message('string b = 1 [json_name = "x"]; //!'), message('string a = 1 [json_name = "x"];', "string b = 2;")),
    "FIELD_SAME_ONEOF": (
        message("string a = 1;", "oneof one { string b = 2; }"), message("oneof one {", "string b = 2;", "string a = 1; //!", "}"),
        message("string a = 1;", "oneof one { string b = 2; string c = 3; }")),
    "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY": (
        message("string a = 1;"), message("repeated string a = 1; //!"), message("optional string a = 1;")),
    "FIELD_WIRE_JSON_COMPATIBLE_TYPE": (
        message("int32 a = 1;"), message("int64 a = 1; //!"), message("uint32 a = 1;")),
    "FILE_SAME_PACKAGE": (
        PROTO3 + "message Note {}\n", PROTO3.replace("package pair.v1;", "\npackage pair.v2; //!\n") + "message Note {}\n", PROTO3 + "message Note {}\nmessage New {}\n"),
    "MESSAGE_SAME_JSON_FORMAT": (
        PROTO3 + "message Note { }\n", PROTO2 + "message Note { } //!\n", PROTO3 + "message Note { string a = 1; }\n"),
    "MESSAGE_SAME_REQUIRED_FIELDS": (
        message("required string a = 1;", head=PROTO2), message("required string a = 1;", "required string b = 2; //!", head=PROTO2),
        message("required string a = 1;", "optional string b = 2;", head=PROTO2)),
    "RESERVED_ENUM_NO_DELETE": (
        enum("reserved 3 to 9;", "NONE = 0;"), enum("reserved 3 to 5, 7 to 9;", "NONE = 0;"), enum("reserved 3 to 5, 6 to 20;", "NONE = 0;")),
    "RESERVED_MESSAGE_NO_DELETE": (
        message("reserved 3;", 'reserved "old";'), message("reserved 3;", mark=True), message("reserved 1 to 7;", 'reserved "old", "older";')),
    "RPC_SAME_CLIENT_STREAMING": (
        method("rpc Say(Ask) returns (Answer);"), method("rpc Say(stream Ask) returns (Answer); //!"),
        method("rpc Say(Ask) returns (Answer); rpc Say2(stream Ask) returns (Answer);")),
    "RPC_SAME_IDEMPOTENCY_LEVEL": (
        method("rpc Say(Ask) returns (Answer) { option idempotency_level = IDEMPOTENT; }"), method("rpc Say(Ask) returns (Answer); //!"),
        method("rpc Say(Ask) returns (Answer) { option idempotency_level = IDEMPOTENT; option deprecated = true; }")),
    "RPC_SAME_REQUEST_TYPE": (
        method("rpc Say(Ask) returns (Answer);"), method("rpc Say(Other) returns (Answer); //!"),
        method("rpc First(Other) returns (Answer);\nrpc Say(Ask) returns (Answer);")),
    "RPC_SAME_RESPONSE_TYPE": (
        method("rpc Say(Ask) returns (Answer);"), method("rpc Say(Ask) returns (Other); //!"), method("rpc Say(.pair.v1.Ask) returns (Answer);")),
    "RPC_SAME_SERVER_STREAMING": (
        method("rpc Say(Ask) returns (Answer);"), method("rpc Say(Ask) returns (stream Answer); //!"),
        method("rpc Say(Ask) returns (Answer); rpc All(Ask) returns (stream Answer);")),
    "LYCEUM_ITEMS_NOT_NARROWED": rules("(lyceum.v1.rules).max_items = 9", "(lyceum.v1.rules).max_items = 8",
                                       "(lyceum.v1.rules).max_items = 10", "repeated string"),
    "LYCEUM_KEY_SAME": (
        message("string a = 1 [(lyceum.v1.key) = 1];", "string b = 2;"),
        message("string a = 1 [(lyceum.v1.key) = 1];", "string b = 2 [(lyceum.v1.key) = 2];", mark=True),
        message("string a = 1 [(lyceum.v1.key) = 1];", "string b = 2;", "string c = 3;")),
    "LYCEUM_LABEL_SAME": (
        message("string a = 1 [(lyceum.v1.key) = 1];"),
        message("string a = 1 [(lyceum.v1.key) = 1];", "lyceum.v1.Label label = 2;", mark=True),
        message("string a = 1 [(lyceum.v1.key) = 1];", "Part part = 2;")),
    "LYCEUM_LENGTH_NOT_NARROWED": rules("(lyceum.v1.rules).max_len = 9", "(lyceum.v1.rules).max_len = 8", "(lyceum.v1.rules).max_len = 10"),
    "LYCEUM_PATTERN_SAME": rules('(lyceum.v1.rules).pattern = "[a-z]+"', '(lyceum.v1.rules).pattern = "[a-y]+"', ""),
    "LYCEUM_PERSONAL_NOT_REMOVED": rules("(lyceum.v1.personal) = true", "", "(lyceum.v1.personal) = true, deprecated = true"),
    "LYCEUM_RANGE_NOT_NARROWED": rules("(lyceum.v1.rules).int_range = {min: 1 max: 9}", "(lyceum.v1.rules).int_range = {min: 2 max: 9}",
                                       "(lyceum.v1.rules).int_range = {min: -1 max: 10}", "int32"),
    "LYCEUM_REQUIRED_NOT_ADDED": rules("", "(lyceum.v1.rules).required = true", ""),
    "LYCEUM_RPC_APPENDS_NOT_ADDED": (
        method("rpc Say(Ask) returns (Answer);"), method("rpc Say(Ask) returns (Answer) { option (lyceum.v1.appends) = true; } //!"),
        method("rpc Say(Ask) returns (Answer); rpc Keep(Ask) returns (Answer) { option (lyceum.v1.appends) = true; }")),
}

# More pairs of the same rules: (rule, old, breaking or None, allowed or None).
MORE = [
    ("RPC_SAME_CLIENT_STREAMING", method("rpc Say(stream Ask) returns (Answer);"), method("rpc Say(Ask) returns (Answer); //!"), None),
    ("FIELD_SAME_ONEOF", message("oneof one { string b = 2; }"), message("string b = 2; //!"), None),
    ("FIELD_SAME_ONEOF", message("oneof one { string b = 2; }"), message("oneof two {", "string b = 2; //!", "}"), None),
    ("FIELD_SAME_DEFAULT", message("optional string a = 1;", head=PROTO2), message('optional string a = 1 [default = "x"]; //!', head=PROTO2),
     message('optional string a = 1 [default = ""];', head=PROTO2)),
    ("FIELD_SAME_DEFAULT", message("optional bool a = 1;", head=PROTO2), message("optional bool a = 1 [default = true]; //!", head=PROTO2),
     message("optional bool a = 1 [default = false];", head=PROTO2)),
    ("FIELD_SAME_DEFAULT", PROTO2 + "enum Kind { A = 4; B = 5; }\nmessage Note {\noptional Kind k = 1;\n}\n",
     PROTO2 + "enum Kind { A = 4; B = 5; }\nmessage Note {\noptional Kind k = 1 [default = B]; //!\n}\n",
     PROTO2 + "enum Kind { A = 4; B = 5; }\nmessage Note {\noptional Kind k = 1 [default = A];\n}\n"),
    ("FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY", message("repeated string a = 1;"), message("string a = 1; //!"), None),
    ("FIELD_WIRE_JSON_COMPATIBLE_TYPE", message("map<string, int32> a = 1;"), message("map<string, string> a = 1; //!"), message("map<string, uint32> a = 1;")),
    ("FIELD_WIRE_JSON_COMPATIBLE_TYPE", message("map<int32, string> a = 1;"), message("map<string, string> a = 1; //!"), None),
    ("FIELD_WIRE_JSON_COMPATIBLE_TYPE", message("string a = 1;"), message("bytes a = 1; //!"), None),
    ("FIELD_WIRE_JSON_COMPATIBLE_TYPE", message("fixed64 a = 1;"), message("fixed32 a = 1; //!"), message("sfixed64 a = 1;")),
    ("FIELD_WIRE_JSON_COMPATIBLE_TYPE", message("sint32 a = 1;"), message("int32 a = 1; //!"), None),
    ("FIELD_WIRE_JSON_COMPATIBLE_TYPE", message("Part a = 1;"), message("Note a = 1; //!"), message("pair.v1.Part a = 1;")),
    ("FIELD_WIRE_JSON_COMPATIBLE_TYPE", PROTO3 + "enum Kind { NONE = 0; }\nmessage Note {\nKind k = 1;\nmessage In { enum Kind { NO = 0; } }\n}\n",
     PROTO3 + "enum Kind { NONE = 0; }\nmessage Note {\nIn.Kind k = 1; //!\nmessage In { enum Kind { NO = 0; } }\n}\n", None),
    # An enum may move as long as its name stays and no value goes.
    ("FIELD_WIRE_JSON_COMPATIBLE_TYPE", PROTO3 + "enum Kind { NONE = 0; }\nmessage Note { Kind k = 1; }\n", None,
     PROTO3 + "enum Kind { NONE = 0; }\nmessage Note { In.Kind k = 1; message In { enum Kind { NONE = 0; MORE = 1; } } }\n"),
    ("RESERVED_ENUM_NO_DELETE", enum('reserved "OLD";', "NONE = 0;"), enum("NONE = 0;"), None),
    ("RESERVED_MESSAGE_NO_DELETE", message("reserved 3 to max;"), message("reserved 3 to 1000;", mark=True), message("reserved 2 to max;")),
    ("MESSAGE_SAME_REQUIRED_FIELDS", message("required string a = 1;", head=PROTO2),
     message("reserved 1;", 'reserved "a";', mark=True, head=PROTO2), None),
    ("LYCEUM_ITEMS_NOT_NARROWED", message("string a = 1;"), message("string a = 1;", "repeated string b = 2 [(lyceum.v1.rules).min_items = 1]; //!"),
     message("string a = 1;", "repeated string b = 2 [(lyceum.v1.rules).max_items = 1];")),
    ("LYCEUM_KEY_SAME", message("string a = 1 [(lyceum.v1.key) = 1];", "string b = 2 [(lyceum.v1.key) = 2];"),
     message("string a = 1 [(lyceum.v1.key) = 2];", "string b = 2 [(lyceum.v1.key) = 1];", mark=True), None),
    ("LYCEUM_KEY_SAME", message("string a = 1;"), message("string a = 1 [(lyceum.v1.key) = 1];", mark=True), None),
    # A part without a key may become labelled, and never lose its label again.
    ("LYCEUM_LABEL_SAME", message("string a = 1;"), None, message("string a = 1;", "lyceum.v1.Label label = 2;")),
    ("LYCEUM_LABEL_SAME", message("string a = 1;", "lyceum.v1.Label label = 2;"),
     message("reserved 2;", 'reserved "label";', "string a = 1;", mark=True), None),
    ("LYCEUM_LENGTH_NOT_NARROWED",) + rules("(lyceum.v1.rules).min_len = 2", "(lyceum.v1.rules).min_len = 3", "(lyceum.v1.rules).min_len = 1"),
    ("LYCEUM_LENGTH_NOT_NARROWED",) + rules("", "(lyceum.v1.rules).max_len = 300", ""),
    ("LYCEUM_PATTERN_SAME",) + rules("", '(lyceum.v1.rules).pattern = ".*"', ""),
    ("LYCEUM_PERSONAL_NOT_REMOVED", message("string a = 1;"), None, message("string a = 1 [(lyceum.v1.personal) = true];")),
    # All that a field can hold is no bound.
    ("LYCEUM_RANGE_NOT_NARROWED",) + rules("", "(lyceum.v1.rules).int_range = {min: 0 max: 4294967294}",
                                           "(lyceum.v1.rules).int_range = {min: 0 max: 4294967295}", "uint32"),
    ("LYCEUM_RANGE_NOT_NARROWED",) + rules("(lyceum.v1.rules).float_range = {min: 0 max: 1}", "(lyceum.v1.rules).float_range = {min: 0 max: 0.5}",
                                           "(lyceum.v1.rules).float_range = {min: 0 max: 1.5}", "double"),
    ("LYCEUM_REQUIRED_NOT_ADDED", message("string a = 1;"), message("string a = 1;", "string b = 2 [(lyceum.v1.rules).required = true]; //!"),
     message("string a = 1;", "string b = 2;")),
    ("LYCEUM_RPC_APPENDS_NOT_ADDED", method("rpc Say(Ask) returns (Answer) { option (lyceum.v1.appends) = true; }"), None, method("rpc Say(Ask) returns (Answer);")),
]

class Compiler:
    """Each text in a folder of its own, under the same file name."""

    def __init__(self, folder, protoc, includes):
        self.folder, self.protoc, self.includes, self.count = folder, protoc, includes, 0

    def compile(self, text):
        self.count += 1
        root = os.path.join(self.folder, str(self.count))
        os.makedirs(os.path.join(root, "pair/v1"))
        with open(os.path.join(root, "pair/v1/pair.proto"), "w") as file:
            file.write(text)
        done = subprocess.run([self.protoc, "-I", root] + ["-I" + include for include in self.includes] +
                              ["--include_imports", "--include_source_info", "--descriptor_set_out=" + root + "/set", "pair/v1/pair.proto"],
                              capture_output=True, text=True)
        if done.returncode:
            raise SystemExit("protoc refuses a pair:\n%s\n%s" % (done.stderr, text))
        return root + "/set"


def marked_line(text):
    return next((number for number, line in enumerate(text.split("\n"), 1) if "//!" in line), 0)


def check(lyceum, compiler, rule, old, breaking, allowed):
    faults = []
    older = compiler.compile(old)

    def run(text):
        done = subprocess.run([lyceum, "schema", "diff", older, compiler.compile(text)], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr
    if breaking is not None:
        code, out, err = run(breaking)
        lines = out.splitlines()
        found = [re.fullmatch(r"pair/v1/pair\.proto:(\d+): (.+) \(([A-Z_]+)\)", line) for line in lines]
        if code != 1 or err or not lines or not all(found):
            faults.append("breaking: exit code %d\n%s%s" % (code, out, err))
        elif {match[3] for match in found} != {rule}:
            faults.append("breaking: other rules\n" + out)
        elif marked_line(breaking) not in [int(match[1]) for match in found if match[3] == rule]:
            faults.append("breaking: line %d is not named\n%s" % (marked_line(breaking), out))
    if allowed is not None:
        code, out, err = run(allowed)
        if code != 0 or out or err:
            faults.append("allowed: exit code %d\n%s%s" % (code, out, err))
    return faults


def main():
    lyceum, protoc, includes = sys.argv[1], sys.argv[2], sys.argv[3:]
    listed = subprocess.run([lyceum, "schema", "diff", "--rules"], capture_output=True, text=True)
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    faults = []
    if listed.returncode or len(names) != len(set(names)) or any(len(line.split()) < 4 for line in listed.stdout.splitlines()):
        faults.append("--rules is not a list of rules\n" + listed.stdout)
    if set(names) != set(PAIRS):
        faults.append("rules without a pair: %s, pairs without a rule: %s" % (set(names) - set(PAIRS), set(PAIRS) - set(names)))
    for rule, (old, breaking, allowed) in PAIRS.items():
        if breaking is None or allowed is None:
            faults.append("%s: the first pair has to have both" % rule)
    cases = [(rule,) + pair for rule, pair in PAIRS.items()] + MORE
    with tempfile.TemporaryDirectory() as folder:
        compiler = Compiler(folder, protoc, includes)
        for case in cases:
            faults += ["%s: %s" % (case[0], fault) for fault in check(lyceum, compiler, *case)]
        same = compiler.compile(PROTO3)
        for words, code in ((["diff"], 2), (["diff", same], 2), (["diff", same, folder + "/none"], 2), (["diff", same, same, same], 2),
                            (["diff", same, same], 0), (["diff", same, same, "--rules"], 2)):
            done = subprocess.run([lyceum, "schema"] + words, capture_output=True, text=True)
            if done.returncode != code or done.stdout or bool(done.stderr) != (code == 2):
                faults.append("%s: exit code %d instead of %d\n%s%s" % (words, done.returncode, code, done.stdout, done.stderr))
    for fault in faults:
        print(fault)
    print("%d rules, %d pairs, %d faults" % (len(names), len(cases), len(faults)))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
