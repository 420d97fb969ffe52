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

/* MEM_COMMIT, MEM_RESERVE, MEM_WRITE_WATCH */
#define WATCHED  0x203000
#define WATCH    0x200000
#define DECOMMIT 0x4000

/* Says where allocations and a decommit for other processes lead to: to Wine's functions as they
 * came, or to the hooks, which hide the flag, and which hand on their own copy of a pointer. */
static int show_lead( void *handle )
{
    int (*serve)( int, void **, size_t *, unsigned int ) = dlsym( handle, "serve" );
    unsigned int *seen_type = dlsym( handle, "seen_type" );
    void **seen_pointer = dlsym( handle, "seen_pointer" );
    int what, hooked = 0;

    for (what = 0; what < 2; what++)
    {
        void *base = NULL;
        size_t size = 0x10000;

        *seen_type = 0;
        if (serve( what, &base, &size, WATCHED )) return 0;
        hooked += *seen_type == (WATCHED & ~WATCH);
        if (serve( 2, &base, &size, DECOMMIT )) return 0;
        hooked += *seen_pointer != &base;
    }
    puts( !hooked ? "stock" : hooked == 4 ? "hooks" : "both" );
    return 1;
}

int main( int argc, char **argv )
{
    void *handle, *ptr;
    int (*get)( void );
    int i;

    for (i = 1; i < argc; i++)
    {
        if (!(handle = dlopen( argv[i], RTLD_NOW ))) return 2;
        if ((get = (int (*)( void ))dlsym( handle, "NtGetWriteWatch" )) && get() != 42) return 3;
        if (dlsym( handle, "serve" ) && !show_lead( handle )) return 6;
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

# check_line WORDS VARIABLE=VALUE... PROGRAM...: whether the program works, and one line with these
# words says whether the library is active; or no line at all for "nothing"
check_line() {
    words=$1; shift
    rm -f "$dir/log"
    env LD_PRELOAD="$library" WRITEWATCH_LOG="$dir/log" "$@" || {
        echo "$words: the program failed with $?" >&2; return 1; }
    if [ "$words" = nothing ]; then
        [ -e "$dir/log" ] || return 0
        echo "not silent: $(cat "$dir/log")" >&2
    else
        if [ -e "$dir/log" ] && [ "$(grep -c ': \(not \)\?active' "$dir/log")" -eq 1 ] &&
            grep -q -- "$words" "$dir/log"; then return 0; fi
        echo "expected: $words" >&2
        echo "log: $(cat "$dir/log" 2>/dev/null || echo none)" >&2
    fi
    return 1
}

expect() {
    check_line "$@" || status=1
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
for word in OFF 0 no No False; do
    expect 'not active: WRITEWATCH=off' WRITEWATCH=$word "$dir/load" "$dir/no_dll/ntdll.so"
done
for word in '' on 1 yes TRUE offen; do
    expect 'not active: this Wine is not recognised: no ntdll.dll' WRITEWATCH=$word \
        "$dir/load" "$dir/no_dll/ntdll.so"
done

# Settings of one program, whose name is the first argument of what loads ntdll.so, in any case.
# programs LOG WORDS VALUE [NAME]: what the log says with that WRITEWATCH_PROGRAMS
programs() {
    rm -f "$dir/log" "$dir/own"
    env LD_PRELOAD="$library" WRITEWATCH_LOG="$dir/log" WRITEWATCH_PROGRAMS="$3" \
        "$dir/load" "${4:-$dir/no_dll/ntdll.so}"
    [ -e "$dir/$1" ] && grep -q -- "$2" "$dir/$1" && return
    echo "with $3: not said in $1: $2; $(cat "$dir/log" "$dir/own" 2>/dev/null)" >&2
    status=1
}
off='not active: switched off for this program'
on='not active: this Wine is not recognised: no ntdll.dll'
programs log "$off" 'ntdll.so:off=off'
programs log "$off" 'NTDLL.SO:off=off'
programs log "$off" 'other.exe:off=on;ntdll.so:off=off;third.exe:off=on'
programs own "$on" "ntdll.so:log=$dir/own"
programs own "$off" "ntdll.so:log=$dir/own;ntdll.so:off=off"
for value in 'other.exe:off=off' 'ntdll.so:off' 'ntdll.so' ':off=off' ';;' 'ntdll.so :off=off' \
    ' ntdll.so:off=off' 'ntdll.so:of=off' 'ntdll.so:OFF=off' 'ntdll.so.x:off=off' 'tdll.so:off=off' \
    'ntdll.so:off=on' '' "$(printf '%08192d' 0);ntdll.so:off=off"; do
    programs log "$on" "$value"
done
WRITEWATCH=off programs log "$on" 'ntdll.so:off=on'

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

# What compilers make of the same functions, beside a file with the numbers of their system calls.
mkdir -p "$dir/compiled"
compiled=$dir/compiled/ntdll.so
"$top_builddir/tests/unit/x86_64/inspect" "$dir/compiled/ntdll.dll"
if "$top_builddir/tests/unit/library" probe scan > "$dir/reason" 2>&1; then
    active=': active, scan ([^)]*)$'
    active_for_kernel=": active, scan ([^)]*), in place of Wine's own kernel watches\$"
else
    active=': not active: '
    active_for_kernel=": not active: .*; Wine's own watches go on\$"
fi
unknown=': not active: this Wine is not recognised: '
go_on="; Wine's own kernel watches go on\$"

# compile FORM OPTION...: with a dispatcher of that form, by $compiler
compile() {
    form=$1; shift
    abi=
    [ "$form" -ne 1 ] || abi='__attribute__((ms_abi))'
    $compiler -w -shared -fPIC -Wl,-Bsymbolic -DABI="$abi" -DDISPATCHER="$form" "$@" \
        -o "$compiled" "$top_srcdir/tests/package/inspect/ntdll.c"
}

# load EXPECTED [VARIABLE=VALUE]: what is said, and whether all calls lead to the hooks, or none
load() {
    lead=$(check_line "$@" "$dir/load" "$compiled") || return 1
    case $lead in
    hooks) grep -q ': active, ' "$dir/log" ;;
    stock) grep -q ': not active: ' "$dir/log" ;;
    *) false ;;
    esac || { echo "calls lead to: $lead; the log: $(cat "$dir/log")"; false; }
}

# compiled EXPECTED FORM OPTION...: the same for what is compiled so
compiled() {
    expected=$1; shift
    if ! compile "$@"; then echo "$compiler $*: failed"; status=1
    elif ! load "$expected"; then echo "with $compiler, form $*"; status=1
    fi
}

compiler=$CC
for form in 1 2 3; do
    for options in -O1 -O2 -O3 -Os '-O3 -flto' '-O2 -fno-plt'; do
        # shellcheck disable=SC2086
        compiled "$active" $form $options
    done
    compiled "$active_for_kernel" $form -O2 -DKERNEL_WATCHES
done
compiled "${unknown}its system call dispatcher has none of the known forms\$" 0 -O2
compiled "$unknown.*none of the known forms$go_on" 0 -O2 -DKERNEL_WATCHES

# A function, or its begin, is built into what calls it: requests of other processes would pass by.
# This compiler is free to do so or not.
compiled "${unknown}[0-9]* calls of Nt\|$active" 2 -O3 -fno-semantic-interposition
compiled "${unknown}[0-9]* calls of Nt\|$active" 2 -O3 -fno-semantic-interposition -DSMALL

# the switch of Wine's own kernel watches ends these as well, in a Wine that reads it; and what the
# kernel refuses to us it may refuse to Wine
compile 2 -O2 -DKERNEL_WATCHES
load ": not active: WRITEWATCH=off$go_on" WRITEWATCH=off || status=1
load ': not active: WINE_DISABLE_KERNEL_WRITEWATCH is set$' WINE_DISABLE_KERNEL_WRITEWATCH=1 ||
    status=1
load ": not active: .*; Wine's own watches go on\$" WRITEWATCH_BACKEND=none || status=1

for compiler in clang clang-14; do
    command -v $compiler > /dev/null || continue
    for options in -O1 -O2 -O3 -Os -Oz '-O3 -flto -fuse-ld=lld' '-O3 -fsemantic-interposition'; do
        case $options in
        *lld*) command -v ld.lld > /dev/null || continue ;;
        esac
        # shellcheck disable=SC2086
        {
            for form in 1 2 3; do compiled "${unknown}[0-9]* calls of Nt\|$active" $form $options; done
            compiled "$unknown\|$active" 2 $options -DSMALL
        }
    done
    break
done
exit $status
