# Real programs under the shim.
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

if wanted clients/dotnet && have_wine clients/dotnet "$top_builddir/programs/demo/demo.exe"; then
    run clients/dotnet 600 sh "$tests/clients/dotnet/check.sh"
fi
if wanted clients/dotnet-replay &&
    have_wine clients/dotnet-replay "$top_builddir/programs/demo/demo.exe"; then
    run clients/dotnet-replay 600 sh "$tests/replay/dotnet.sh"
fi
