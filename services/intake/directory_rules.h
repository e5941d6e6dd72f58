/* directory_rules.h - the check of a whole directory before it is published. Every fault is listed, with its
 * remedy. */
#ifndef INTAKE_DIRECTORY_RULES_H
#define INTAKE_DIRECTORY_RULES_H

#include "avvik/v1/rules.pb-c.h"
#include "org/org.h"
#include "wire/message.h"

/* `rules`: the rule pack in force, whose codes and acts the directory is held against; NULL: none has been
 * published. Everything that is needed for a while lies in the arena. AV_OK, AV_INVALID, AV_MEMORY. */
int directory_check(const Avvik__V1__Directory *directory, const Avvik__V1__RulePack *rules, av_day today,
	struct av_arena *arena, struct av_faults *faults);

/* Of directory_check: no deputies go in a circle on any one day. */
void directory_check_circles(
	const Avvik__V1__Directory *directory, struct av_arena *arena, struct av_faults *faults);

#endif
