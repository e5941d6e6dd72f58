/* intake_view.h - the directory in force and the rule packs, as parsed: one copy for each thread that runs
 * handlers.
 *
 * The store says by event ids which ones are in force, so that a copy made in a turn that was given up is
 * never used.
 */
#ifndef INTAKE_VIEW_H
#define INTAKE_VIEW_H

#include "avvik/v1/directory.pb-c.h"
#include "avvik/v1/rules.pb-c.h"
#include "daemon/service.h"
#include "org/org.h"
#include "rulepack_rules.h"

struct view {
	const Avvik__V1__DirectoryPublished *directory; /* NULL: none has been published */
	const struct av_org *org;
	const Avvik__V1__RulePack **rules; /* as they were published */
	struct rulepack_days *days;	   /* of each */
	size_t rules_count;
};

void *view_create(void);
void view_destroy(void *view);
/* What is in force now; lives until the next view_open on this thread. AV_MEMORY, AV_DAMAGED. */
int view_open(struct av_ctx *ctx, const struct view **ret_view);
/* The rule pack that holds on a day; NULL: none. */
const Avvik__V1__RulePack *view_rules(const struct view *view, av_day day);
/* The one in force today, else the last published: what a new directory is held against. */
const Avvik__V1__RulePack *view_rules_or_last(const struct view *view, av_day today);

#endif
