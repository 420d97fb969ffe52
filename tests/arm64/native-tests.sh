# What check-arm64 runs inside a guest: read by tests/run-tests there, see tests/groups/.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154

. "$tests/arm64/lacking"

# with WRITEWATCH_LONG=1 all rounds of each test
[ -z "$WRITEWATCH_LONG" ] || export WRITEWATCH_TEST_SHARE=1

# what tests/kernels has for guests of any processor comes first, with each backend
. "$tests/kernels/guest-tests.sh"
processors all

# then the parts that it leaves out, since they are the same with any kernel
# shellcheck disable=SC2086
for source in "$tests"/unit/*.c; do
    name=unit/$(basename "$source" .c)
    case " $(echo $guest_units) mapping mapping_refused pages undo discard backends mprotect_limit " in
    *" ${name#unit/} "*) continue ;;
    esac
    reason=$(lacking "$name")
    if [ -z "$reason" ]; then run "$name" 240 "$top_builddir/tests/$name"
    elif wanted "$name"; then skip "$name" "$reason"
    fi
done

run model/static 240 "$top_builddir/tests/model/model.static" --seed 1 --steps 5000
[ -z "$WRITEWATCH_LONG" ] || for backend in $backends; do
    run "model-long/$backend" 3600 env WRITEWATCH_BACKEND="$backend" \
        "$top_builddir/tests/model/model" --seed 1000 --steps 100000
done
for backend in $ways_backends; do
    run "fuzz/$backend" 120 env WRITEWATCH_BACKEND="$backend" "$top_builddir/tests/fuzz/fuzz" \
        --seconds 8 --inputs 500
done
for example in "$top_srcdir"/examples/*.c; do
    name=$(basename "$example" .c)
    run "example/$name" 60 "$top_builddir/tests/arm64/$name"
done
