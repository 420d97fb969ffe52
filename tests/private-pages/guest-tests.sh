# What check-private-pages runs inside a guest: read by tests/run-tests there. First that reading
# untouched memory maps private pages, by a module alone, and what scan makes of it; then all that
# check-kernels runs.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154

private_pages='reading untouched memory gives private pages here'
module=$top_builddir/kernels/trixie/no_zero_page.ko

# The control, without the module. These two and the module's do not depend on patterns: without
# them, nothing below would say what it is about.
in_control()
{
    open_log kernel/zero_page
    if ! "$top_builddir/tests/tools/zero_page" shared >"$log" 2>&1; then
        fail kernel/zero_page "without the module: $(last_words)"
    elif ! probe scan:unmarked; then
        fail kernel/zero_page "without the module, scan:unmarked is refused: $reason"
    else
        pass kernel/zero_page "$(last_words), without the module"
    fi
}

# reads_private NAME: whether reads map private pages, in all cases
reads_private()
{
    open_log "$1"
    if "$top_builddir/tests/tools/zero_page" private >"$log" 2>&1; then
        pass "$1" "$(last_words)"
    else
        fail "$1" "with the module: $(last_words)"
        return 1
    fi
}

insert()
{
    busybox insmod "$module" && echo 0 >/sys/kernel/mm/transparent_hugepage/use_zero_page ||
        fail kernel/insert "the module cannot be inserted"
}

# Which form scan chooses by itself, and why it refuses the other one. A native program that asks for
# scan gets no reason, as it got what it asked for; the log of a Windows program has it.
chooses()
{
    open_log scan/chosen
    "$top_builddir/programs/writewatch/writewatch" --check --json /nowhere >"$log" 2>&1
    if grep -q '"served": true, "mechanism": "[^"]*, marked at commit"' "$log"; then
        pass scan/chosen "$(sed -n 's/.*"mechanism": "\([^"]*\)".*/\1/p' "$log")"
    else
        fail scan/chosen "not the marked form: $(grep '"kernel"' "$log")"
    fi
}

# refuses BACKEND: one that would take what was only read for written
refuses()
{
    if probe "$1"; then
        fail "refused/$1" "it is not"
    elif [ "$reason" = "$private_pages" ]; then
        pass "refused/$1" "$private_pages"
    else
        fail "refused/$1" "for another reason: $reason"
    fi
}

# what the shim has said to Windows programs, in each of the logs that there are
says_so()
{
    said="active, scan (userfaultfd WP_ASYNC with PAGEMAP_SCAN, marked at commit: $private_pages)"
    lines=0 others=0
    for shim_log in "$logs"/wine/*.shim; do
        [ -f "$shim_log" ] || continue
        lines=$((lines + $(grep -cF "$said" "$shim_log")))
        others=$((others + $(grep ': active, ' "$shim_log" | grep -cvF "$said")))
    done
    if [ $lines -eq 0 ] || [ $others -ne 0 ]; then
        fail wine/said "in $others of $((lines + others)) processes not: $said"
    else
        pass wine/said "$lines processes: $said"
    fi
}

# a Windows program, where the form that is wrong here is asked for
wine_refuses()
{
    wanted wine/refused || return 0
    WRITEWATCH_BACKEND=scan:unmarked in_wine wine/refused shim 200 \
        "$top_builddir/tests/stress/basic_poll.exe"
    if grep -q "basic_poll.exe: not active: $private_pages" "$shim_log"; then
        shim_aside wine/refused
    else
        fail wine/refused "not refused: $(tail -n 1 "$shim_log")"
    fi
}

in_control
insert
# without these the tests below would be those of any kernel
if reads_private kernel/private_pages; then
    chooses
    refuses scan:unmarked
    refuses softdirty
    . "$tests/kernels/guest-tests.sh"
    if [ -n "$WRITEWATCH_GUEST_WINE" ] && may_want wine; then
        [ -z "$wine_ran" ] || says_so
        wine_refuses
    fi
    # nothing above has taken the module out
    reads_private kernel/private_pages_at_end
fi
