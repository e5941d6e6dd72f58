/* why_told.h - who was told by the rungs of a case's deadlines, as notification has it. */
#ifndef AVVIK_WHY_TOLD_H
#define AVVIK_WHY_TOLD_H

#include "tool.h"

struct told {
	const Avvik__V1__NoticesFound **pages;
	size_t count;
	bool away; /* notification does not answer, or may not be asked */
};

/* Asks notification for the case's notices, all pages. What it answers lives as long as the tool. */
struct told told_of(struct tool *tool, struct av_id *case_id);
/* "anna.berg, lars.ek for eva.lind"; "reached nobody"; "" when notification has not heard of it. */
const char *told_by_rung(struct tool *tool, const struct told *told, const Avvik__V1__Deadline *deadline,
	size_t rung, bool swedish);

#endif
