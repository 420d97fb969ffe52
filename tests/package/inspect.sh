#!/bin/sh
#
# What the preload library does not recognise, or must not touch, it leaves alone, and says why in
# one line; in a process without Wine's ntdll.so it does nothing at all.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

set -eu
library=$top_builddir/preload/libwritewatch-preload.so
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

cat > "$dir/load.c" <<'END'
#include <dlfcn.h>
#include <stdio.h>
#include <sys/mman.h>

int main( int argc, char **argv )
{
    void *handle, *ptr;
    int (*get)( void );
    int i;

    for (i = 1; i < argc; i++)
    {
        if (!(handle = dlopen( argv[i], RTLD_NOW ))) return 2;
        if ((get = (int (*)( void ))dlsym( handle, "NtGetWriteWatch" )) && get() != 42) return 3;
    }
    ptr = mmap( NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    if (ptr == MAP_FAILED || mlock( ptr, 4096 ) || munlock( ptr, 4096 ) ||
        madvise( ptr, 8192, MADV_DONTNEED )) return 4;
    return munmap( ptr, 8192 ) ? 5 : 0;
}
END
$CC -o "$dir/load" "$dir/load.c" -ldl

# make_ntdll NAME TABLE [OPTION...]: a library with the functions that are looked for, and lines of C
make_ntdll() {
    name=$1; table_lines=$2; shift 2
    mkdir -p "$dir/$name"
    {
        for f in AllocateVirtualMemory AllocateVirtualMemoryEx FreeVirtualMemory GetWriteWatch \
                 ResetWriteWatch; do
            echo "__attribute__((noinline)) int Nt$f( void ) { return 42; }"
        done
        echo "$table_lines"
    } > "$dir/$name/ntdll.c"
    $CC -shared -fPIC -O1 -Wl,-Bsymbolic "$@" -o "$dir/$name/ntdll.so" "$dir/$name/ntdll.c"
}

# expect WORDS VARIABLE=VALUE... PROGRAM...: one line with these words, or none for "nothing"
expect() {
    words=$1; shift
    rm -f "$dir/log"
    env LD_PRELOAD="$library" WRITEWATCH_LOG="$dir/log" "$@" || {
        echo "$words: the program failed with $?"; status=1; return; }
    if [ "$words" = nothing ]; then
        if [ -e "$dir/log" ]; then echo "not silent: $(cat "$dir/log")"; status=1; fi
    elif ! [ -e "$dir/log" ] || [ "$(wc -l < "$dir/log")" -ne 1 ] ||
        ! grep -q "$words" "$dir/log"; then
        echo "expected: $words"; echo "log: $(cat "$dir/log" 2>/dev/null || echo none)"; status=1
    fi
}

mkdir "$dir/empty"
echo 'int nothing;' > "$dir/empty/ntdll.c"
$CC -shared -fPIC -o "$dir/empty/ntdll.so" "$dir/empty/ntdll.c"
cp "$dir/empty/ntdll.so" "$dir/empty/other.so"

table='void *table[8] = { NtGetWriteWatch, 0, NtAllocateVirtualMemory, NtAllocateVirtualMemoryEx, 0,
                           NtFreeVirtualMemory, 0, NtResetWriteWatch };'
make_ntdll no_table ''
make_ntdll two_tables "$table void *again[1] = { NtGetWriteWatch };"
make_ntdll two_codes "$table __attribute__((section( \".far\" ))) int far( void ) { return 1; }" \
    -Wl,--section-start=.far=0x400000
make_ntdll no_dll "$table"
make_ntdll bad_dll "$table"
for i in 1 2 3 4 5 6 7 8; do cat "$dir/bad_dll/ntdll.so"; done > "$dir/bad_dll/ntdll.dll"
make_ntdll cut_dll "$table"
printf 'MZ' > "$dir/cut_dll/ntdll.dll"

expect nothing "$dir/load"
expect nothing "$dir/load" "$dir/empty/other.so"
expect nothing sh -c 'exit 0'
expect 'not active: this Wine is not recognised: ntdll.so has no Nt' \
    "$dir/load" "$dir/empty/ntdll.so"
expect 'not active: this Wine is not recognised: ntdll.so has 2 segments of code' \
    "$dir/load" "$dir/two_codes/ntdll.so"
expect 'not active: this Wine is not recognised: 0 places hold the address of' \
    "$dir/load" "$dir/no_table/ntdll.so"
expect 'not active: this Wine is not recognised: 2 places hold the address of NtGetWriteWatch' \
    "$dir/load" "$dir/two_tables/ntdll.so"
expect 'not active: this Wine is not recognised: no ntdll.dll beside ntdll.so' \
    "$dir/load" "$dir/no_dll/ntdll.so"
expect 'not active: this Wine is not recognised: ntdll.dll is not a 64-bit library' \
    "$dir/load" "$dir/bad_dll/ntdll.so"
expect 'not active: this Wine is not recognised: ntdll.dll is not a 64-bit library' \
    "$dir/load" "$dir/cut_dll/ntdll.so"
expect 'not active: WRITEWATCH=off' WRITEWATCH=off "$dir/load" "$dir/no_dll/ntdll.so"
expect 'not active: WINE_DISABLE_KERNEL_WRITEWATCH is set' WINE_DISABLE_KERNEL_WRITEWATCH=1 \
    "$dir/load" "$dir/no_dll/ntdll.so"

# with the Windows side of an installed Wine the invented table is in the wrong order
dll=
for place in /usr/lib/x86_64-linux-gnu/wine/x86_64-windows/ntdll.dll; do
    [ -e "$place" ] && dll=$place
done
if [ -n "$dll" ]; then
    make_ntdll order "$table"
    cp "$dll" "$dir/order/ntdll.dll"
    expect 'not active: this Wine is not recognised: .* is not at its place' \
        "$dir/load" "$dir/order/ntdll.so"
fi
exit $status
