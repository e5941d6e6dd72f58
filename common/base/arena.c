/* arena.c - memory that is released all at once
 *
 * Blocks form a list, the one being filled first. A request that needs a block of its own is put behind it,
 * so that the rest of the block being filled is not wasted. `taken` is the size of all blocks with their
 * headers, which is what the limit bounds.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)64 * 1024) /* with its header */
#define ALIGNMENT ((size_t)16)

struct block {
	struct block *next;
	size_t size, used; /* of data */
	_Alignas(16) unsigned char data[];
};

struct av_arena {
	struct block *first;
	size_t limit, taken, used;
	bool failed, crowded;
};

struct av_arena *av_arena_create(size_t limit_bytes)
{
	struct av_arena *arena = calloc(1, sizeof(*arena));

	if (arena)
		arena->limit = limit_bytes ? limit_bytes : SIZE_MAX;
	return arena;
}

static void release(struct av_arena *arena, struct block *block)
{
	arena->taken -= sizeof(*block) + block->size;
	free(block);
}

void av_arena_destroy(struct av_arena **arena)
{
	if (!arena || !*arena)
		return;
	for (struct block *block = (*arena)->first, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	free(*arena);
	*arena = NULL;
}

void av_arena_reset(struct av_arena *arena)
{
	struct block *kept = NULL;

	for (struct block *block = arena->first, *next; block; block = next) {
		next = block->next;
		if (!kept && sizeof(*block) + block->size <= BLOCK_BYTES)
			kept = block;
		else
			release(arena, block);
	}
	if (kept) {
		kept->next = NULL;
		kept->used = 0;
	}
	arena->first = kept;
	arena->used = 0;
	arena->failed = arena->crowded = false;
}

/* A block with room for `bytes`: an ordinary one unless it is too small or the limit is near. */
static struct block *new_block(struct av_arena *arena, size_t bytes)
{
	size_t left = arena->limit - arena->taken;
	size_t total = AV_MAX(bytes + sizeof(struct block), AV_MIN(BLOCK_BYTES, left));
	struct block *block = total <= left ? malloc(total) : NULL;

	arena->crowded |= total > left;
	if (!block)
		return NULL;
	block->size = total - sizeof(*block);
	block->used = 0;
	arena->taken += total;
	if (arena->first && arena->first->size - arena->first->used > block->size - bytes) {
		block->next = arena->first->next;
		arena->first->next = block;
	} else {
		block->next = arena->first;
		arena->first = block;
	}
	return block;
}

void *av_arena_alloc(struct av_arena *arena, size_t bytes)
{
	struct block *block = arena->first;
	void *memory;

	if (bytes > PTRDIFF_MAX - ALIGNMENT - sizeof(*block)) { /* no object may be larger */
		arena->failed = arena->crowded = true;
		return NULL;
	}
	bytes = bytes ? (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
	if (!block || block->size - block->used < bytes)
		block = new_block(arena, bytes);
	if (!block) {
		arena->failed = true;
		return NULL;
	}
	memory = block->data + block->used;
	block->used += bytes;
	arena->used += bytes;
	return memory;
}

void *av_arena_zalloc(struct av_arena *arena, size_t bytes)
{
	void *memory = av_arena_alloc(arena, bytes);

	return memory ? memset(memory, 0, bytes) : NULL;
}

void *av_arena_copy(struct av_arena *arena, const void *data, size_t bytes)
{
	void *memory = av_arena_alloc(arena, bytes);

	if (memory && bytes > 0)
		memcpy(memory, data, bytes);
	return memory;
}

char *av_arena_strdup(struct av_arena *arena, const char *text)
{
	return av_arena_copy(arena, text, strlen(text) + 1);
}

char *av_arena_printf(struct av_arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text = NULL;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	if (length >= 0)
		text = av_arena_alloc(arena, (size_t)length + 1);
	else
		arena->failed = true;
	if (text)
		vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}

bool av_arena_failed(const struct av_arena *arena)
{
	return arena->failed;
}

bool av_arena_crowded(const struct av_arena *arena)
{
	return arena->crowded;
}

size_t av_arena_used(const struct av_arena *arena)
{
	return arena->used;
}
