/* cache.h - what a thread of the workflow keeps of what was published, held against the store's stamps by
 * workflow_view() */
#ifndef AVVIK_WORKFLOW_CACHE_H
#define AVVIK_WORKFLOW_CACHE_H

#include "workflow.h"

struct reach_kept; /* reach.c */

struct cache {
	struct av_arena *directory_arena, *rules_arena;
	struct av_id directory_stamp, rules_stamp; /* zero: nothing is read */
	struct av_org *org;
	struct workflow_pack *packs;
	size_t pack_count;
	struct reach_kept *reach; /* made at the first use */
};

void reach_kept_destroy(struct reach_kept *kept); /* accepts NULL */

#endif
