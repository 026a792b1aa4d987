#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints a file as a C array NAME, with its size as NAME_size. Without a file the size is 0.

	embed.py NAME [FILE]
"""
import pathlib
import sys

name = sys.argv[1]
data = pathlib.Path(sys.argv[2]).read_bytes() if len(sys.argv) > 2 else b""
print("#include <stddef.h>")
print(f"extern const unsigned char {name}[];")
print(f"extern const size_t {name}_size;")
print(f"__attribute__((aligned(8))) const unsigned char {name}[] = {{")
for at in range(0, len(data), 16):
    print("\t" + ", ".join(f"{byte}" for byte in data[at:at + 16]) + ",")
print("\t0};" if not data else "};")
print(f"const size_t {name}_size = {len(data)};")
