/*
 * Settings of the user, for all programs or for this one
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_SETTINGS_H
#define WRITEWATCH_SETTINGS_H

enum setting
{
    SETTING_OFF,
    SETTING_BACKEND,
    SETTING_LOG,
    SETTING_STATS,
    SETTING_LOG_ALL,
    SETTING_STATUS,
    SETTING_COUNT
};

/* The value that the runner passes for this program alone (WRITEWATCH_PROGRAMS), or else that of
 * the environment variable; NULL if there is neither. */
extern const char *setting( enum setting setting );

/* whether the value is for this program alone */
extern int is_for_this_program( enum setting setting );

/* whether WRITEWATCH, or the setting of that meaning, is one of the words for no, in any case */
extern int is_switched_off(void);

#endif /* WRITEWATCH_SETTINGS_H */
