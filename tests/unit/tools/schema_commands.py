#!/usr/bin/python3
"""`lyceum schema check, describe, convert` on a set, without a daemon: what they print and how they end. Usage: schema_commands.py LYCEUM SET"""
import os
import subprocess
import sys
import tempfile

FAULTS = []


def run(*words, given=b""):
    done = subprocess.run([sys.argv[1], "schema"] + list(words), input=given, capture_output=True)
    return done.returncode, done.stdout, done.stderr.decode()


def expect(what, is_so, *shown):
    if not is_so:
        FAULTS.append("%s: %s" % (what, shown))


def main():
    set_path = sys.argv[2]
    book = b'{"title":"Ethics","pages":3}'
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "book")
        code, binary, err = run("convert", set_path, "Book", given=book)
        expect("JSON to binary", (code, err) == (0, "") and binary[:1] != b"{" and b"Ethics" in binary, code, binary, err)
        with open(path, "wb") as file:
            file.write(binary)
        code, text, err = run("convert", set_path, "lyceum.library.v1.Book", path)
        expect("binary to JSON", (code, text, err) == (0, book + b"\n", ""), code, text, err)
        code, text, err = run("convert", set_path, "Book", "-", "--pretty", "--to", "json", given=binary)
        expect("on many lines", (code, err) == (0, "") and text.count(b"\n") > 2, code, text, err)
        code, text, err = run("convert", set_path, "Book", "--to", "binary", given=b" " + book)
        expect("said outright", (code, text) == (0, binary), code, text, err)
        code, text, err = run("convert", set_path, "Book", given=b'{"titel":""}')
        expect("a name that is not known", code == 1 and not text and "titel" in err, code, text, err)
        code, text, err = run("convert", set_path, "Book", given=b"\x0a\x05ab")
        expect("cut off", code == 1 and not text and err, code, text, err)
        code, text, err = run("convert", set_path, "Book", "--to", "yaml", given=book)
        expect("another form", code == 2 and not text and "yaml" in err, code, text, err)
        code, text, err = run("convert", set_path, "Bok", given=book)
        expect("no such type", code == 4 and not text and "Bok" in err, code, text, err)
        code, text, err = run("convert", set_path, "Book", folder + "/none")
        expect("no such input", code == 2 and not text and "none" in err, code, text, err)
        code, text, err = run("check", set_path, path)
        expect("check", code == 1 and text.decode().startswith(set_path + ": ") and path in err, code, text, err)
        code, text, err = run("describe", set_path)
        for line in ("service lyceum.library.v1.Library", "message lyceum.library.v1.Book", "enum lyceum.v1.Visibility"):
            expect("describe lists", code == 0 and line in text.decode().split("\n"), line, text, err)
        for name, line in (("Book", "message Book {"), ("Visibility", "enum Visibility {"), ("Library/Lend", "  rpc Lend(")):
            code, text, err = run("describe", set_path, name)
            expect("describe " + name, code == 0 and line in text.decode(), text, err)
        for words in ([], ["check"], ["describe"], ["convert", set_path], ["melt", set_path]):
            code, text, err = run(*words)
            expect("usage", code == 2 and not text and err, words, code, text, err)
    for fault in FAULTS:
        print(fault)
    sys.exit(1 if FAULTS else 0)


if __name__ == "__main__":
    main()
