# Recording under writewatch, and replays of the records: natively and under Wine.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

for script in "$tests"/replay/*.sh; do
    [ -f "$script" ] || continue
    test=$(basename "$script" .sh)
    case $test in
    # the second is one of the clients: it is fetched, for 64 bits
    lib|dotnet) continue ;;
    esac
    if wanted "replay/$test" && have_wine "replay/$test" "$top_builddir/programs/demo/demo.exe"; then
        run "replay/$test" 600 sh "$script"
    fi
done
