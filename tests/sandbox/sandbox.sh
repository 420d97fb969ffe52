#!/bin/sh
# Runs a program in one kind of sandbox, where it must work exactly, and checks what writewatch
# says: natively which backend is used and why not a better one, under Wine whether it is active.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: sandbox.sh native|check|wine NAME; check: what writewatch --check says there. Exit status 0
# pass, 1 fail, 77 skip. The environment is that of run-tests: top_srcdir, top_builddir, WINE. What a
# sandbox needs and is not allowed here is a skip with the reason.

: "${top_srcdir:?}" "${top_builddir:?}"
kind=$1
name=$2
tools=$top_builddir/tests/sandbox
program=$top_builddir/tests/stress/basic_poll.exe
nobody=65534
runs=0

work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-sandbox.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# where an ordinary user can get at them
chmod 711 "$work"
for file in "$tools/exact" "$tools/not_dumpable.so" "$top_builddir/tests/tools/deny_userfaultfd"; do
    [ -f "$file" ] || { echo "${file#"$top_builddir"/} is not built: run make check"; exit 1; }
    cp "$file" "$work/" && chmod 755 "$work/${file##*/}" || exit 1
done
exact=$work/exact
deny=$work/deny_userfaultfd

# how to run a command as an ordinary user
as_user=
if [ "$(id -u)" -eq 0 ]; then
    as_user="setpriv --reuid $nobody --regid $nobody --clear-groups --no-new-privs"
fi
# and in a name space with mounts of its own
own_mounts="unshare -m"
[ "$(id -u)" -eq 0 ] || own_mounts="unshare -Urm"

# The script that the wrapper of a sandbox without /proc runs.
cat >"$work/no-proc" <<'END'
#!/bin/sh
mount -t tmpfs -o ro none /proc && exec "$@"
END
chmod 755 "$work/no-proc"

# needs COMMAND...: skips the test if a command that makes the sandbox does not work here
needs()
{
    reason=$("$@" 2>&1) && return 0
    echo "not possible here: $(printf '%s' "$reason" | tail -n 1)"
    exit 77
}

# needs_stock COMMAND: skips the test if stock Wine does not run the program behind the command either
needs_stock()
{
    "$top_srcdir/tests/wine-run" --mode stock --timeout 60 --wrap "$1" "$program" \
        >"$work/stock" 2>&1 && return 0
    echo "stock Wine does not run the program there either ($1)"
    exit 77
}

# failed TEXT
failed()
{
    echo "$name: $*"
    exit 1
}

# native EXPECTED REASON COMMAND...: the backend, where EXPECTED may be "best" for the one that
# there is outside, and words that the reason must have; "" if nothing is to be said
native()
{
    expected=$1
    words=$2
    shift 2
    outside=$("$exact") || failed "the program fails outside of any sandbox"
    line=$("$@") || failed "it failed with \"$line\": $*"
    echo "$line"
    runs=$((runs + 1))
    if [ "$expected" = best ]; then
        [ "$line" = "$outside" ] || failed "outside it is \"$outside\": $*"
        return
    fi
    case $line in
    "$expected: "*) ;;
    *) failed "the backend is not $expected: $*" ;;
    esac
    # where the first choice never works, the reason is about that
    case $outside in
    scan:*) ;;
    *) words= ;;
    esac
    [ "$(printf '%s\n' "$line" | wc -l)" -eq 1 ] || failed "more than one line"
    case $line in
    "$expected: "*"$words"*) [ "$line" != "$expected: " ] || failed "no reason is given" ;;
    *) failed "the reason does not say \"$words\": $*" ;;
    esac
}

# wine EXPECTED WRAP: runs the program under the shim; its line in the log must match EXPECTED, and
# be one
wine()
{
    expected=$1
    wrap=$2
    log=$work/log
    before=
    if [ -n "$run_as" ]; then
        # a log of its own folder, and a prefix that it owns
        mkdir -p "$work/user" && chown $nobody "$work/user" || exit 1
        log=$work/user/log
        before="$run_as env HOME=$work/user TMPDIR=$work/user"
        before="$before WRITEWATCH_PREFIX_TEMPLATE=$WRITEWATCH_USER_TEMPLATE"
    fi
    rm -f "$log"
    # shellcheck disable=SC2086
    $before "$top_srcdir/tests/wine-run" --mode shim --timeout 60 --log "$log" --wrap "$wrap" \
        "$program" || failed "basic_poll.exe ended with status $? ($wrap)"
    line=$(grep "^writewatch: [0-9]* .*basic_poll.exe: .*active" "$log" 2>/dev/null)
    printf '%s\n' "${line:-the log says nothing about basic_poll.exe}"
    # a Wine of both word sizes begins in a process of the other one, which a sandbox may not reach
    printf '%s\n' "$line" | grep -q "basic_poll.exe: $expected" ||
        failed "the log does not say \"$expected\" ($wrap)"
    [ "$(printf '%s\n' "$line" | wc -l)" -le 2 ] || failed "more than two lines"
    runs=$((runs + 1))
}

# check_says STATUS CAUSE COMMAND...: the status of writewatch --check by that command, and the one
# cause that keeps programs from being served; "" if there is none
check_says()
{
    status=$1
    cause=$2
    shift 2
    if ! "$exact" | grep -q '^scan:'; then
        echo "not possible here: outside of any sandbox nothing is served either"
        exit 77
    fi
    # one of the Wines that tests/package/inspect.sh has compiles: a real one need not be here
    if [ ! -d "$work/unix" ]; then
        mkdir "$work/unix" && ${CC:-cc} -w -O1 -shared -fPIC -Wl,-Bsymbolic -DABI= -DDISPATCHER=2 \
            -o "$work/unix/ntdll.so" "$top_srcdir/tests/package/inspect/ntdll.c" &&
            "$top_builddir/tests/unit/x86_64/inspect" "$work/unix/ntdll.dll" || exit 1
        chmod -R a+rX "$work/unix"
    fi
    "$@" "$runner" --check --json "$work/unix" >"$work/json"
    got=$?
    # without descriptors a Wine cannot be loaded, but that is not the cause
    found=$(grep -o '"id": "[a-z-]*", "severity": "problem"' "$work/json" | cut -d'"' -f4 |
        grep -v '^wine-not-probed$')
    if [ $got -eq 0 ]; then
        grep -q '"verdict": "served"' "$work/json" || failed "no Wine is served: $*"
    fi
    echo "status $got: ${found:-no cause}: $(grep -o '"reason": "[^"]*"}' "$work/json" | head -n 1)"
    [ "$found" = "$cause" ] || failed "the cause is \"$found\", not \"$cause\": $*"
    [ $got -eq "$status" ] || failed "exit status $got, not $status: $*"
    runs=$((runs + 1))
}

# user_prefix: a copy of the prefix that an ordinary user owns, for all tests that need it
user_prefix()
{
    run_as=
    [ "$(id -u)" -eq 0 ] || return 0
    needs $as_user true
    for file in "$program" "$top_srcdir/tests/wine-run"; do
        $as_user test -r "$file" && continue
        echo "not possible here: an ordinary user cannot read $file"
        exit 77
    done
    run_as=$as_user
    : "${WRITEWATCH_USER_TEMPLATE:?}"
    [ -f "$WRITEWATCH_USER_TEMPLATE/system.reg" ] && return 0
    top_builddir=$top_builddir "$top_srcdir/tests/wine-run" --make-template || exit 1
    cp -a "$top_builddir/tests/prefix-template" "$WRITEWATCH_USER_TEMPLATE" &&
        chown -R $nobody:$nobody "$WRITEWATCH_USER_TEMPLATE" || exit 1
}

# user_runner: sets runner to an installed one that an ordinary user can run
user_runner()
{
    [ "$(id -u)" -eq 0 ] || return 0
    to=$work/bin
    mkdir -p "$to/programs/writewatch" "$to/preload" || exit 1
    cp "$runner" "$to/programs/writewatch/" && cp -rL "$top_builddir"/preload/lib* "$to/preload/" ||
        exit 1
    chmod -R a+rX "$to"
    runner=$to/programs/writewatch/writewatch
}

runner=$top_builddir/programs/writewatch/writewatch
run_as=
case $kind/$name in
native/user)
    needs $as_user true
    native best "" $as_user "$exact"
    ;;
native/user-mode-only)
    needs $as_user true
    needs "$deny" --kernel-mode true
    [ "$(cat /proc/sys/vm/unprivileged_userfaultfd 2>/dev/null)" = 0 ] ||
        echo "vm.unprivileged_userfaultfd is not 0 here: a filter stands for it"
    native best "" $as_user "$deny" --kernel-mode "$exact"
    ;;
native/seccomp)
    needs "$deny" true
    # EPERM, as Docker answers; ENOSYS, as others do; EACCES, which is unusual
    for errno in 1 38 13; do
        native mprotect "userfaultfd refused: " "$deny" --errno $errno "$exact"
    done
    ;;
native/not-dumpable)
    needs $as_user true
    native mprotect "cannot open /proc/self/pagemap: " $as_user "$exact" --not-dumpable
    ;;
native/no-proc)
    needs $own_mounts "$work/no-proc" true
    native mprotect "cannot open /proc/self/pagemap: " $own_mounts "$work/no-proc" "$exact"
    ;;
native/user-namespace)
    needs $as_user unshare -U true
    native best "" unshare -Ur "$exact"
    native best "" $as_user unshare -U "$exact"
    ;;
native/no-descriptors)
    native mprotect "userfaultfd refused: " "$exact" --no-descriptors
    ;;
native/address-space)
    native best "" "$exact" --address-space 64
    ;;

check/user)
    needs $as_user true
    user_runner
    check_says 0 "" $as_user
    ;;
check/user-mode-only)
    needs $as_user true
    needs "$deny" --kernel-mode true
    user_runner
    check_says 0 "" $as_user "$deny" --kernel-mode
    ;;
check/seccomp)
    needs "$deny" true
    for errno in 1 38 13; do
        check_says 1 userfaultfd-seccomp "$deny" --errno $errno
    done
    check_says 1 pagemap-scan-seccomp "$deny" --scan
    check_says 1 pagemap-scan-seccomp "$deny" --errno 25 --scan
    ;;
check/not-dumpable)
    needs $as_user true
    user_runner
    check_says 1 not-dumpable $as_user env LD_PRELOAD="$work/not_dumpable.so"
    ;;
check/no-proc)
    needs $own_mounts "$work/no-proc" true
    check_says 1 proc-missing $own_mounts "$work/no-proc"
    ;;
check/user-namespace)
    needs $as_user unshare -U true
    check_says 0 "" unshare -Ur
    user_runner
    check_says 0 "" $as_user unshare -U
    ;;
check/no-descriptors)
    needs "$deny" --errno 24 true
    # with room for other files it is a filter
    check_says 1 userfaultfd-seccomp "$deny" --errno 24
    needs prlimit --nofile=64:64 true
    check_says 0 "" prlimit --nofile=64:64
    # the self-test gets as many as are left behind those of the program and its file for the output
    for limit in 4 5; do
        check_says 1 descriptors prlimit --nofile=$limit:$limit
    done
    ;;
check/address-space)
    needs prlimit --as=2147483648 true
    check_says 0 "" prlimit --as=2147483648
    ;;

wine/user)
    user_prefix
    wine 'active, ' ""
    ;;
wine/user-mode-only)
    needs "$deny" --kernel-mode true
    wine 'active, ' "$deny --kernel-mode"
    ;;
wine/seccomp)
    needs "$deny" true
    # without the filter it is active: so it is the filter that makes the difference
    wine 'active, ' ""
    for errno in 1 38 13; do
        wine 'not active: userfaultfd refused: ' "$deny --errno $errno"
    done
    ;;
wine/not-dumpable)
    user_prefix
    wine 'not active: cannot open /proc/self/pagemap: ' "env LD_PRELOAD=$work/not_dumpable.so"
    ;;
wine/no-proc)
    needs $own_mounts "$work/no-proc" true
    # by a program in the place of Wine: the runner itself finds its library by /proc
    printf '#!/bin/sh\nexec %s %s %s "$@"\n' "$own_mounts" "$work/no-proc" "$WINE" >"$work/wine"
    chmod 755 "$work/wine"
    top_builddir=$top_builddir "$top_srcdir/tests/wine-run" --make-template || exit 1
    if ! WINE=$work/wine "$top_srcdir/tests/wine-run" --mode stock --timeout 60 "$program" \
        >"$work/output" 2>&1; then
        echo "without writewatch too Wine does not start: $(tail -n 1 "$work/output")"
        exit 77
    fi
    WINE=$work/wine
    export WINE
    wine 'not active: ' ""
    ;;
wine/user-namespace)
    needs unshare -Ur true
    wine 'active, ' "unshare -Ur"
    user_prefix
    needs $as_user unshare -U true
    wine 'active, ' "unshare -U"
    ;;
wine/no-descriptors)
    # Wine cannot start without any, so the one that counts is refused
    needs "$deny" --errno 24 true
    wine 'not active: userfaultfd refused: ' "$deny --errno 24"
    # and with few it goes on as with many, if Wine itself does
    needs_stock "prlimit --nofile=64:64"
    wine 'active, ' "prlimit --nofile=64:64"
    ;;
wine/address-space)
    # a Wine of both word sizes has too little there for its 32-bit part
    needs_stock "prlimit --as=2147483648"
    wine 'active, ' "prlimit --as=2147483648"
    ;;
*)
    echo "no such sandbox: $kind/$name"
    exit 1
    ;;
esac
if [ "$kind" = check ]; then echo "$runs answers, each with the cause"
else echo "$runs runs, each with exact polls"
fi
