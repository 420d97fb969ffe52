/*
 * Transparent huge pages, which are kept out of watched memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <sys/mman.h>

#include "engine/huge_pages.h"
#include "engine/region.h"
#include "sys/advise.h"
#include "sys/page.h"

/* whether a range has a watched page without MADV_NOHUGEPAGE */
static int is_unadvised( uintptr_t start, uintptr_t end )
{
    struct watch_region *region = region_first( start, end );

    return region && region->unadvised;
}

/***********************************************************************
 *           can_hold_huge_page
 *
 * Whether the kernel could use a huge page in the mapping of a region without MADV_NOHUGEPAGE. It
 * merges adjacent mappings that are alike, and registered memory is like no other; so of two small
 * adjacent regions one gets the advice, and they remain apart. A region that is not in the index
 * belongs to a self-test, which must find out whether the kernel takes the advice.
 */
static int can_hold_huge_page( const struct watch_region *region )
{
    const uintptr_t huge_size = page_size() * (page_size() / 8);
    uintptr_t start = region->base, end = region->end;

    if (region->kind != REGION_FRESH || !region_first( start, end )) return 1;
    if (((start + huge_size - 1) & -huge_size) + huge_size <= end) return 1;
    return is_unadvised( start - page_size(), start ) || is_unadvised( end, end + page_size() );
}

/***********************************************************************
 *           rule_out_huge_pages
 *
 * The call takes a tenth of the time of a small allocation, so it is made only where it matters.
 */
int rule_out_huge_pages( struct watch_region *region )
{
    void *base = (void *)region->base;
    int ret;

    if (!can_hold_huge_page( region ))
    {
        region->unadvised = 1;
        return 0;
    }
    ret = advise( base, region->end - region->base, MADV_NOHUGEPAGE );
    return ret == -EINVAL ? 0 : ret;    /* the kernel was built without huge pages */
}
