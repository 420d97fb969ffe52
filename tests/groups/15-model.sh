# The engine against a model of the rules of Windows, natively with each backend.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# WRITEWATCH_SEED is the first seed (default 1). WRITEWATCH_LONG makes many more steps.

model_steps=100000
[ -z "$WRITEWATCH_LONG" ] || model_steps=1000000
for backend in $(native_backends); do
    run "model/$backend" $((100 + model_steps / 500)) env WRITEWATCH_BACKEND="$backend" \
        "$top_builddir/tests/model/model" --seed "${WRITEWATCH_SEED:-1}" --steps $model_steps
done

# a wrong model must be noticed
if command -v "${CC%% *}" >/dev/null; then
    run model/wrong-rules 120 sh "$tests/model/wrong-rules.sh"
elif wanted model/wrong-rules; then
    skip model/wrong-rules "it needs a compiler, which this tree does not have"
fi
