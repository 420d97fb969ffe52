#!/bin/sh
# Runs programs in another root, with the library preloaded by a path that means something else
# there, as in the containers of Steam. The program must run in each; docs/containers.md.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: container.sh NAME; exit status 0 pass, 1 fail, 77 skip. The environment is that of
# run-tests.

: "${top_srcdir:?}" "${top_builddir:?}" "${CC:?}"
name=$1
library=libwritewatch-preload.so
built=$top_builddir/preload/$library
status=0

work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-container.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
root=$work/root
log=$work/app/log
mkdir "$root" "$work/app" "$work/hidden" || exit 1

own_mounts="unshare -m --propagation private"
[ "$(id -u)" -eq 0 ] || own_mounts="unshare -Urm --propagation private"
reason=$($own_mounts chroot / true 2>&1) || {
    echo "not possible here: $(printf '%s' "$reason" | tail -n 1)"
    exit 77
}

# Makes a root of its own from the system's folders and what is shared, FROM:TO, and runs a command
# there. HIDE:FOLDER makes a folder empty.
cat >"$work/enter" <<'END'
#!/bin/sh
root=$1
shift
cp -P /bin /sbin /lib /lib64 /lib32 "$root/" 2>/dev/null
for dir in bin sbin lib lib64 usr etc dev proc; do
    [ ! -h "/$dir" ] && [ -d "/$dir" ] || continue
    mkdir -p "$root/$dir" && mount --rbind "/$dir" "$root/$dir" || exit 99
done
mkdir -p "$root/tmp"
while [ "$1" != -- ]; do
    from=${1%%:*}
    to=$root${1#*:}
    if [ "$from" = HIDE ]; then mount -t tmpfs none "$to" || exit 99
    else mkdir -p "$to" && mount --rbind "$from" "$to" || exit 99
    fi
    shift
done
shift
exec chroot "$root" "$@"
END
chmod +x "$work/enter"

# A program that loads an ntdll.so, beside which is the file with the system calls' numbers.
cat >"$work/load.c" <<'END'
#include <dlfcn.h>
#include <stdio.h>

int main( int argc, char **argv )
{
    void *handle = argc > 1 ? dlopen( argv[1], RTLD_NOW ) : 0;
    int (*get)( void ) = handle ? (int (*)( void ))dlsym( handle, "NtGetWriteWatch" ) : 0;

    puts( argc == 1 || (get && get() == 42) ? "works" : "fails" );
    return 7;
}
END
$CC -o "$work/app/load" "$work/load.c" -ldl || exit 1
$CC -w -O1 -shared -fPIC -Wl,-Bsymbolic -DABI= -DDISPATCHER=2 -o "$work/app/ntdll.so" \
    "$top_srcdir/tests/package/inspect/ntdll.c" || exit 1
"$top_builddir/tests/unit/x86_64/inspect" "$work/app/ntdll.dll" || exit 1

complain()
{
    echo "$name: $*"
    status=1
}

# run SAID NOISE PRELOAD [FROM:TO...]: runs the program in the root. SAID is what the log says, or
# nothing; NOISE is what the dynamic linker says of the library, or nothing.
run()
{
    said=$1
    noise=$2
    preload=$3
    shift 3
    rm -f "$log"
    $own_mounts "$work/enter" "$root" "$work/app:/app" "$@" -- \
        /usr/bin/env LD_PRELOAD="$preload" WRITEWATCH_LOG=/app/log /app/load /app/ntdll.so \
        >"$work/output" 2>"$work/noise"
    got=$?
    [ $got -eq 7 ] || complain "$preload: exit status $got: $(cat "$work/noise")"
    [ "$(cat "$work/output")" = works ] || complain "$preload: the program did not work"
    if [ "$said" = nothing ]; then
        [ ! -e "$log" ] || complain "$preload: said: $(cat "$log")"
    else
        grep -q ": $said" "$log" ||
            complain "$preload: not said: $said, but: $(cat "$log" 2>&1)"
    fi
    if [ "$noise" = nothing ]; then
        [ ! -s "$work/noise" ] || complain "$preload: not silent: $(cat "$work/noise")"
    else
        # the linker says so for each program that is started, env and the program
        grep -q "LD_PRELOAD.*$noise" "$work/noise" || complain "$preload: no noise: $noise"
    fi
}

missing='cannot open shared object file.*: ignored'
host=/run/host$top_builddir/preload
if "$top_builddir/tests/unit/library" probe scan >/dev/null 2>&1; then active='active, scan '
else active='not active: '
fi

case $name in
same-path)
    # a folder that is shared as it is, as that of the user
    run "$active" nothing "$built" "$top_builddir/preload:$top_builddir/preload"
    ;;
not-shared)
    run nothing "$missing" "$built"
    run nothing "$missing" "/usr/lib/writewatch-missing/$library"
    ;;
prefix)
    # what the container's tools make of the path of a library of the host
    run "$active" nothing "$host/$library" "$top_builddir/preload:$host"
    # the unchanged path before it, which is not there
    run "$active" "$missing" "$built:$host/$library" "$top_builddir/preload:$host"
    ;;
lib)
    # $LIB is expanded by the linker of the root
    lib=$(cd "$top_builddir/preload" && find lib lib64 -name "$library" 2>/dev/null |
        while read -r file; do
            [ "$(od -An -j4 -N1 -t d1 "$file" | tr -d ' ')" = 2 ] && echo "${file%/*}"
        done | head -n 1)
    [ -n "$lib" ] || complain "no library for \$LIB"
    run "$active" nothing "$host/\$LIB/$library" "$top_builddir/preload:$host"
    # it has another meaning there than where the library was installed
    mkdir -p "$work/hidden/lib-elsewhere"
    cp "$built" "$work/hidden/lib-elsewhere/"
    run nothing "$missing" "/run/host/x/\$LIB/$library" "$work/hidden:/run/host/x"
    # so that the root has links by both names
    mkdir -p "$work/hidden/$lib"
    ln -s "/run/host/x/lib-elsewhere/$library" "$work/hidden/$lib/$library"
    run "$active" nothing "/run/host/x/\$LIB/$library" "$work/hidden:/run/host/x"
    ;;
platform)
    mkdir -p "$work/hidden/none"
    cp "$built" "$work/hidden/none/"
    run nothing "$missing" "/run/host/x/\${PLATFORM}/$library" "$work/hidden:/run/host/x"
    for platform in x86_64 haswell xeon_phi; do
        ln -s none "$work/hidden/$platform"
    done
    run "$active" nothing "/run/host/x/\${PLATFORM}/$library" "$work/hidden:/run/host/x"
    ;;
word-size)
    # a library for the other word size is passed over, and does not stand in for ours
    other=$(find "$top_builddir/preload/" -name "$library" | while read -r file; do
        [ "$(od -An -j4 -N1 -t d1 "$file" | tr -d ' ')" = 1 ] && echo "$file"
    done | head -n 1)
    [ -n "$other" ] || { echo "not possible here: no 32-bit library was built"; exit 77; }
    mkdir "$work/hidden/32"
    cp "$other" "$work/hidden/32/"
    run nothing 'wrong ELF class.*: ignored' "/run/host/x/32/$library" "$work/hidden:/run/host/x"
    run "$active" 'wrong ELF class.*: ignored' "/run/host/x/32/$library:$host/$library" \
        "$work/hidden:/run/host/x" "$top_builddir/preload:$host"
    # a program of 32 bits under the library of 64
    if i686-linux-gnu-gcc -o "$work/app/load32" "$work/load.c" -ldl 2>/dev/null &&
        [ "$("$work/app/load32" 2>/dev/null)" = works ]; then
        rm -f "$log"
        $own_mounts "$work/enter" "$root" "$work/app:/app" "$top_builddir/preload:$host" -- \
            /usr/bin/env LD_PRELOAD="$host/$library" WRITEWATCH_LOG=/app/log /app/load32 \
            >"$work/output" 2>"$work/noise"
        [ "$(cat "$work/output")" = works ] || complain "the 32-bit program did not work"
        [ ! -e "$log" ] || complain "said of a 32-bit program: $(cat "$log")"
        grep -q 'LD_PRELOAD.*wrong ELF class.*: ignored' "$work/noise" ||
            complain "the linker of 32 bits took the library: $(cat "$work/noise")"
    else
        echo "no 32-bit program can be built or run here: left out"
    fi
    ;;
log)
    # the folder of the log is not there, or may not be written: nothing is said
    for file in /nowhere/log /proc/log /app; do
        $own_mounts "$work/enter" "$root" "$work/app:/app" "$top_builddir/preload:$host" -- \
            /usr/bin/env LD_PRELOAD="$host/$library" WRITEWATCH_LOG=$file /app/load /app/ntdll.so \
            >"$work/output" 2>&1
        [ "$(cat "$work/output")" = works ] || complain "log $file: $(cat "$work/output")"
    done
    ;;
environment)
    # a program on the way clears the environment
    rm -f "$log"
    $own_mounts "$work/enter" "$root" "$work/app:/app" "$top_builddir/preload:$host" -- \
        /usr/bin/env LD_PRELOAD="$host/$library" WRITEWATCH_LOG=/app/log \
        /usr/bin/env -i /app/load /app/ntdll.so >"$work/output" 2>&1
    [ "$(cat "$work/output")" = works ] || complain "$(cat "$work/output")"
    [ ! -e "$log" ] || complain "said: $(cat "$log")"
    ;;
wine)
    # all of Wine; the library is where the host has it, and the place where it was built is empty
    $own_mounts "$work/enter" "$root" "$top_srcdir:$top_srcdir" "$top_builddir:$top_builddir" \
        "$work/app:/app" "$top_builddir/preload:$host" "HIDE:$top_builddir/preload" -- \
        /usr/bin/env TMPDIR=/app HOME=/app "$top_srcdir/tests/wine-run" --mode stock --timeout 180 \
        --wrap "/usr/bin/env LD_PRELOAD=$host/$library WRITEWATCH_LOG=/app/log" \
        "$top_builddir/tests/stress/basic_poll.exe" >"$work/output" 2>&1 ||
        complain "exit status $?: $(tail -n 3 "$work/output")"
    grep -q 'basic_poll: .* 0 failures' "$work/output" || complain "$(tail -n 3 "$work/output")"
    grep -q " basic_poll.exe: $active" "$log" || complain "not said of basic_poll.exe: $active"
    ;;
*)
    complain "no such container"
    ;;
esac
exit $status
