# What check-packages runs inside a tree of Debian: read by tests/run-tests, as a group of tests.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154
#
# The packages are in /writewatch/logs/packages and those of the next version beside them, in
# /writewatch/logs/next. Each test goes on from what the one before it left.

# as wine-run has it: not what was built, but what is installed
export WRITEWATCH_RUNNER=/usr/bin/writewatch
ours='writewatch:amd64 writewatch-preload:amd64 writewatch-preload:i386 libwritewatch0:amd64
    libwritewatch-dev:amd64'

# what the system has besides what changes by itself
snapshot()
{
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o \
        -path /root -o -path /writewatch -o -path /var/log -o -path /var/cache -o \
        -path /var/lib/dpkg -o -path /etc/ld.so.cache \) -prune -o -print | LC_ALL=C sort
    find /var/lib/dpkg/info -name '*writewatch*'
    # shellcheck disable=SC2016
    dpkg-query -W -f '${Package} ${Architecture} ${Version} ${db:Status-Status}\n'
}

put_in()
{
    # shellcheck disable=SC2046
    dpkg -i $(ls "$1"/writewatch_*_amd64.deb "$1"/writewatch-preload_*.deb \
        "$1"/libwritewatch0_*_amd64.deb "$1"/libwritewatch-dev_*_amd64.deb)
}

# versions_are VERSION: of all packages
versions_are()
{
    for package in $ours; do
        # shellcheck disable=SC2016
        got=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$package")
        [ "$got" = "installed $1" ] || { echo "$package: $got"; return 1; }
    done
}

installed() { put_in "$1" && versions_are "$2"; }

# the files that were installed, by the tests that make installcheck runs
as_installed()
{
    PKG_CONFIG=pkg-config CC=gcc DESTDIR='' PRELOAD=yes bindir=/usr/bin \
        libdir=/usr/lib/x86_64-linux-gnu includedir=/usr/include mandir=/usr/share/man \
        docdir=/usr/share/doc/writewatch pkgconfigdir=/usr/lib/x86_64-linux-gnu/pkgconfig \
        pkglibdir=/usr/lib/writewatch LOADER_LIB=lib/x86_64-linux-gnu \
        BUILD_LIB32=lib/i386-linux-gnu sh "$top_srcdir/packaging/check-installed"
}

# dpkg knows each file below /usr that has the name, and none has another content than it had
known()
{
    # shellcheck disable=SC2086
    dpkg -V $ours || return 1
    for file in $(find /usr /etc -name '*writewatch*' ! -path '/usr/share/doc/*'); do
        dpkg -S "$file" >/dev/null || { echo "$file is of no package"; return 1; }
    done
}

# gone ACTION: nothing stays but what was there before
gone()
{
    # shellcheck disable=SC2086
    dpkg "$1" $ours || return 1
    snapshot >"$work/after"
    diff "$work/before" "$work/after"
}

use()
{
    run_wine "packages/$1/64" shim 120 /writewatch/build/tests/stress/basic_poll.exe
    if [ -f /writewatch/build/32/tests/stress/basic_poll.exe ]; then
        run_wine "packages/$1/32" shim 120 /writewatch/build/32/tests/stress/basic_poll.exe
    else
        skip "packages/$1/32" "32-bit Windows programs are not built: $brings"
    fi
}

# in_this_shell NAME COMMAND...: a test that is a function of this file
in_this_shell()
{
    name=packages/$1
    shift
    wanted "$name" || return 0
    open_log "$name"
    "$@" >"$log" 2>&1
    judge "$name" $? 0
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
# what a run that was ended has left
# shellcheck disable=SC2086
dpkg --purge $ours >/dev/null 2>&1
snapshot >"$work/before"
new=$(dpkg-deb -f /writewatch/logs/next/writewatch_*_amd64.deb Version)
in_this_shell install installed /writewatch/logs/packages "$VERSION"
in_this_shell known known
in_this_shell installed as_installed
use use
run packages/people 300 sh "$top_srcdir/tests/packages/people" \
    /writewatch/build/programs/demo/demo.exe
in_this_shell upgrade installed /writewatch/logs/next "$new"
in_this_shell upgraded known
use use-upgraded
in_this_shell remove gone --remove
in_this_shell again installed /writewatch/logs/packages "$VERSION"
in_this_shell purge gone --purge
rm -rf "$work"
