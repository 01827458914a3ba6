#!/bin/sh
# Compiles and links a CUDA program with the command that is given, and runs it where there is a GPU: a program that ends with 77 has found none.
# usage: cuda_program.sh BINARY COMPILER FLAGS...
binary=$1
shift
"$@" -o "$binary" || exit 1
"$binary"
status=$?
[ $status = 77 ] || exit $status
echo "compiled and linked, not executed on a GPU"
