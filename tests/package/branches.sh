#!/bin/sh
# Assembler code is marked as fit for indirect branch tracking and shadow stacks where the compiler
# marks C code so: one object without the mark takes it from the whole library.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

CC=${CC:-cc}
OBJDUMP=${OBJDUMP:-objdump}
readelf=${OBJDUMP%objdump}readelf
arch=$(sed -n 's/^ARCH = //p' "$top_builddir/Makefile")
case $arch in
x86_64|i386) flag=-fcf-protection=full off=-fcf-protection=none wanted='IBT, SHSTK' ;;
aarch64) flag=-mbranch-protection=standard off=-mbranch-protection=none wanted='BTI, PAC' ;;
*) echo "no flag known for $arch"; exit 1 ;;
esac
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-branches.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
status=0

# marks_of OBJECT: the names of its marks
marks_of()
{
    LC_ALL=C "$readelf" -n "$1" | sed -n 's/^.*\(x86\|AArch64\) feature: *//p'
}

# control: what the compiler makes of C
echo 'int any( void ) { return 1; }' >"$work/control.c"
# shellcheck disable=SC2086
$CC $flag -c -o "$work/control.o" "$work/control.c" || {
    echo "$CC does not know $flag"
    exit 77
}
[ "$(marks_of "$work/control.o")" = "$wanted" ] || {
    echo "an object of C has the mark '$(marks_of "$work/control.o")', not '$wanted'"
    status=1
}

count=0
for source in "$top_srcdir"/dlls/ntdll/unix/*/arch/"$arch"/*.S "$top_srcdir"/preload/arch/"$arch"/*.S; do
    [ -f "$source" ] || continue
    count=$((count + 1))
    for with in "$flag" ''; do
        # shellcheck disable=SC2086
        $CC ${with:-$off} -c -o "$work/object.o" "$source" || exit 1
        marks=$(marks_of "$work/object.o")
        [ "$marks" = "${with:+$wanted}" ] || {
            echo "$source has the mark '$marks' with '$with'"
            status=1
        }
        # where a program gets by the linkage table, which is an indirect branch
        code=$("$OBJDUMP" -d --no-show-raw-insn "$work/object.o")
        case $source in
        */dlopen.S)
            first=$(echo "$code" | sed -n '/<dlopen>:/{n;p;}')
            case ${with:+with}$first in
            with*endbr*) ;;
            with*) echo "dlopen begins with $first"; status=1 ;;
            *endbr*) echo "dlopen begins with $first without $flag"; status=1 ;;
            esac ;;
        esac
    done
done
[ $count -ne 0 ] || { echo "no assembler code found for $arch"; status=1; }
exit $status
