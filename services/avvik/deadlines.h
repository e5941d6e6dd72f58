/* deadlines.h - a deadline for people: when it is due, and how it stands. */
#ifndef AVVIK_DEADLINES_H
#define AVVIK_DEADLINES_H

#include "tool.h"

const char *deadline_due(struct tool *tool, const Avvik__V1__Deadline *deadline); /* "Monday 2026-06-22" */
/* "OVERDUE by 3 days", "2 days left", "met 2026-06-22 10:37" */
const char *deadline_state(struct tool *tool, const Avvik__V1__Deadline *deadline, int64_t now_ms);

#endif
