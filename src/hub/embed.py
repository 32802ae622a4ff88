#!/usr/bin/env python3
"""embed.py FILE OUT.c NAME: a C file with NAME_text and NAME_bytes."""
import sys

data = open(sys.argv[1], "rb").read()
name = sys.argv[3]
with open(sys.argv[2], "w") as out:
    out.write(f'#include "hub/{name}.h"\n\nstatic const unsigned char content[] = {{\n')
    for i in range(0, len(data), 20):
        out.write("\t" + " ".join(f"{byte}," for byte in data[i : i + 20]) + "\n")
    out.write(f"}};\nconst char *const {name}_text = (const char *)content;\nconst size_t {name}_bytes = sizeof content;\n")
