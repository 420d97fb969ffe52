# What check-arm64 runs inside a guest: read by tests/run-tests there, see tests/groups/.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154

. "$tests/arm64/lacking"

# a part of the rounds of each test, and all of them with WRITEWATCH_LONG=1
if [ -z "$WRITEWATCH_LONG" ]; then
    export WRITEWATCH_TEST_SHARE=25
    model_steps=2000 race_seconds=4
else
    export WRITEWATCH_TEST_SHARE=1
    model_steps=100000 race_seconds=30
    WRITEWATCH_TEST_FACTOR=$((WRITEWATCH_TEST_FACTOR * 10))
fi

# what tests/kernels has for guests of any processor comes first, with each backend
. "$tests/kernels/guest-tests.sh"
processors all

# then the parts that it leaves out, since they are the same with any kernel
# shellcheck disable=SC2086
done_units="$(echo $guest_units) across drops mapping mapping_refused pages undo views discard backends
    mprotect_limit trackers capabilities process process_ends"
for source in "$tests"/unit/*.c; do
    name=unit/$(basename "$source" .c)
    case " $done_units " in
    *" ${name#unit/} "*) continue ;;
    esac
    reason=$(lacking "$name")
    if [ -z "$reason" ]; then run "$name" 240 "$top_builddir/tests/$name"
    elif wanted "$name"; then skip "$name" "$reason"
    fi
done

[ -z "$WRITEWATCH_LONG" ] || run unit/backends 240 "$unit/backends"
if wanted faults; then skip faults "$(lacking faults)"; fi

run model/static 240 "$top_builddir/tests/model/model.static" --seed 1 --steps $model_steps
for backend in $ways_backends; do
    wanted "fuzz/$backend" || continue
    if ! probe "$backend"; then
        skip "fuzz/$backend" "$reason"
        continue
    fi
    run "fuzz/$backend" 120 env WRITEWATCH_BACKEND="$backend" "$top_builddir/tests/fuzz/fuzz" \
        --seconds 4 --inputs 100
done
for example in "$top_srcdir"/examples/*.c; do
    name=$(basename "$example" .c)
    run "example/$name" 60 "$top_builddir/tests/arm64/$name"
done
