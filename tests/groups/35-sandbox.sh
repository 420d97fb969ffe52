# Sandboxes: the right fallback and one clear sentence, natively and under Wine.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

# a prefix for an ordinary user, made by the first test that needs it
WRITEWATCH_USER_TEMPLATE=$top_builddir/tests/prefix-template.user
export WRITEWATCH_USER_TEMPLATE

for sandbox in user user-mode-only seccomp not-dumpable no-proc user-namespace no-descriptors \
    address-space; do
    run "sandbox/$sandbox" 120 sh "$tests/sandbox/sandbox.sh" native $sandbox
    # what --check says of a Wine is tested with invented ones; this is about the kernel
    run "sandbox/check/$sandbox" 120 sh "$tests/sandbox/sandbox.sh" check $sandbox
    test=sandbox/wine/$sandbox
    if wanted "$test" && have_wine "$test" "$top_builddir/tests/stress/basic_poll.exe"; then
        run "$test" 600 sh "$tests/sandbox/sandbox.sh" wine $sandbox
    fi
done
rm -rf "$WRITEWATCH_USER_TEMPLATE"

if wanted sandbox/check/wine && have_wine sandbox/check/wine "$top_builddir/tests/stress/basic_poll.exe"
then
    run sandbox/check/wine 600 sh "$tests/sandbox/check-wine.sh"
fi

# containers: another root, where the path of the library means something else
for container in same-path not-shared prefix lib platform word-size log environment; do
    run "container/$container" 120 sh "$tests/sandbox/container.sh" $container
done
if wanted container/wine && have_wine container/wine "$top_builddir/tests/stress/basic_poll.exe"; then
    run container/wine 600 sh "$tests/sandbox/container.sh" wine
fi
