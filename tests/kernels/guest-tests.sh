# What check-kernels runs inside a guest: read by tests/run-tests there, see tests/groups/.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154

unit=$top_builddir/tests/unit
native_test=$top_builddir/tests/conformance/write_watch_native_test
backends=${WRITEWATCH_GUEST_BACKENDS:-$all_backends}
# Processors are emulated here, one by another: a thread that waits for another may wait for long.
export WRITEWATCH_TEST_SHARE="${WRITEWATCH_TEST_SHARE:-10}"
model_steps=${model_steps:-10000}
race_seconds=${race_seconds:-8}
# a file system that holds its pages itself; below /tmp they are those of an overlay
export TMPDIR=/dev/shm

# shim_aside NAME: the shim must have said to the program of $log that it is not active
shim_aside()
{
    if ! grep -q "^writewatch: [0-9]* .*basic_poll.exe: not active: " "$shim_log"; then
        fail "$1" "the shim did not say that it is not active: $(tail -n 1 "$shim_log")"
    elif [ "$status" -ne 0 ]; then
        fail "$1" "exit status $status: $(last_words)"
    else
        pass "$1" "$(sed -n 's/^writewatch: [0-9]* .*: not active: /not active: /p' "$shim_log" |
            head -n 1)"
    fi
}

# processors NAME: where the test that is run next may run. A fault that another thread answers
# takes long where that one runs on another emulated processor; tests of concurrency get all the
# same.
processors()
{
    case $1 in
    */concurrency) taskset -pc 0,1 $$ ;;
    thread*|softdirty*) taskset -pc 0 $$ ;;
    *) taskset -pc 0,1 $$ ;;
    esac >/dev/null
}

# pages that went out to swap since the guest began
pages_out()
{
    sed -n 's/^pswpout //p' /proc/vmstat
}

# the parts, the ones with several backends once with each
guest_units="region blocks fair_lock handlers hold library query user_memory results_array fill
    restore virtual virtual_statuses fault moved forms commit"
for test in $guest_units; do
    run "unit/$test" 240 "$unit/$test"
done
# thread is among the backends of these
processors thread
for test in capabilities process process_ends; do run "unit/$test" 240 "$unit/$test"; done
processors all
out=$(pages_out)
for backend in $backends; do
    processors "$backend"
    run "unit/trackers-$backend" 240 env WRITEWATCH_TEST_SCAN="$backend" "$unit/trackers" \
        --steps 20000 "${backend%%:*}"
done
for backend in $backends; do
    [ "$backend" != softdirty ] || continue
    processors "$backend"
    for test in across anew drops mapping mapping_refused pages tracker_cases tracker_drops undo \
        views; do
        run "unit/$test-$backend" 240 env WRITEWATCH_TEST_SCAN="$backend" "$unit/$test" \
            "${backend%%:*}"
    done
    case $backend in
    scan*|sigbus) run "unit/discard-$backend" 240 env WRITEWATCH_TEST_SCAN="$backend" \
        "$unit/discard" "${backend%%:*}" ;;
    esac
    [ "$backend" = scan:marked ] || continue
    for test in blocks commit query restore; do
        run "unit/$test-$backend" 240 env WRITEWATCH_TEST_SCAN="$backend" "$unit/$test"
    done
done
processors all
for variant in $backends; do
    case $variant in
    scan|scan:marked|thread) ;;
    sigbus) run "unit/backends-sigbus-old" 240 "$unit/backends" sigbus-old ;;
    *) run "unit/backends-$variant" 240 "$unit/backends" "$variant" ;;
    esac
done
# with the limit that the test itself sets; to reach the kernel's takes minutes here
if wanted unit/mprotect_limit; then
    limit_before=$(cat /proc/sys/vm/max_map_count)
    echo 1000000 >/proc/sys/vm/max_map_count
    run unit/mprotect_limit 240 "$unit/mprotect_limit"
    echo "$limit_before" >/proc/sys/vm/max_map_count
fi
# what those tests let the kernel take must have gone to swap
if wanted unit/swap; then
    out=$(($(pages_out) - out))
    if ! grep -q '^/dev/zram0 ' /proc/swaps; then fail unit/swap "there is no swap on zram"
    elif [ $out -eq 0 ]; then fail unit/swap "no page went out to swap"
    else pass unit/swap "on zram, $out pages went out"
    fi
fi

# an example that must report exactly the pages that were written
if wanted native/lazy_restore; then
    if probe scan; then run native/lazy_restore 120 "$top_builddir/tests/kernels/lazy_restore" 128
    else skip native/lazy_restore "$reason"
    fi
fi

# what writewatch --check says of the kernel: that it serves, or that it is too old
if wanted native/check && [ ! -x "$top_builddir/programs/writewatch/writewatch" ]; then
    skip native/check "it starts Wine, and is not for this processor"
elif wanted native/check; then
    open_log native/check
    "$top_builddir/programs/writewatch/writewatch" --check --json /nowhere >"$log" 2>&1
    if probe scan; then expected='"machine": "x86_64", "served": true'
    else expected='"id": "kernel-old", "severity": "problem"'
    fi
    if grep -q -- "$expected" "$log"; then pass native/check "$expected"
    else fail native/check "not said: $expected"
    fi
fi

# the conformance suite
names=$("$native_test" --list 2>/dev/null)
[ -n "$names" ] || fail native "write_watch_native_test --list names no test"
for backend in $backends; do
    if ! probe "$backend"; then
        if wanted "native/$backend"; then skip "native/$backend" "$reason"; fi
        continue
    fi
    for test in $names; do
        processors "$backend/$test"
        run_native "native/$backend/$test" "$backend" 240 "$native_test" "$test"
    done
done

# the engine against the model
for backend in $backends; do
    processors "$backend"
    run "model/$backend" 240 env WRITEWATCH_BACKEND="$backend" "$top_builddir/tests/model/model" \
        --seed "${WRITEWATCH_SEED:-1}" --steps $model_steps
done

# race NAME BACKEND OPTION...: writers against pollers; pages must go to swap meanwhile
race()
{
    name=$1
    backend=$2
    shift 2
    wanted "$name" || return 0
    if ! probe "$backend"; then
        skip "$name" "$reason"
        return 0
    fi
    processors "$backend"
    out=$(pages_out)
    run "$name" 240 env WRITEWATCH_BACKEND="$backend" "$top_builddir/tests/race/race" \
        --seconds "$race_seconds" "$@"
    [ "$(pages_out)" -gt "$out" ] || fail "$name" "no page went out to swap"
}

# With a hog that takes all memory there is, the kernel moves pages about, and the quick query of
# scan reports some of these twice.
for backend in $backends; do
    hog=$(awk '/^MemAvailable:/ { print int( $2 / 1024 ) }' /proc/meminfo)
    case $backend in
    scan|scan:marked)
        race "race/$backend" "$backend"
        race "race/$backend-sparse" "$backend" --sparse 1 --hog "$hog"
        ;;
    *) race "race/$backend" "$backend" --hog "$hog" ;;
    esac
done

processors all

# Windows programs under the shim. The prefix is the host's; what is only read of it is linked,
# because hard links would bring all of it into the guest's memory.
[ -n "$WRITEWATCH_GUEST_WINE" ] || return 0
if may_want wine; then
    export WRITEWATCH_PREFIX_TEMPLATE=/dev/shm/prefix-template
    host_prefix=$top_builddir/tests/prefix-template
    cp -as "$host_prefix" "$WRITEWATCH_PREFIX_TEMPLATE" || fail wine "the prefix cannot be linked"
    for part in system.reg user.reg userdef.reg .update-timestamp dosdevices drive_c/users \
        drive_c/ProgramData; do
        [ -e "$host_prefix/$part" ] || continue
        rm -rf "${WRITEWATCH_PREFIX_TEMPLATE:?}/$part"
        cp -a "$host_prefix/$part" "$WRITEWATCH_PREFIX_TEMPLATE/$part"
    done
    if probe scan; then
        for test in $WRITEWATCH_GUEST_WINE; do
            run_winetest "wine/$test" shim 200 \
                "$top_builddir/tests/conformance/write_watch_test.exe" "$test"
        done
        run_wine wine/basic_poll shim 200 "$top_builddir/tests/stress/basic_poll.exe"
        # where huge pages come unasked
        run_wine wine/fresh shim 200 "$top_builddir/tests/stress/fresh.exe"
        # how the kernel charges memory is the guest's alone
        overcommit_before=$(cat /proc/sys/vm/overcommit_memory)
        for overcommit in 0 1 2; do
            echo $overcommit >/proc/sys/vm/overcommit_memory
            # the kernel's reserve and the processes there take some of what 2 leaves
            echo 80 >/proc/sys/vm/overcommit_ratio
            for mode in stock shim; do
                run_wine "wine/charge-$overcommit-$mode" $mode 200 \
                    "$top_builddir/tests/stress/charge.exe"
            done
        done
        echo "$overcommit_before" >/proc/sys/vm/overcommit_memory
    elif wanted wine/aside; then
        in_wine wine/aside shim 200 "$top_builddir/tests/stress/basic_poll.exe"
        shim_aside wine/aside
    fi
fi
