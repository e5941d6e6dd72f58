/* principals_internal.h - the table of principals, as principals_load.c makes it and principals.c reads it.
 */
#ifndef AVVIK_BUS_PRINCIPALS_INTERNAL_H
#define AVVIK_BUS_PRINCIPALS_INTERNAL_H

#include <stdatomic.h>
#include "bus/principals.h"

struct key_entry {
	const char *key;
	size_t index;		   /* of its principal */
	int64_t from_ms, until_ms; /* from <= now < until */
};

static inline int key_entry_order(const void *a, const void *b)
{
	return strcmp(((const struct key_entry *)a)->key, ((const struct key_entry *)b)->key);
}

struct av_principals {
	atomic_uint references;
	struct av_arena *arena;
	struct av_principal *list;
	size_t count;
	struct key_entry *keys; /* by key */
	size_t key_count;
	unsigned char hash[32];
};

#endif
