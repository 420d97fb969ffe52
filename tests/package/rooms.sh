#!/bin/sh
# The rooms of the sources (docs/design.md) use each other only along the arrows: what a source
# includes, and what its object needs from other objects.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}" "${top_builddir:?}"
unix=dlls/ntdll/unix
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-rooms.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# ROOM: the rooms that it may use besides itself
cat >"$work/arrows" <<'END'
sys:
engine: sys
scan: engine sys
fault: engine sys
front: engine sys
track: fault engine sys
native: front fault engine sys
writewatch: native track engine sys
kernelbase:
preload: front engine sys
END

# FILE: besides, the room that a single file may use: the lists of backends
cat >"$work/files" <<END
$unix/native/backend_list: scan
preload/backend_list: scan
END

# What any room may use that a host provides (engine/host.h), and the system calls of Windows, by
# which kernelbase is over the native host as it is over Wine.
host=$(sed -n 's/^extern .*[ *]\([a-z_]*\)\(\[\]\|(.*\);$/\1/p' "$top_srcdir/$unix/engine/host.h")
# What the preload library exports takes the place of functions of the C library.
# So does each file that only the shared native library has.
exports=$(sed -n 's/^ *\([a-z0-9_]*\);$/\1/p' "$top_srcdir/preload/preload.map"
    for file in "$top_srcdir"/dlls/writewatch/shared/*.c; do basename "$file" .c; done)

room_of()
{
    case $1 in
    $unix/*/*) echo "$1" | cut -d/ -f4 ;;
    $unix/*) echo front ;;
    dlls/*) echo "$1" | cut -d/ -f2 ;;
    preload/*) echo preload ;;
    esac
}

cd "$top_srcdir" || exit 1
sources=$(find dlls preload -name '*.[chS]' | sort)
for source in $sources; do echo "$(room_of "$source") $source"; done >"$work/rooms"

# the headers: room, file, room of the header; nt_types.h has types alone, include/ is for all
while read -r room source; do
    sed -n 's/^#include "\(.*\)"$/\1/p' "$source" | while read -r header; do
        case $header in
        sys/*|engine/*|scan/*|fault/*|track/*|native/*) echo "$room $source ${header%%/*} #include" ;;
        write_watch.h) echo "$room $source front #include" ;;
        *) ;;
        esac
    done
done <"$work/rooms" >"$work/uses"
[ "$(wc -l <"$work/uses")" -gt 100 ] || { echo "no headers found"; exit 1; }

# the objects: symbols that they define, and that they need
cd "$top_builddir" || exit 1
while read -r room source; do
    object=${source%.*}.o
    case $source in *.h) continue ;; esac
    [ -f "$object" ] || continue
    ${NM:-nm} -P "$object" | awk -v room="$room" -v source="$source" '
        $2 == "U" { print "needs", room, source, $1; next }
        $2 ~ /^[A-Z]$/ { print "defines", room, source, $1 }'
done <"$work/rooms" >"$work/symbols"
[ "$(grep -c '^needs' "$work/symbols")" -gt 300 ] || { echo "no objects found"; exit 1; }

awk -v host="$host" -v exports="$exports" '
    BEGIN { count = split( host, names ); for (i = 1; i <= count; i++) by_host[names[i]] = 1
            count = split( exports, names ); for (i = 1; i <= count; i++) of_libc[names[i]] = 1 }
    # all definitions first: a room may define what it needs in a file that comes later
    NR == FNR { if ($1 == "defines") rooms[$4] = rooms[$4] " " $2; next }
    $1 == "needs" {
        if (!($4 in rooms) || rooms[$4] ~ (" " $2 "( |$)") || $4 in of_libc) next
        if (($2 == "engine" || $2 == "track") && $4 in by_host) next
        if ($2 == "kernelbase" && $4 ~ /^Nt[A-Z]/) next
        count = split( rooms[$4], where )
        for (i = 1; i <= count; i++) print $2, $3, where[i], $4
    }' "$work/symbols" "$work/symbols" >>"$work/uses"

# A symbol that several rooms define is that of the own link set: one arrow that is allowed is
# enough.
awk '
    FILENAME ~ /arrows$/ { sub( /:/, "", $1 ); for (i = 2; i <= NF; i++) arrow[$1, $i] = 1; next }
    FILENAME ~ /files$/ { sub( /:/, "", $1 ); file[$1, $2] = 1; next }
    $1 == $3 { next }
    {
        name = $2
        sub( /\.[chS]$/, "", name )
        key = $1 " " $2 " " $4 ($4 == "#include" ? " " $3 : "")
        to[key] = to[key] " " $3
        if (($1, $3) in arrow || (name, $3) in file) fine[key] = 1
    }
    END {
        for (key in to)
            if (!(key in fine))
            {
                split( key, word, " " )
                print word[2] ": " word[1] " may not use" to[key] " (" word[3] ")"
                bad++
            }
        exit bad != 0
    }' "$work/arrows" "$work/files" "$work/uses"
