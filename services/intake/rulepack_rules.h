/* rulepack_rules.h - the check of a whole rule pack before it is published. Every fault is listed, with its
 * remedy. */
#ifndef INTAKE_RULEPACK_RULES_H
#define INTAKE_RULEPACK_RULES_H

#include "avvik/v1/rules.pb-c.h"
#include "base/date.h"
#include "wire/message.h"

/* AV_OK, AV_INVALID, AV_MEMORY. */
int rulepack_check(const Avvik__V1__RulePack *rules, struct av_arena *arena, struct av_faults *faults);

/* The days of a pack that has been published, and its version. */
struct rulepack_days {
	const char *version;
	av_day from, until; /* until 0: without end */
};
/* Which pack holds on a day: of those that cover it, the one published last. `published` is in that order.
 * Answers its place, or `count`: none. */
size_t rulepack_on(const struct rulepack_days *published, size_t count, av_day day);
/* A new pack must follow on those before: no start between theirs, no day without rules, no two that both say
 * they end later. Or it is for the days before the first of them, and ends where that one begins. */
void rulepack_check_days(const Avvik__V1__RulePack *rules, const struct rulepack_days *published,
	size_t count, struct av_faults *faults);

/* Of rulepack_check: deadlines with their ladders, and recipients. */
void rulepack_check_deadlines(
	const Avvik__V1__RulePack *rules, struct av_arena *arena, struct av_faults *faults);
void rulepack_check_recipient(const Avvik__V1__RulePack *rules, const Avvik__V1__Recipient *recipient,
	bool has_responsible, const char *path, struct av_faults *faults);

#endif
