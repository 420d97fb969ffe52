/*
 * Takes the place of the Windows header in native builds of the tests
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "native.h"
