/* status_reach.h - the part of `avvik status` that tells which rules would find nobody, and when */
#ifndef AVVIK_STATUS_REACH_H
#define AVVIK_STATUS_REACH_H

#include "tool.h"

/* Prints nothing when every rule finds somebody, or when workflow does not answer. */
void status_reach(struct tool *tool);

#endif
