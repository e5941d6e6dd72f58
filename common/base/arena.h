/* arena.h - memory that is released all at once.
 *
 * An arena grows in blocks and never fails softly: when the machine is out of memory, or the arena would pass
 * its limit, allocation returns NULL and the arena remembers it (av_arena_failed). A turn uses one arena and
 * resets it.
 */
#ifndef AVVIK_BASE_ARENA_H
#define AVVIK_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include "base/macros.h"

struct av_arena;

/* limit_bytes: what all blocks together may take; 0: no limit. NULL when out of memory. */
struct av_arena *av_arena_create(size_t limit_bytes);
void av_arena_destroy(struct av_arena **arena); /* accepts NULL and a pointer to NULL */
/* Forgets all allocations; keeps at most one block of 64 KiB. */
void av_arena_reset(struct av_arena *arena);
/* 16-byte aligned, not zeroed; NULL at the limit. */
void *av_arena_alloc(struct av_arena *arena, size_t bytes);
void *av_arena_zalloc(struct av_arena *arena, size_t bytes);
void *av_arena_copy(struct av_arena *arena, const void *data, size_t bytes);
char *av_arena_strdup(struct av_arena *arena, const char *text);
char *av_arena_printf(struct av_arena *arena, const char *format, ...) AV_PRINTF(2, 3);
/* Since the last reset. */
bool av_arena_failed(const struct av_arena *arena);
bool av_arena_crowded(const struct av_arena *arena); /* it was the limit, not the machine, that said no */
/* Bytes handed out since the last reset, each rounded up to 16. */
size_t av_arena_used(const struct av_arena *arena);

#endif
