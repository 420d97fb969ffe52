# The engine against a model of the rules of Windows, under Wine.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The same program as natively, see 15-model.sh.

model_steps=15000
[ -z "$WRITEWATCH_LONG" ] || model_steps=200000
run_wine model-wine/shim shim $((100 + model_steps / 100)) "$top_builddir/tests/model/model.exe" \
    --seed "${WRITEWATCH_SEED:-1}" --steps $model_steps
