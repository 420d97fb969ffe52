# What check-glibc runs in its chroot: read by tests/run-tests, as a group of tests.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154
#
# $built_here is the build tree of the machine outside, $top_builddir the one for this glibc.

library=libwritewatch-preload.so
here=$built_here/preload/$library
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-glibc.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# needs_only_libc NAME FILE: nothing but parts of glibc that every system has, in versions that are
# there
needs_only_libc()
{
    wanted "$1" || return 0
    open_log "$1"
    ldd "$2" >"$log" 2>&1
    status=$?
    others=$(awk '$1 !~ /^(linux-vdso|libc|libdl|libpthread)\.so\.[0-9]+$/ &&
                  $1 != "/lib64/ld-linux-x86-64.so.2" || /not found/' "$log")
    if [ $status -ne 0 ]; then fail "$1" "ldd: exit status $status: $(last_words)"
    elif [ -n "$others" ]; then fail "$1" "$(echo "$others" | head -n 1)"
    elif ! grep -q '^[[:space:]]*libc\.so\.6 ' "$log"; then fail "$1" "ldd was not understood"
    else pass "$1" "$(awk '{ printf "%s%s", sep, $1; sep = " " }' "$log")"
    fi
}

# silent COMMAND...: whether COMMAND says the same and ends the same with $preload preloaded; if
# not, $reason is why
silent()
{
    alone=$("$@" 2>&1 </dev/null; echo "status $?")
    preloaded=$(env LD_PRELOAD="$preload" "$@" 2>&1 </dev/null; echo "status $?")
    reason=
    [ "$alone" = "$preloaded" ] || reason="$(echo "$preloaded" | head -n 1 | cut -c 1-200)"
    [ -z "$reason" ]
}

# preloaded NAME COMMAND...
preloaded()
{
    name=$1
    shift
    wanted "$name" || return 0
    if silent "$@"; then pass "$name" "$(echo "$alone" | tail -n 1)"
    else fail "$name" "not as without it: $reason"
    fi
}

if wanted glibc/version; then
    version=$(ldd --version | sed -n '1s/.* //p')
    if [ "$version" = 2.31 ]; then pass glibc/version "$version"
    else fail glibc/version "this is glibc $version, not 2.31"
    fi
fi

# the library that was built for the machine outside, and the one that this system would build
needs_only_libc needs/preload "$here"
needs_only_libc needs/preload-own "$top_builddir/preload/$library"
needs_only_libc needs/library "$top_builddir/libwritewatch.so.0"
needs_only_libc needs/runner "$top_builddir/programs/writewatch/writewatch"

# what cannot be preloaded must be noticed here
if wanted preload/control; then
    preload=$top_srcdir/README.md
    if silent true; then fail preload/control "a library that does not load was not noticed"
    else pass preload/control "$reason"
    fi
fi
for preload in "$here" "$top_builddir/preload/$library"; do
    variant=preload
    [ "$preload" = "$here" ] || variant=preload-own
    if wanted $variant/loaded; then
        if env LD_PRELOAD="$preload" cat /proc/self/maps | grep -q "$library"; then
            pass $variant/loaded
        else
            fail $variant/loaded "it is not in the memory of a program"
        fi
    fi
    preloaded $variant/true true
    preloaded $variant/false false
    preloaded $variant/status sh -c 'exit 7'
    preloaded $variant/signal sh -c 'kill -KILL $$'
    preloaded $variant/shell bash -c 'for i in 1 2 3; do (echo $i | cat); done; exit 3'
    preloaded $variant/ls ls -l /usr/bin
    preloaded $variant/perl perl -e 'if (!fork) { exec "sh", "-c", "exit 4" } wait; exit $? >> 8'
    preloaded $variant/timeout timeout 60 sort -r /etc/passwd
    preloaded $variant/threads "$top_builddir/tests/unit/fair_lock"
    preloaded $variant/static /sbin/ldconfig --version
done

# The runner, with the library that was built outside. Nothing but the library has to load on a
# system older than the one that it was built on.
runner=$work/programs/writewatch/writewatch
lib=$(sed -n 's/^LOADER_LIB = //p' "$top_builddir/Makefile")
mkdir -p "$work/programs/writewatch" "$work/preload/$lib"
cp "$top_builddir/programs/writewatch/writewatch" "$runner"
cp "$here" "$work/preload/$lib/"
if wanted runner/built-here; then
    if words=$("$built_here/programs/writewatch/writewatch" --version 2>&1); then
        pass runner/built-here "$words"
    else
        case $words in
        *"version \`GLIBC_"*)
            skip runner/built-here "for a newer system: ${words##*: version }" ;;
        *) fail runner/built-here "$words" ;;
        esac
    fi
fi

# runs NAME STATUS OUTPUT COMMAND...
runs()
{
    name=$1 expected=$2 output=$3
    shift 3
    wanted "$name" || return 0
    words=$("$@" 2>&1 </dev/null)
    status=$?
    if [ $status -ne "$expected" ]; then fail "$name" "exit status $status: $words"
    else
        case $words in
        $output) pass "$name" "$(echo "$words" | head -n 1 | cut -c 1-80)" ;;
        *) fail "$name" "it said $words" ;;
        esac
    fi
}
runs runner/version 0 'writewatch [0-9]*.[0-9]*' "$runner" --version
runs runner/true 0 '' "$runner" true
runs runner/status 7 '' "$runner" sh -c 'exit 7'
runs runner/missing 127 'writewatch: *' "$runner" /no/such/program
runs runner/loads 0 "*$library*" "$runner" sh -c 'cat /proc/self/maps'

# Wine 5.0 has no ntdll.so: the library stands aside, and its processes say nothing; of the run it is
# said that no Wine that could be served was seen. The loader notes what it loads into each process.
wine_aside()
{
    wanted "$1" && have_wine "$1" "$2" || return 0
    in_wine "$1-stock" stock 120 "$2"
    stock_status=$status
    tree=$top_builddir
    top_builddir=$work
    export LD_DEBUG=files LD_DEBUG_OUTPUT="$work/loader"
    in_wine "$1" shim 120 "$2"
    unset LD_DEBUG LD_DEBUG_OUTPUT
    top_builddir=$tree
    said=$(grep -m 1 'writewatch:\|ld\.so' "$log")
    if [ $stock_status -ne 0 ]; then fail "$1" "exit status $stock_status under stock Wine"
    elif [ $status -ne 0 ]; then fail "$1" "exit status $status: $(last_words)"
    elif grep -v '^writewatch: no Wine process was started$' "$shim_log" >"$log.more"; then
        fail "$1" "$(head -n 1 "$log.more")"
    elif [ -n "$said" ]; then fail "$1" "$said"
    elif ! grep -l 'calling init: .*/ntdll\.dll\.so' "$work"/loader.* 2>/dev/null |
        xargs -r grep -l "calling init: .*/$library" | grep -q .; then
        fail "$1" "the library was not loaded into Wine"
    else pass "$1" "$("$WINE" --version 2>/dev/null)"
    fi
}
wine_aside wine/aside "$built_here/tests/stress/basic_poll.exe"

# the native library, compiled for this glibc
. "$tests/groups/10-unit.sh"
if wanted faults; then skip faults "sigabbrev_np and strerrorname_np need glibc 2.32"; fi
for backend in $(native_backends); do
    run "model/$backend" 300 env WRITEWATCH_BACKEND="$backend" "$top_builddir/tests/model/model" \
        --seed "${WRITEWATCH_SEED:-1}" --steps 20000
done
. "$tests/groups/16-race.sh"
. "$tests/groups/25-native.sh"
