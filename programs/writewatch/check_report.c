/*
 * What --check finds
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "runner.h"
#include "check_report.h"

void add_finding( struct report *report, enum severity severity, const char *id,
                  const char *sentence, const char *remedy )
{
    struct finding finding = { severity, id, sentence, remedy };
    size_t count = report->finding_count;

    report->findings = realloc( report->findings, (count + 1) * sizeof(finding) );
    if (!report->findings) fail( EXIT_USAGE, "out of memory" );
    report->findings[count] = finding;
    report->finding_count = count + 1;
}
