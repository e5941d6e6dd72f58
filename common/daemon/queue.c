/* queue.c - see queue.h. A peer's line stands in the ring while it is not empty; a peer is its public key. */
#include "daemon/queue.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "base/macros.h"
#include "base/status.h"

#define OVERHEAD 256u /* what an entry takes besides its frame, about */

struct line {
	char key[AV_CURVE_TEXT];
	struct av_queued *first, *last;
	size_t bytes;
	struct line *prev, *next; /* of the ring */
	UT_hash_handle hh;
};

struct av_queue {
	struct line *by_key, *ring;
	size_t count, bytes, limit;
	uint64_t numbers;
};

struct av_queue *av_queue_create(size_t bytes)
{
	struct av_queue *queue = calloc(1, sizeof *queue);
	if (queue)
		queue->limit = bytes;
	return queue;
}

void av_queued_free(struct av_queued *queued)
{
	if (!queued)
		return;
	av_frame_release(&queued->frame);
	free(queued);
}

void av_queue_destroy(struct av_queue **queue)
{
	struct av_queued *entry;
	if (!queue || !*queue)
		return;
	while (av_queue_take(*queue, &entry, 1, SIZE_MAX) == 1)
		av_queued_free(entry);
	free(*queue);
	*queue = NULL;
}

static struct line *line_of(struct av_queue *queue, const char *key)
{
	struct line *line;
	HASH_FIND_STR(queue->by_key, key, line);
	if (line)
		return line;
	line = calloc(1, sizeof *line);
	if (!line)
		return NULL;
	memcpy(line->key, key, AV_MIN(strlen(key), sizeof line->key - 1));
	HASH_ADD_STR(queue->by_key, key, line);
	CDL_APPEND(queue->ring, line);
	return line;
}

int av_queue_push(struct av_queue *queue, const char *key, const struct av_route *route,
	struct av_frame *frame, int64_t arrived_at_ms)
{
	struct line *line;
	size_t bytes = av_frame_bytes(frame).size + OVERHEAD + route->size;
	HASH_FIND_STR(queue->by_key, key, line);
	if (queue->bytes + bytes > queue->limit || (line ? line->bytes : 0) + bytes > queue->limit / 2)
		return AV_BUSY;
	struct av_queued *entry = malloc(sizeof *entry + route->size);
	if (!entry || !(line = line_of(queue, key))) {
		free(entry);
		return AV_MEMORY;
	}
	memset(entry, 0, sizeof *entry);
	entry->frame = *frame;
	memset(frame, 0, sizeof *frame);
	entry->arrived_at_ms = arrived_at_ms;
	entry->number = ++queue->numbers;
	entry->bytes = bytes;
	memcpy(entry->key, line->key, sizeof entry->key);
	entry->route_size = route->size;
	memcpy(entry->route, route->bytes, route->size);
	if (line->last)
		line->last->next = entry;
	else
		line->first = entry;
	line->last = entry;
	line->bytes += bytes;
	queue->bytes += bytes;
	queue->count++;
	return AV_OK;
}

size_t av_queue_take(struct av_queue *queue, struct av_queued **ret_list, size_t most, size_t bytes)
{
	size_t count = 0, taken = 0;
	while (count < most && queue->ring && taken < bytes) {
		struct line *line = queue->ring;
		struct av_queued *entry = line->first;
		queue->ring = line->next;
		line->first = entry->next;
		line->bytes -= entry->bytes;
		queue->bytes -= entry->bytes;
		queue->count--;
		taken += entry->bytes;
		entry->next = NULL;
		ret_list[count++] = entry;
		if (line->first)
			continue;
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it stands in the ring */
		CDL_DELETE(queue->ring, line);
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): and in the table */
		HASH_DEL(queue->by_key, line);
		free(line);
	}
	return count;
}

size_t av_queue_count(const struct av_queue *queue)
{
	return queue->count;
}

size_t av_queue_bytes(const struct av_queue *queue)
{
	return queue->bytes;
}
