# Copies of the installed Wine whose ntdll.so looks different and works as before: it is taken over,
# or left alone with a sentence that says why.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

changed_wine=$logs/changed-wine-tree
real_wine=$WINE
own_watches="Wine's own kernel watches"

# change_wine NAME CHANGE...: sets WINE to a copy so changed; if there is none, NAME fails, or is
# skipped where Wine is not laid out as the copy needs it
change_wine()
{
    name=$1
    shift
    open_log "$name"
    rm -rf "$changed_wine"
    loader=$("$tests/tools/wine-tree" "$changed_wine" 2>"$log")
    case $? in
    0) ;;
    77) skip "$name" "$(last_words)"; return 1 ;;
    *) fail "$name" "$(last_words)"; return 1 ;;
    esac
    if [ $# -ne 0 ] &&
        ! "$top_builddir/tests/tools/doctor_ntdll" "$changed_wine/ntdll.so" "$@" 2>"$log"; then
        fail "$name" "$(last_words)"
        return 1
    fi
    WINE=$loader
}

# said NAME PROGRAM WORDS: whether the shim said this of the program; if not, NAME fails
said()
{
    grep -q "^writewatch: [0-9]* $(basename "$2"): $3" "$shim_log" && return 0
    fail "$1" "not said: '$3', but: $(head -n 1 "$shim_log")"
    return 1
}

# left_alone NAME SENTENCE PROGRAM [TEST]: the program must pass as it does with stock Wine
left_alone()
{
    name=changed-wine/$1
    wanted "$name" && have_wine "$name" "$3" || return 0
    export WRITEWATCH_TEST_SAID="$logs/$name.said"
    rm -f "$WRITEWATCH_TEST_SAID"
    wine_run_options="--wrap $tests/tools/with-shim"
    in_wine "$name" stock 180 "$3" $4
    wine_run_options=
    shim_log=$WRITEWATCH_TEST_SAID
    said "$name" "$3" "not active: $2\$" || return 0
    if [ -n "$4" ]; then judge_winetest "$name" stock 180 "$3" "$4"
    else judge "$name" $status 180
    fi
}

# taken_over NAME WORDS PROGRAM [TEST]: it must pass as it does with the shim otherwise
taken_over()
{
    name=changed-wine/$1
    wanted "$name" && have_wine "$name" "$3" || return 0
    in_wine "$name" shim 180 "$3" $4
    said "$name" "$3" "active, .*$2\$" || return 0
    if [ -n "$4" ]; then judge_winetest "$name" shim 180 "$3" "$4"
    else judge "$name" $status 180
    fi
}

poll=$top_builddir/tests/stress/basic_poll.exe
suite=$top_builddir/tests/conformance/write_watch_test.exe
if may_want changed-wine && have_wine changed-wine "$poll"; then
    # what is not recognised runs on
    unknown="this Wine is not recognised: "
    unclear="${unknown}the calling convention of its system calls is not clear"
    if change_wine changed-wine/symbol symbol; then
        left_alone symbol "${unknown}ntdll.so has no NtResetWriteWatch" "$poll"
    fi
    if change_wine changed-wine/move move; then
        left_alone move "$unclear" "$poll"
        left_alone move-results "$unclear" "$suite" results
    fi
    if change_wine changed-wine/own-watches-left numbers move; then
        left_alone own-watches-left "$unclear; $own_watches go on" "$poll"
    fi

    # the dispatcher of newer Wines, where the functions have their convention: make check-wine10
    if change_wine changed-wine/register && "$top_builddir/tests/tools/doctor_ntdll" \
        "$changed_wine/ntdll.so" register 2>>"$log"; then
        for test in allocation arguments concurrency decommit hostile model overlap own_process \
                    placeholder protection remote results; do
            taken_over register/$test ")" "$suite" $test
        done
        taken_over register/basic_poll ")" "$poll"
    elif wanted changed-wine/register; then
        skip changed-wine/register "$(last_words)"
    fi

    # Wine's own kernel watches, which are idle then
    place=", in place of $own_watches"
    if change_wine changed-wine/own-watches numbers; then
        taken_over own-watches/basic_poll "$place" "$poll"
        for test in allocation decommit placeholder remote results; do
            taken_over own-watches/$test "$place" "$suite" $test
        done

        # a userfaultfd that others have had registered memory with
        wine_run_options="--wrap $tests/stress/registered/with-register"
        taken_over own-watches/beside "$place" "$poll"
        taken_over own-watches/beside-results "$place" "$suite" results

        # and with all memory that would be watched: it is refused here
        export WRITEWATCH_TEST_REGISTER=1
        taken_over own-watches/registered "$place" \
            "$top_builddir/tests/stress/registered/registered.exe"
        if wanted changed-wine/own-watches/registered; then
            said changed-wine/own-watches/registered registered.exe \
                "memory to be watched is refused: Device or resource busy" || :
        fi
        WINE=$real_wine
        # but left to a Wine that watches by protection
        run_wine changed-wine/registered shim 180 "$poll"
        if wanted changed-wine/registered; then
            said changed-wine/registered "$poll" \
                "Wine watches some memory itself: Device or resource busy" || :
        fi
        unset WRITEWATCH_TEST_REGISTER
        wine_run_options=
    fi
    rm -rf "$changed_wine"
fi
WINE=$real_wine
