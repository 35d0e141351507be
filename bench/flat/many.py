#!/usr/bin/env python3
"""A schema of many services, for what stands in the way of a call: many.py NUMBER COUNT > manyNUMBER.proto"""
import sys

number, count = int(sys.argv[1]), int(sys.argv[2])
print(f'syntax = "proto3";\n\npackage lyceum.many{number}.v1;\n\nmessage Nothing {{\n}}\n')
for i in range(count):
    print(f'service S{i:02d} {{\n  rpc Answer(Nothing) returns (Nothing);\n}}\n')
